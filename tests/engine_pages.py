"""A page for each engine, made from its docstring, its parameters, its reading's fields and a simulated day.

``pytest --update`` rewrites docs/engines; without it a test compares. What stands between the two marks of a page is
written by hand and kept.
"""

from __future__ import annotations

import ast
import dataclasses
import io
import json
import re
import tokenize
import types
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from qmo_cli.engines import ENGINES
from qmo_cli.engines.base import Engine
from qmo_cli.packets import OPTIONAL
from qmo_cli.pipeline import parameters
from qmo_cli.schemas import event_type

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "engines"
HEAD = "<!-- Made from the engine itself by pytest --update, but for the notes. -->\n"
NOTES, END = "<!-- notes, written by hand -->", "<!-- end of notes -->"
# The run that all pages show, as it stands in the index.
DAY = """\
qmo run sim --seed 7 --rate 10 --sim-start 2026-10-05T11:30Z --minutes 350 --every 1m --full \\
    --merge docs/engines/account.ndjson --calendar docs/engines/calendar.ndjson --set risk.daily_loss=500 \\
    --set gann.bar=5m --set cycle.bar=5m > day.ndjson"""
# The same market as poorer subscriptions and bars show it: what is null there, and why.
POORER = [f"qmo run sim --seed 7 --rate 5 --minutes 20 --schema {schema} --every 1m --full"
          for schema in ("mbp-10", "tbbo", "ohlcv-1m")]
# What of a reading is shown where all of it is long.
SHOWN = {
    "iceberg": ".iceberg | .zones |= .[-1:] | .icebergs |= .[-1:]",
    "memory": ".memory | .zones |= .[:1]",
    "orderflow": ".orderflow | .imbalances |= .[:1] | .stacked |= .[:1] | .clusters |= .[:1]",
    "astro": ".astro | .events |= .[:2]",
    "mentor": ".mentor | .zones |= .[:1]",
}
DAGGER = "† null says all there is to say; every other null has its reason in `missing`."
WORDS = {float: "number", int: "integer", str: "text", bool: "true or false", type(None): "null"}
SLOTS = {"trades": "trades (L1)", "depth": "depth (L2)", "orders": "orders (L3)"}
Run = Callable[[str], str]  # a shell command in the folder of day.ndjson -> what it prints


def names() -> list[str]:
    """The pages there are."""
    return ["README", *ENGINES]


def path_of(name: str) -> Path:
    """Where a page is."""
    return PAGES / f"{name}.md"


def page(name: str, run: Run, missing: dict[str, list[str]]) -> str:
    """The text of a page; ``missing`` has the reasons seen for each path of a packet."""
    return index() if name == "README" else engine_page(ENGINES[name], run, missing)


# --- the index

def index() -> str:
    """The page that leads to the others."""
    rows = [(f"[{name}]({name}.md)", needs(engine), sentence(engine)) for name, engine in ENGINES.items()]
    return (
        f"{HEAD}# The engines\n\n{kept_notes('README')}\n\n{table(('engine', 'needs', 'what it is'), rows)}\n"
        "## The run that the pages show\n\n"
        "Six hours of a simulated market, a frame a minute, with a small [account](account.ndjson) and a\n"
        "[calendar](calendar.ndjson) of two events. From the folder of the project:\n\n"
        f"```sh\n{DAY}\n```\n"
    )


def needs(engine: type[Engine]) -> str:
    """Levels of access first, then other engines."""
    wanted = [words for slot, words in SLOTS.items() if slot in engine.needs]
    return ", ".join([*wanted, *(f"[{name}]({name}.md)" for name in ENGINES if name in engine.needs)])


def sentence(engine: type[Engine]) -> str:
    """The first paragraph of the docstring, in one line."""
    return cell(paragraphs(engine.__doc__)[0])


# --- the page of one engine

