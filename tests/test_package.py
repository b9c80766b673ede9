"""What is installed: every compiled module is built, every package is listed, nothing is declared twice."""

from __future__ import annotations

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
