"""Man pages, made from the commands themselves.

``pytest --update`` rewrites them; without it a test compares them with what is in the project.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from qmo_cli.cli import COMMANDS, cli
from qmo_cli.commands.options import Stage

ROOT = Path(__file__).resolve().parent.parent
FOOT = """\
.SH ENVIRONMENT
.TP
\\fBQMO_CONFIG\\fR
Configuration file, as \\fB\\-\\-config\\fR.
.TP
\\fBQMO_\\fICOMMAND\\fB_\\fIOPTION\\fR
Default of an option: QMO_ROUTE_EVERY=50ms is \\fBqmo route \\-\\-every 50ms\\fR.
.TP
\\fBQMO_DEBUG\\fR
1: show the details of a failure that is a bug in qmo.
.TP
\\fBNO_COLOR\\fR
Set to anything: no colour on a terminal.
.SH FILES
.TP
\\fI$XDG_CONFIG_HOME/qmo/config.toml\\fR
One table per command, such as [route], and one per engine, such as [engine.iceberg].
A flag wins over the environment, that over the file.
.TP
\\fI$XDG_DATA_HOME/qmo/memory.db\\fR
Where \\fBqmo memory\\fR looks for zones, unless told otherwise.
.SH EXIT STATUS
.TP
0
Done, also when the reader of the output left.
.TP
1
Failure.
.TP
2
The command line asks for something that does not exist, or there is nothing to read.
.TP
65
Damaged input, or lines that this stage does not read.
.TP
69
A source cannot be opened.
.TP
77
A key is missing or does not cover the data.
.TP
78
Configuration.
.TP
130
Interrupted by Ctrl-C.
.TP
143
Ended by SIGTERM.
"""


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


def paragraphs(text: str) -> Iterator[str]:
    """The help text's paragraphs; those that begin with click's no-wrap mark keep their lines."""
    for paragraph in text.strip().split("\n\n"):
        if paragraph.lstrip().startswith("\b"):
            lines = paragraph.lstrip().splitlines()[1:]
            indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
            yield ".PP\n.RS 4\n.nf\n" + "\n".join(roff(line[indent:]) for line in lines) + "\n.fi\n.RE\n"
        else:
            yield ".PP\n" + roff(" ".join(paragraph.split())) + "\n"


def option_block(ctx: click.Context, option: click.Parameter) -> str:
    """One option: its names, and what it does."""
    record = option.get_help_record(ctx)
    if not record:
        return ""
    return f".TP\n\\fB{roff(record[0])}\\fR\n{roff(' '.join(record[1].split()))}\n"


def option_sections(ctx: click.Context) -> Iterator[str]:
    """The options under the headings that --help shows."""
    command = ctx.command
    sections = command.sections(ctx) if isinstance(command, Stage) else {"Options": command.get_params(ctx)}
    for title, options in sections.items():
        body = "".join(option_block(ctx, option) for option in options)
        yield f".SH {title.upper()}\n{body}" if body else ""


def see_also(ctx: click.Context) -> str:
    """The other pages."""
    names = ["qmo", *(f"qmo-{name}" for name in COMMANDS)]
    others = [name for name in names if name != page_name(ctx)]
    return ".SH SEE ALSO\n" + ",\n".join(f".BR {roff(name)} (1)" for name in others).replace(",\n", " ,\n") + "\n"


def page_name(ctx: click.Context) -> str:
    """What to give to man(1)."""
    return ctx.command_path.replace(" ", "-")


def man_page(ctx: click.Context) -> str:
    """The page of one command."""
    name, command = page_name(ctx), ctx.command
    summary, _, description = (command.help or "").partition("\n")
    usage = roff(" ".join(command.collect_usage_pieces(ctx)))
    listing = "".join(f".TP\n\\fB{roff(key)}\\fR\n{roff(text)}\n" for key, text in COMMANDS.items())
    commands = ".SH COMMANDS\nIn the order in which the data flows.\n" + listing
    return "".join((
        '.\\" Generated from the command line itself; pytest --update rewrites it.\n',
        f'.TH {name.upper()} 1 "" "qmo {version()}" "Quantum Market Observer"\n',
        f".SH NAME\n{roff(name)} \\- {roff(summary.rstrip('.'))}\n",
        f".SH SYNOPSIS\n\\fB{roff(ctx.command_path)}\\fR {usage}\n",
        ".SH DESCRIPTION\n" + roff(summary) + "\n", *paragraphs(description),
        commands if command is cli else "",
        *option_sections(ctx),
        *([".SH EXAMPLES\n", *paragraphs(command.epilog.replace("Examples:\n", ""))] if command.epilog else []),
        FOOT, see_also(ctx),
    ))


def generated() -> dict[Path, str]:
    """Every generated file and what it should hold."""
    return {ROOT / "man" / f"{page_name(ctx)}.1": man_page(ctx) for ctx in contexts()}


def write() -> None:
    """Rewrite them all."""
    for path, text in generated().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
