"""The documents say what the program does: examples in the README are real output, pages are up to date."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import ROOT
from .generate_docs import contexts, generated, version

README = ROOT / "README.md"
EXAMPLE = re.compile(
    r"<!-- output of: (?P<command>.+?) -->\n```\w*\n(?P<output>.*?)(?=^```$)", re.DOTALL | re.MULTILINE,
)
EXAMPLES = [match["command"] for match in EXAMPLE.finditer(README.read_text())]


def real_output(command: str, environment: dict[str, str]) -> str:
    """What a shell prints for a command of the README."""
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env=environment, cwd=ROOT, timeout=120, check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("command", EXAMPLES)
def test_an_example_in_the_readme_is_what_the_command_prints(
    command: str, shell_environment: dict[str, str], update: bool,
) -> None:
    if "jq" in command and not shutil.which("jq"):
        pytest.skip("jq is not installed")
    printed = real_output(command, shell_environment)
    text = README.read_text()
    match = next(match for match in EXAMPLE.finditer(text) if match["command"] == command)
    if update:
        README.write_text(text[: match.start("output")] + printed + text[match.end("output"):])
        return
    assert match["output"] == printed


@pytest.mark.parametrize("path", list(generated()), ids=lambda path: path.name)
def test_a_generated_file_is_up_to_date(path: Path, update: bool) -> None:
    text = generated()[path]
    if update:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert path.read_text() == text


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
@pytest.mark.parametrize("path", [path for path in generated() if path.suffix == ".1"], ids=lambda path: path.name)
def test_a_man_page_renders_without_a_complaint(path: Path) -> None:
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", str(path)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "SYNOPSIS" in re.sub(".\b", "", done.stdout)


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_man_pages_have_their_sections_in_order_and_fit_eighty_columns() -> None:
    wanted = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "ENVIRONMENT", "FILES", "EXIT STATUS", "SEE ALSO"]
    others = {"COMMANDS", "EXAMPLES", "NOTES"}
    pages = "".join(text for path, text in generated().items() if path.suffix == ".1")
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-rLL=80n", "-P-cbou"], input=pages, capture_output=True, text=True, check=True)
    found = re.findall(r"^[A-Z][A-Z ]+$", done.stdout, re.MULTILINE)
    assert [name for name in found if name not in others] == wanted * len(list(contexts()))
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_every_command_and_every_option_stands_in_a_man_page() -> None:
    for ctx in contexts():
        page = (ROOT / "man" / f"{ctx.command_path.replace(' ', '-')}.1").read_text().replace("\\-", "-")
        for option in ctx.command.params:
            assert all(flag in page for flag in option.opts if flag.startswith("-"))


def test_every_command_stands_in_the_readme() -> None:
    text = README.read_text()
    assert all(f"qmo {ctx.info_name}" in text for ctx in list(contexts())[1:])


def test_every_exit_code_stands_in_the_readme() -> None:
    from qmo_cli.errors import ExitCode

    text = README.read_text()
    assert all(re.search(rf"^\| {int(code)} \|", text, re.MULTILINE) for code in ExitCode)


def test_the_changelog_has_the_version_and_speaks_of_the_wire_format() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    entry = text.split(f"## [{version()}]")[1]
    assert "### Wire format" in entry


def test_the_readme_shows_one_example_of_each_line_type(shell_environment: dict[str, str]) -> None:
    text = README.read_text()
    for name in real_output("qmo schema", shell_environment).split():
        assert f"`{name}`" in text, name


def test_ci_runs_the_test_command_of_the_readme() -> None:
    block = re.search(r"<!-- test command -->\n```sh\n(.+?)\n```\n<!-- end -->", README.read_text(), re.DOTALL)
    assert block
    assert "-m venv" in block[1]
    assert "/pytest" in block[1]
    assert "README.md" in (ROOT / ".ci" / "run").read_text()


def test_links_inside_the_project_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", README.read_text()):
        assert (ROOT / target).exists(), target


def test_no_json_example_is_broken() -> None:
    for block in re.findall(r"```json\n(.*?)```", README.read_text(), re.DOTALL):
        for line in block.strip().splitlines():
            if line.startswith("{") and line.endswith("}"):
                json.loads(line)