def engine_page(engine: type[Engine], run: Run, missing: dict[str, list[str]]) -> str:
    """All that there is to say of one engine."""
    evidence: str = getattr(engine, "evidence", "")
    event = event_type(engine.reading)
    return "\n".join(filter(None, (
        f"{HEAD}# {engine.name}\n", "\n\n".join(paragraphs(engine.__doc__)) + "\n",
        f"**{evidence.replace(': ', ':** ', 1)}\n" if evidence else "",
        f"Needs: {needs(engine)}. All engines: [index](README.md).\n",
        f"{kept_notes(engine.name)}\n",
        "## Parameters\n\n" + parameter_rows(engine),
        "## What it says\n\n" + reading_tables(engine),
        event_section(engine, event, run) if event else "",
        reasons_section(engine.name, missing),
        "## Example\n\n" + example(f"tail -n 1 day.ndjson | jq '{SHOWN.get(engine.name, '.' + engine.name)}'", run),
    )))


def kept_notes(name: str) -> str:
    """The part of a page that is written by hand, with its marks."""
    text = path_of(name).read_text() if path_of(name).exists() else ""
    found = re.search(f"{re.escape(NOTES)}\n.*?{re.escape(END)}", text, re.DOTALL)
    return found[0] if found else f"{NOTES}\n{END}"


def parameter_rows(engine: type[Engine]) -> str:
    """The engine's parameters, as --set and the configuration file take them."""
    rows = [(f"`{engine.name}.{key}`", default(field), cell(field.metadata.get("help", "")))
            for key, field in parameters(engine).items()]
    return table(("parameter", "default", "meaning"), rows) if rows else "None.\n"


def default(field: dataclasses.Field[Any]) -> str:
    """A default as it would be written."""
    value = None if field.default is dataclasses.MISSING else field.default
    return "" if value in (None, "") else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def reading_tables(engine: type[Engine]) -> str:
    """The fields of the reading, then those of what is in it."""
    reading = engine.reading
    parts = [part for part in structs_in(reading) if "schema" not in part.__annotations__]
    text = described(reading) + "".join(f"\n### {part.__name__}\n\n{described(part)}" for part in parts)
    return text + (f"\n{DAGGER}\n" if "†" in text else "")


def event_section(engine: type[Engine], event: type, run: Run) -> str:
    """The lines of --events."""
    (tag,) = get_args(get_type_hints(event)["schema"])
    parts = [part for part in structs_in(event) if part not in structs_in(engine.reading)]
    return (
        f"## Lines of `{tag}`\n\n`qmo engine {engine.name} --events` prints them; a packet has those of its frame in"
        f" `events`.\n\n{described(event)}"
        + "".join(f"\n### {part.__name__}\n\n{described(part)}" for part in parts)
        + "\n" + example(f"jq -c '.{engine.name}.events[]' day.ndjson | head -n 1", run)
    )


def reasons_section(name: str, missing: dict[str, list[str]]) -> str:
    """Why fields were null in the runs, a row for each reason."""
    fields: dict[str, list[str]] = {}
    for path, reasons in missing.items():
        slot, _, field = path.partition(".")
        for reason in reasons if slot == name else ():
            fields.setdefault(reason, []).append(f"`{field}`" if field else "all of it")
    rows = [(", ".join(dict.fromkeys(paths)), cell(reason)) for reason, paths in fields.items()]
    if not rows:
        return ""
    return (
        "## Why something is null\n\nReasons seen in the example's run, and in twenty minutes of a market as"
        " mbp-10, tbbo and\none-minute bars. There are others.\n\n" + table(("null", "reason"), rows)
    )


def example(command: str, run: Run) -> str:
    """A command and what it prints."""
    return f"```sh\n{command}\n```\n\n```json\n{tidy(run(command))}\n```\n"


def tidy(text: str) -> str:
    """JSON as every version of jq would have it: 4000 for 4000.0; one object alone in lines of their own."""
    return json.dumps(json.loads(text, parse_float=number), indent=2, ensure_ascii=False)


