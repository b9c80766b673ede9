"""The documents say what the program does: examples in them are real output, pages are up to date, links lead on."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import ROOT
from .generate_docs import contexts, generated, version

README = ROOT / "README.md"
EXAMPLE = re.compile(
    r"<!-- output of: (?P<command>.+?) -->\n```\w*\n(?P<output>.*?)(?=^```$)", re.DOTALL | re.MULTILINE,
)
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = [(page, match["command"]) for page in PAGES for match in EXAMPLE.finditer(page.read_text())]
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]+))?\)")
SHELL = re.compile(r"^```(?:sh|crontab)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def real_output(command: str, environment: dict[str, str]) -> str:
    """What a shell prints for a command of a page."""
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env=environment, cwd=ROOT, timeout=120, check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(("page", "command"), EXAMPLES)
def test_an_example_is_what_the_command_prints(
    page: Path, command: str, shell_environment: dict[str, str], update: bool,
) -> None:
    if "jq" in command and not shutil.which("jq"):
        pytest.skip("jq is not installed")
    printed = real_output(command, shell_environment)
    text = page.read_text()
    match = next(match for match in EXAMPLE.finditer(text) if match["command"] == command)
    if update:
        page.write_text(text[: match.start("output")] + printed + text[match.end("output"):])
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


def test_every_exit_code_stands_in_the_page_of_options() -> None:
    from qmo_cli.errors import ExitCode

    text = (ROOT / "docs" / "options.md").read_text()
    assert all(re.search(rf"^\| {int(code)} \|", text, re.MULTILINE) for code in ExitCode)


def test_the_changelog_has_the_version_and_speaks_of_the_wire_format() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    entry = text.split(f"## [{version()}]")[1]
    assert "### Wire format" in entry


def test_every_line_type_stands_in_the_page_of_lines(shell_environment: dict[str, str]) -> None:
    text = (ROOT / "docs" / "lines.md").read_text()
    for name in real_output("qmo schema", shell_environment).split():
        assert f"`{name}`" in text, name


def test_ci_runs_the_test_command_of_the_readme() -> None:
    block = re.search(r"<!-- test command -->\n```sh\n(.+?)\n```\n<!-- end -->", README.read_text(), re.DOTALL)
    assert block
    assert "-m venv" in block[1]
    assert "/pytest" in block[1]
    assert "README.md" in (ROOT / ".ci" / "run").read_text()


def slugs(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: dict[str, int] = {}
    for heading in HEADING.findall(BLOCK.sub("", page.read_text())):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
        if found[slug]:
            found[f"{slug}-{found[slug]}"] = 0
    return set(found)


def simple_commands(page: Path) -> Iterator[list[str]]:
    """The words of each ``qmo ...`` in a page's shell blocks, up to the next pipe or the like."""
    for block in SHELL.findall(page.read_text()):
        for words in re.findall(r"(?<![\w./-])qmo ((?:'[^']*'|\"[^\"]*\"|[^|;&<>()\n])*)", block.replace("\\\n", " ")):
            yield words.split(" #")[0].split()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_command_that_a_page_shows_has_the_options_it_is_shown_with(page: Path) -> None:
    there = {ctx.info_name: {flag for option in ctx.command.params for flag in (*option.opts, *option.secondary_opts)}
             for ctx in contexts()}
    for words in simple_commands(page):
        names = [word for word in words if word in there]   # more than one: qmo config run
        assert names or not words[0].islower(), words
        known = {"--help", "--version"}.union(*(there[name] for name in ("qmo", *names)))
        for word in words:
            assert not re.match("--[a-z]", word) or word.partition("=")[0] in known, f"qmo {' '.join(words)}: {word}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(BLOCK.sub("", page.read_text())):
        there = (page.parent / target).resolve() if target else page
        assert there.is_relative_to(ROOT), target
        assert there.exists(), target
        assert not anchor or anchor in slugs(there), f"{target}#{anchor}"


def test_every_page_is_led_to() -> None:
    led_to = {(page.parent / target).resolve() for page in PAGES for target, _ in LINK.findall(page.read_text())}
    assert set(PAGES) <= led_to | {README}


def test_anchors_are_those_that_github_makes(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# What `stale` means, twice\n\n## A [link](there.md)\n\n## A link\n```sh\n# no heading\n```\n")
    assert slugs(page) == {"what-stale-means-twice", "a-link", "a-link-1"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_json_example_is_broken(page: Path) -> None:
    for block in re.findall(r"```json\n(.*?)```", page.read_text(), re.DOTALL):
        for line in block.strip().splitlines():
            if line.startswith("{") and line.endswith("}"):
                json.loads(line)
