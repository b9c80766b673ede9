"""``qmo memory``: what a store of memory holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from ..errors import SourceUnavailable, UsageError
from .options import Moment, Stage
from .output import write_all

if TYPE_CHECKING:
    from ..engines.memory.record import Record
    from ..engines.memory.store import Store
    from ..engines.memory.views import Choice

VIEWS = ("zones", "retests", "icebergs", "export", "prune")
STATES = ("created", "defended", "broken", "flipped", "expired")
TIMES = ("first_seen", "last_seen", "ts_event", "ended")  # of a line, in ns
HIDDEN = {"schema", "series", "hold_at", "break_at", "hidden_filled", "peak_exact"}  # what a table leaves out

EPILOG = """\b
Examples:
  qmo run FILE --memory week.db > /dev/null
  qmo memory --memory week.db --price 2560:2575
  qmo memory retests --memory week.db --since -6h --format ndjson
  qmo memory icebergs --format csv > icebergs.csv
  qmo memory export | jq -c 'select(.kind == "outcome")'
  qmo memory prune --before -90d --dry-run
"""


class Prices(click.ParamType):  # type: ignore[type-arg]  # generic for type checkers only
    """LOW:HIGH, either of which may be left out."""

    name = "LOW:HIGH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        """Both prices; without limit where one is left out."""
        if isinstance(value, tuple):
            return value
        low, colon, high = str(value).partition(":")
        try:
            prices = float(low or "-inf"), float(high or "inf")
        except ValueError:
            prices = 1.0, 0.0
        if not colon or not prices[0] <= prices[1]:
            self.fail(f"{value!r}: write LOW:HIGH, such as 2560:2575", param, ctx)
        return prices


@click.command(cls=Stage, epilog=EPILOG)
@click.argument("view", type=click.Choice(VIEWS), default="zones", metavar=f"[{'|'.join(VIEWS)}]")
@click.option("--memory", "path", type=click.Path(), metavar="PATH",
              help="The file; without it $XDG_DATA_HOME/qmo/memory.db.")
@click.option("--symbol", multiple=True, metavar="SYMBOL", help="Only this raw symbol; may be given several times.")
@click.option("--price", type=Prices(), default=":", metavar="LOW:HIGH", help="Only zones that touch these prices.")
@click.option("--since", type=Moment(), help="Only zones seen, and events, from this time on.")
@click.option("--until", type=Moment(), help="As it was known at this time.")
@click.option("--state", multiple=True, type=click.Choice(STATES), help="Only zones in this state; may be repeated.")
@click.option("--format", "form", type=click.Choice(["table", "ndjson", "csv"]), default="table", show_default=True,
              help="A table for a person, lines of JSON, or comma-separated values. An export is always JSON.")
@click.option("--before", type=Moment(), help="prune: delete events before this time.")
@click.option("--dry-run", is_flag=True, help="prune: only say how many events it would delete.")
def memory(
    view: str, path: str | None, symbol: tuple[str, ...], price: tuple[float, float], since: int | None,
    until: int | None, state: tuple[str, ...], form: str, before: int | None, dry_run: bool,
) -> None:
    """Look into the memory of zones, retests and icebergs.

    zones lists the zones as of --until, from the highest price down, and how their retests ended beside what a random
    walk would have done; retests and icebergs list the events; export prints the log as it is stored; prune
    deletes old events, without asking. Other processes may be writing meanwhile.
    """
    from ..engines.memory.store import LARGEST, Store
    from ..engines.memory.views import Choice

    if (view == "prune") != (before is not None) or (dry_run and view != "prune"):
        raise UsageError("prune needs --before TIME; --before and --dry-run belong to prune alone")
    with closing(Store(place_of(path), write=view == "prune")) as store:
        choice = Choice(symbol, *price, since or 0, LARGEST if until is None else until, state)
        if before is not None:
            click.echo(pruned(store.prune(before, symbol, dry_run=dry_run), before, dry_run=dry_run))
        else:
            write_all(pieces(view, form, store, choice))


def place_of(path: str | None) -> str:
    """The file; it must be there. Raises SourceUnavailable."""
    import os

    from ..places import data_file

    place = path or str(data_file("memory.db"))
    if not os.path.exists(place):
        hint = "" if path else "; name a file that `qmo run --memory PATH` has written, with --memory PATH"
        raise SourceUnavailable(f"{place}: there is no such file{hint}")
    return place


def pruned(count: int, before: int, *, dry_run: bool) -> str:
    """What prune did, in words."""
    from ..times import iso

    events = "1 event" if count == 1 else f"{count} events"
    return f"{events} before {iso(before)} {'would be ' if dry_run else ''}deleted"


def pieces(view: str, form: str, store: Store, choice: Choice) -> Iterator[bytes]:
    """The view in the form that was asked for."""
    from ..engines.memory import views

    lines = views.lines_of(view, store, choice)
    if form == "ndjson" or view == "export":
        yield from lines
        return
    import json

    rows = [json.loads(line) for line in lines]
    yield (csv_text(rows) if form == "csv" else table_text(rows)).encode()
    if form == "table" and view == "zones":
        yield from (summary(symbol, record).encode() for symbol, record in views.records(store, choice))


def csv_text(rows: list[dict[str, Any]]) -> str:
    """Rows under the names of their fields, as they are on the wire."""
    import csv
    import io

    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, [name for name in rows[0] if name != "schema"], extrasaction="ignore",
                                lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()


def table_text(rows: list[dict[str, Any]]) -> str:
    """Rows as a person reads them: times to the second, ids short."""
    from .tables import table

    if not rows:
        return "nothing\n"
    names = [name for name in rows[0] if name not in HIDDEN]
    return table([[cell(name, row.get(name)) for name in names] for row in rows], names) + "\n"


def cell(name: str, value: Any) -> Any:
    """One value for the eye."""
    from ..times import iso

    if name in TIMES and value is not None:
        return iso(int(value) // 10**9 * 10**9)[:-1].replace("T", " ")
    if isinstance(value, bool):
        return "yes" if value else None
    return value[:8] if name in ("id", "zone") else value


def summary(symbol: str, record: Record) -> str:
    """What became of a contract's retests, beside what chance and pseudo-zones did."""
    if not record.decided:
        return f"\n{symbol}: no retest has been decided\n"
    held, walk = 100 * record.holds / record.decided, 100 * record.expected / record.decided
    text = (f"\n{symbol}: {record.holds} of {record.decided} retests held ({held:.1f} %); a random walk holds "
            f"{walk:.1f} % of these")
    if record.controls:
        text += f"; pseudo-zones held {record.control_holds} of {record.controls}"
    return text + "\n"