def number(digits: str) -> float | int:
    """A number of JSON."""
    value = float(digits)
    return int(value) if value.is_integer() else value


# --- structs in words

def described(kind: type) -> str:
    """What a struct's docstring and its fields say."""
    hints, comments = get_type_hints(kind, include_extras=True), all_comments(kind)
    encoded = dict(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))  # type: ignore[attr-defined]
    rows = [(f"`{encoded[field]}`", words(hints[field]), cell(comments.get(field, ""))) for field in encoded]
    array = "On the wire an array, in this order.\n\n" if kind.__struct_config__.array_like else ""  # type: ignore[attr-defined]
    return "\n\n".join(paragraphs(kind.__doc__)) + "\n\n" + array + table(("field", "type", "meaning"), rows)


def words(hint: Any) -> str:
    """A type as a reader of JSON would name it."""
    if get_origin(hint) is Annotated:
        kind, *notes = get_args(hint)
        return words(kind) + (" †" if OPTIONAL in notes else "")
    if get_origin(hint) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(hint))
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(words(part) for part in get_args(hint))
    if get_origin(hint) in (list, tuple):
        return f"list of {words(get_args(hint)[0])}"
    if get_origin(hint) is dict:
        return "object"
    return WORDS.get(hint) or f"[{hint.__name__}](#{anchor(hint)})"


def anchor(kind: type) -> str:
    """Where a page describes a struct: under its name, or as a line of its own."""
    tag = get_type_hints(kind).get("schema")
    return f"lines-of-{get_args(tag)[0]}" if tag else kind.__name__.lower()


def structs_in(kind: type) -> list[type]:
    """The structs that a struct's fields hold, at any depth, each once."""
    found: list[type] = []
    for hint in get_type_hints(kind, include_extras=True).values():
        for part in leaves(hint):
            if isinstance(part, type) and issubclass(part, msgspec.Struct) and part not in found:
                found += [part, *(deeper for deeper in structs_in(part) if deeper not in found)]
    return list(dict.fromkeys(found))


def leaves(hint: Any) -> Iterator[Any]:
    """The types that a type is made of."""
    if get_origin(hint) in (None, Literal):
        yield hint
    for part in get_args(hint) if get_origin(hint) is not Literal else ():
        yield from leaves(part)


def all_comments(kind: type) -> dict[str, str]:
    """What the source says at each field of a struct, and of those it inherits from."""
    found: dict[str, str] = {}
    for parent in reversed(kind.__mro__):
        if parent.__module__.startswith("qmo_cli"):
            found |= field_comments(parent)
    return found


def field_comments(kind: type) -> dict[str, str]:
    """Field -> the comment on its line, read from the source, also where the module is compiled."""
    path = ROOT / (kind.__module__.replace(".", "/") + ".py")
    path = path if path.exists() else path.with_suffix("") / "__init__.py"
    source = path.read_text()
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    (body,) = [node.body for node in classes if node.name == kind.__name__]
    return {
        node.target.id: comments[node.end_lineno] for node in body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.end_lineno in comments
    }


# --- text

def paragraphs(text: str | None) -> list[str]:
    """The paragraphs of a docstring, its code marks those of Markdown."""
    clean = re.sub(r"\n *", "\n", text or "").strip().replace("``", "`")
    return [part.strip() for part in clean.split("\n\n")]


def cell(text: str) -> str:
    """Text that fits into a table."""
    return " ".join(text.replace("|", "\\|").replace("``", "`").split())


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def reasons_of(packets: Iterable[str]) -> dict[str, list[str]]:
    """Path -> the reasons that packets gave for it; those that differ by numbers only count once."""
    found: dict[str, dict[str, str]] = {}
    for line in packets:
        for path, reason in json.loads(line)["missing"].items():
            found.setdefault(path, {}).setdefault(re.sub(r"\d+", "0", reason), reason)
    return {path: list(reasons.values()) for path, reasons in found.items()}
