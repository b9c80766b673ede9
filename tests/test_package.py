"""What is installed: every compiled module is built, every package is listed, nothing is declared twice."""

from __future__ import annotations

import fnmatch
import subprocess
import tomllib

from .conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_module_written_for_cython_is_compiled_at_install() -> None:
    written = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in ROOT.glob("qmo_cli/**/*.py") if path.read_text().startswith("# cython:")
    }
    assert {module["name"] for module in PROJECT["tool"]["setuptools"]["ext-modules"]} == written


def test_a_missing_compiler_does_not_stop_the_install() -> None:
    assert all(module["optional"] for module in PROJECT["tool"]["setuptools"]["ext-modules"])


def test_every_package_is_installed() -> None:
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in ROOT.glob("qmo_cli/**/__init__.py")}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == found


def test_the_version_stands_in_one_place() -> None:
    version = PROJECT["project"]["version"]
    others = [path.name for path in ROOT.glob("qmo_cli/**/*.py") if f'"{version}"' in path.read_text()]
    assert others == []


def tracked() -> list[str]:
    """The files of the project; nothing where they are not under version control, as in an unpacked archive."""
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def test_every_file_of_the_package_is_installed() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["qmo_cli"]
    left_out = [
        path for path in tracked() if path.startswith("qmo_cli/") and not path.endswith(".py")
        and not any(fnmatch.fnmatch(path.removeprefix("qmo_cli/"), pattern.removeprefix("**/")) for pattern in patterns)
    ]
    assert left_out == []


def test_every_file_of_the_project_is_in_the_archive_of_the_source() -> None:
    """MANIFEST.in by its own words, and what the build puts in by itself."""
    kept = set()
    for line in (ROOT / "MANIFEST.in").read_text().splitlines():
        word, *rest = line.split()
        if word == "include":
            kept |= set(rest)
        elif word == "graft":
            kept |= {f"{folder}/*" for folder in rest}
        elif word == "recursive-include":
            kept |= {f"{rest[0]}/*{pattern.removeprefix('*')}" for pattern in rest[1:]}
    kept |= {"pyproject.toml", "MANIFEST.in", ".gitignore", "qmo_cli/*.py"}
    assert [path for path in tracked() if not any(fnmatch.fnmatch(path, pattern) for pattern in kept)] == []


def test_manual_and_completions_go_where_a_prefix_keeps_them() -> None:
    shared = PROJECT["tool"]["setuptools"]["data-files"]
    found = {target: sorted(str(path.relative_to(ROOT)) for name in names for path in ROOT.glob(name))
             for target, names in shared.items()}
    pages = {path for path in tracked() if path.startswith("man/")}
    assert pages <= set(found.pop("share/man/man1"))
    assert found == {
        "share/bash-completion/completions": ["completions/qmo"],       # bash-completion loads NAME for a command NAME
        "share/zsh/site-functions": ["completions/_qmo"],               # and zsh _NAME
        "share/fish/vendor_completions.d": ["completions/qmo.fish"],    # and fish NAME.fish
    }
