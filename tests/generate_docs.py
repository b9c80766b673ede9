"""Man pages, made from the commands themselves.

``pytest --update`` rewrites them; without it a test compares them with what is in the project.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from qmo_cli.cli import COMMANDS, TERMINATED, cli
from qmo_cli.commands.options import Stage
from qmo_cli.errors import ExitCode

ROOT = Path(__file__).resolve().parent.parent
HEAD = '.\\" Generated from the command line itself; pytest --update rewrites it.\n'
RAGGED = ".nh\n.ad l\n"                                 # no word is cut, no gap is stretched
LIVE, HISTORY = "gateway", "max_cost"                    # options that tell what a command deals with
STATUS = {
    ExitCode.OK: "Done, also when the reader of the output left.",
    ExitCode.FAILURE: "Failure.",
    ExitCode.USAGE: "The command line asks for something that does not exist, or there is nothing to read.",
    ExitCode.BAD_DATA: "Damaged input, or lines that this stage does not read.",
    ExitCode.UNAVAILABLE: "A source cannot be opened.",
    ExitCode.NOT_ENTITLED: "A key is missing or does not cover the data.",
    ExitCode.CONFIGURATION: "The configuration file, or a parameter in it, is wrong.",
    ExitCode.INTERRUPTED: "Interrupted by Ctrl-C.",
    TERMINATED: "Ended by SIGTERM.",
}


def version() -> str:
    """The version in pyproject.toml."""
    found = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert found
    return found[1]


def contexts() -> Iterator[click.Context]:
    """The group and every command, each with the context it runs in."""
    group = click.Context(cli, info_name="qmo", **cli.context_settings)
    yield group
    for name in COMMANDS:
        command = cli.get_command(group, name)
        assert command
        yield click.Context(command, info_name=name, parent=group)


def roff(text: str) -> str:
    """Text that roff prints as it stands."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("^", "\\(ha")
    escaped = escaped.replace("~", "\\(ti").replace("`", "\\(ga")
    return re.sub(r"^\.", r"\\&.", escaped, flags=re.MULTILINE)


def bold(text: str) -> str:
    return f"\\fB{roff(text)}\\fR"


def slanted(text: str) -> str:
    """What stands for something else, such as FILE."""
    return re.sub(r"[A-Z][A-Z_]*", lambda word: f"\\fI{word[0]}\\fR", roff(text))


def item(term: str, text: str, width: str = "") -> str:
    """A term, and under it what it means."""
    return f".TP{width}\n{term}\n{roff(' '.join(text.split()))}\n"


def blocks(text: str) -> list[str]:
    """The paragraphs of a help text; click's no-wrap mark begins one too."""
    return [part.strip("\n") for part in re.split("\n\n|\n(?=\b\n)", text.strip("\n")) if part.strip()]


def paragraph(block: str) -> str:
    """One paragraph; one with click's no-wrap mark keeps its lines, under its title if it has one."""
    if not block.lstrip().startswith("\b"):
        return ".PP\n" + roff(" ".join(block.split())) + "\n"
    lines = block.lstrip().splitlines()[1:]
    if lines and lines[0].endswith(":") and not lines[0].startswith(" "):
        return (".PP\n" + roff(lines[0]) + "\n" if lines[0] != "Examples:" else "") + verbatim(lines[1:])
    return verbatim(lines)


def verbatim(lines: list[str]) -> str:
    """Lines as they stand, indented as far as their length lets them be in 80 columns."""
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    shown = [line[indent:].rstrip() for line in lines]
    room = min(11, 80 - max(map(len, shown), default=0))
    body = "\n".join(map(roff, shown))
    return f".PP\n.nf\n.in {room}n\n{body}\n.in\n.fi\n" if lines else ""


def option_block(ctx: click.Context, option: click.Parameter) -> str:
    """One option: its names, and what it does."""
    record = option.get_help_record(ctx)
    if not record:
        return ""
    names, _, value = re.fullmatch(r"((?:-[\w-]+(?:, | / )?)+)( ?)(.*)", record[0]).groups()  # type: ignore[union-attr]
    return item(bold(names.rstrip()) + (f" {slanted(value)}" if value else ""), record[1])


def option_sections(ctx: click.Context) -> Iterator[str]:
    """The options under the headings that --help shows."""
    command = ctx.command
    sections = command.sections(ctx) if isinstance(command, Stage) else {"Options": command.get_params(ctx)}
    for title, options in sections.items():
        body = "".join(option_block(ctx, option) for option in options)
        heading = ".SH OPTIONS\n" if title == "Options" else f".SS {title}\n"
        yield f"{heading}{body}" if body else ""


def epilog_sections(ctx: click.Context) -> Iterator[str]:
    """Examples, and what is not one: notes. Exit codes have a section of their own."""
    found = [block for block in blocks(ctx.command.epilog or "") if "Exit codes:" not in block]
    examples = [block for block in found if re.search(r"^ +.*\bqmo ", block, re.MULTILINE)]
    notes = [block for block in found if block not in examples]
    for title, chosen in (("EXAMPLES", examples), ("NOTES", notes)):
        yield f".SH {title}\n" + "".join(map(paragraph, chosen)) if chosen else ""


def deals_with(ctx: click.Context, *options: str) -> bool:
    """Whether a command has one of these options, or is the group, which has to do with everything."""
    return ctx.command is cli or any(param.name in options for param in ctx.command.params)


def environment(ctx: click.Context) -> str:
    """The variables that the command reads."""
    name = str(ctx.info_name).upper()
    option = "QMO_COMMAND_OPTION" if ctx.command is cli else f"QMO_{name}_OPTION"
    found = {
        option: "Default of an option, in capitals and with _ for -: QMO_ROUTE_EVERY=50ms is qmo route --every 50ms. "
                "Of an option of another stage also under that stage's name.",
        "QMO_CONFIG": "Configuration file, as --config.",
        "QMO_LOG": "json: messages on stderr as lines of JSON, as --log.",
        "QMO_DEBUG": "1: show the details of a failure that is a bug in qmo.",
        "NO_COLOR": "Set to anything: no colour on a terminal.",
    }
    if deals_with(ctx, LIVE, HISTORY) and name != "GATEWAY":
        found["DATABENTO_API_KEY"] = "The key of Databento, before any file that holds one."
    if name == "SERVE":
        found["QMO_TOKEN"] = "The token that clients must show."
    if name == "GATEWAY":
        found["QMO_GATEWAY_KEY"] = "The only key that is accepted."
    return ".SH ENVIRONMENT\n" + "".join(item(slanted(key) if key == option else bold(key), text)
                                         for key, text in found.items())


def files(ctx: click.Context) -> str:
    """The files that the command reads or keeps."""
    found = {"$XDG_CONFIG_HOME/qmo/config.toml": "One table per command, such as [route], one per engine, such as "
             "[engine.iceberg], and [qmo]. A flag wins over the environment, that over the file. qmo config shows what "
             "comes of it; XDG_CONFIG_HOME is ~/.config unless set."}
    if deals_with(ctx, LIVE, HISTORY) and ctx.info_name != "gateway":
        found["$XDG_CONFIG_HOME/qmo/databento.key"] = (
            "The key of Databento, mode 600; in a service of systemd the credential databento.key comes before it.")
    if ctx.info_name == "serve":
        found["$XDG_CONFIG_HOME/qmo/qmo.token"] = (
            "The token that clients must show, mode 600, unless --token-file or QMO_TOKEN says; in a service of "
            "systemd the credential qmo.token comes before it.")
    if deals_with(ctx, HISTORY):
        found["$XDG_CACHE_HOME/qmo/history"] = "What was downloaded, so that nothing is paid for twice."
    if ctx.info_name == "memory" or ctx.command is cli:
        found["$XDG_DATA_HOME/qmo/memory.db"] = "Where qmo memory looks for zones, unless told otherwise."
    if ctx.info_name == "systemd":
        found["/etc/systemd/system, $XDG_CONFIG_HOME/systemd/user"] = "Where units are installed."
        found["/etc/qmo, /var/lib/qmo, /var/cache/qmo"] = "Configuration, data and cache of the system's units."
    return ".SH FILES\n" + "".join(item(f"\\fI{roff(key)}\\fR", text) for key, text in found.items())


def exit_status(ctx: click.Context) -> str:
    """The exit codes, in the command's own words where it has some."""
    own = next((block for block in blocks(ctx.command.epilog or "") if "Exit codes:" in block), "")
    said = {int(code): text for code, text in re.findall(r"^ +(\d+) +(\S.*)$", own, re.MULTILINE)}
    return ".SH EXIT STATUS\n" + "".join(
        item(str(int(code)), said.get(int(code), text), " 5") for code, text in STATUS.items())


def see_also(ctx: click.Context) -> str:
    """The pages of the commands that this one speaks of, and of the stages whose options it takes."""
    text = f"{ctx.command.help} {ctx.command.epilog or ''}"
    named = {name for name in re.findall(r"\bqmo (\w+)", text) if name in COMMANDS}
    stages = {stage for option in ctx.command.params for stage in getattr(option, "stages", ())}
    wanted = set(COMMANDS) if ctx.command is cli else (named | stages | {"config"}) - {str(ctx.info_name)}
    pages = ["qmo", *(f"qmo-{name}" for name in COMMANDS if name in wanted)][ctx.command is cli:]
    return ".SH SEE ALSO\n" + " ,\n".join(f".BR {roff(page)} (1)" for page in pages) + "\n"


def page_name(ctx: click.Context) -> str:
    """What to give to man(1)."""
    return ctx.command_path.replace(" ", "-")


def man_page(ctx: click.Context) -> str:
    """The page of one command."""
    name, command = page_name(ctx), ctx.command
    summary, _, description = (command.help or "").partition("\n")
    listing = "".join(item(bold(key), text, " 11") for key, text in COMMANDS.items())
    commands = ".SH COMMANDS\nIn the order in which the data flows; each has a page, such as\n.BR qmo\\-feed (1).\n"
    return "".join((
        HEAD, f'.TH {name.upper()} 1 "" "qmo {version()}" "Quantum Market Observer"\n', RAGGED,
        f".SH NAME\n{roff(name)} \\- {roff(summary[0].lower() + summary[1:].rstrip('.'))}\n",
        f".SH SYNOPSIS\n{bold(ctx.command_path)} {slanted(' '.join(command.collect_usage_pieces(ctx)))}\n",
        ".SH DESCRIPTION\n", *([paragraph(part) for part in blocks(description)] or [roff(summary) + "\n"]),
        commands + listing if command is cli else "",
        *option_sections(ctx), *epilog_sections(ctx), environment(ctx), files(ctx), exit_status(ctx), see_also(ctx),
    ))


def generated() -> dict[Path, str]:
    """Every generated file and what it should hold."""
    return {ROOT / "man" / f"{page_name(ctx)}.1": man_page(ctx) for ctx in contexts()}


def write() -> None:
    """Rewrite them all."""
    for path, text in generated().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
