"""Where records come from: the sources that have a name, and files."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

import click

from ..blocks import UNDEF_TIME, Block
from ..errors import UsageError
from ..feeds.select import Selection
from .logs import form_of
from .sources import STDIN, Asked

if TYPE_CHECKING:
    from ..feeds.inputs import Source
    from .sources import FeedOptions

SIMULATOR = "sim"
STOPPED = Event()   # set when SIGTERM has ended a stream in good order


class Opened(NamedTuple):
    """The records of a source, and what is still to be done with them."""

    blocks: Iterator[Block]
    rest: Selection             # of them, what to keep
    derive: str | None = None   # the schema to make of their mbo
    merged: bool = False        # whether the files of --merge are in them


@dataclass(frozen=True, slots=True)
class Call:
    """What a source is opened for: the command, the names behind the source's own, and the options."""

    command: str
    others: tuple[str, ...]
    asked: Asked

    @property
    def feeding(self) -> FeedOptions:
        """The options of every source."""
        return self.asked.feeding

    def alone(self, name: str) -> None:
        """Raise UsageError where other sources are named too."""
        if self.others:
            raise combined(name)

    def refuse(self, why: str, *options: str) -> None:
        """Raise UsageError where one of these options was given, which make no sense for the source."""
        wrong = [f"--{name.replace('_', '-')}" for name in options if getattr(self.feeding, name)]
        if wrong:
            raise UsageError(f"{why}: {' and '.join(wrong)} does not go with it")

    def selection(self, *, schemas: bool = True, symbols: bool = True, times: bool = True) -> Selection:
        """What to keep of the records; False where the source was asked for nothing else."""
        feeding = self.feeding
        return Selection(
            schemas=frozenset(feeding.schema if schemas else ()),
            symbols=frozenset(feeding.symbol if symbols else ()), start=feeding.start or 0 if times else 0,
            end=feeding.end if times and feeding.end is not None else UNDEF_TIME, limit=feeding.limit,
        )


def open_origin(command: str, names: tuple[str, ...], asked: Asked, stdin: Source | None) -> Opened:
    """The records of the sources of these names. ``stdin`` is standard input where it was looked at before."""
    call = Call(command, names[1:], asked)
    if names[0] in ORIGINS:
        return ORIGINS[names[0]](call)
    for name in ORIGINS:
        if name in names:
            raise combined(name)
    return Opened(files(names, asked.feeding, stdin), call.selection(), derived(asked.feeding))


def combined(name: str) -> UsageError:
    """What to say where a source that has a name stands beside others."""
    return UsageError(f"{name} cannot be combined with other sources; a file of that name is ./{name}")


def derived(feeding: FeedOptions) -> str | None:
    """The schema that is to be made of mbo, as --derive says. Raises UsageError where it cannot be."""
    from ..feeds.derive import deriver

    if feeding.derive is not None:
        deriver(feeding.derive)
    return feeding.derive


def files(names: tuple[str, ...], feeding: FeedOptions, stdin: Source | None) -> Iterator[Block]:
    """All the records of files, with a bar on a terminal that shows how far they are."""
    if STDIN not in names and not feeding.follow and bar_wanted():
        return files_with_bar(names, feeding.skip_bad)
    from ..feeds.files import open_source

    return open_source(names, skip_bad=feeding.skip_bad, follow=feeding.follow, stdin=stdin)


def simulator(call: Call) -> Opened:
    """The simulator, which derives what --schema asks it for."""
    from ..feeds.derive import DERIVED
    from ..feeds.sim import simulate

    call.alone(SIMULATOR)
    simulation, schemas = call.asked.simulation, call.feeding.schema
    wanted = derived(call.feeding) or next((name for name in schemas if name in DERIVED), None)
    if call.feeding.derive is None and wanted and len(set(schemas)) > 1:
        raise UsageError("--schema: the simulator gives one schema at a time")
    blocks = simulate(simulation)
    if simulation.records is not None and bar_wanted():
        blocks = with_bar(((block, len(block.data) // 56) for block in blocks), simulation.records)
    return Opened(blocks, call.selection(), wanted)


def live(call: Call) -> Opened:
    """The live stream, with what is merged into it; SIGTERM ends it once all that was received is given."""
    from ..feeds.capture import dated
    from ..feeds.keys import api_key
    from ..feeds.live import source
    from ..feeds.live.options import Wanted
    from ..feeds.live.request import SERIES

    call.alone("live")
    feeding, living = call.feeding, call.asked.living
    if living is None:
        raise UsageError(f"{call.command} does not follow the live stream; try: qmo feed live | qmo {call.command}")
    wanted = Wanted(schemas=tuple(dict.fromkeys(feeding.schema)), symbols=feeding.symbol or (SERIES,))
    sources = source.Sources(feeding.merge, feeding.skip_bad, ahead(call, wanted.symbols))
    now = time.time_ns()
    if living.record is not None:
        living = replace(living, record=dated(living.record, now))
    blocks = source.live(api_key(), wanted, living, sources, now, feeding.start, stop_on_sigterm)
    return Opened(blocks, call.selection(schemas=False, symbols=False, times=False), derived(feeding), merged=True)


def ahead(call: Call, symbols: tuple[str, ...]) -> Callable[[int, int], Iterator[Block]] | None:
    """How to get the bars of a warm-up from the vendor's history; a gateway that stands in for it has none."""
    from ..feeds.history.options import HistoryOptions, server

    living = call.asked.living
    if living is None or living.warmup is None or (living.gateway is not None and server() is None):
        return None
    historical = call.asked.historical or HistoryOptions()

    def get(start: int, end: int) -> Iterator[Block]:
        from ..feeds.history.source import history

        return history(
            historical, schemas=("ohlcv-1m",), symbols=symbols, start=start, end=end, ask=person_asked())

    return get


def historic(call: Call) -> Opened:
    """The vendor's history, once the cost of what is not in the cache is agreed to."""
    from ..feeds.history.options import SCHEMA, SYMBOL, HistoryOptions
    from ..feeds.history.source import history

    call.alone("history")
    call.refuse("history ends", "follow")
    feeding = call.feeding
    blocks = history(
        call.asked.historical or HistoryOptions(), schemas=feeding.schema or (SCHEMA,),
        symbols=feeding.symbol or (SYMBOL,), start=feeding.start, end=feeding.end, ask=person_asked(),
        tell=show_downloads if bar_wanted() else None, skip_bad=feeding.skip_bad,
    )
    return Opened(blocks, call.selection(schemas=False, symbols=False, times=False), derived(feeding))


def yahoo(call: Call) -> Opened:
    """Yahoo's bars of the symbols asked for, gold futures without any; they are chosen by their opens."""
    from ..feeds.yahoo import SYMBOLS
    from ..feeds.yahoo.bars import DAYS, KINDS, bars

    if call.others:
        raise UsageError("yahoo cannot be combined with other sources (a file of that name is ./yahoo); "
                         "its symbols are named by --symbol")
    call.refuse("the bars of yahoo are fetched once", "follow", "derive")
    feeding = call.feeding
    schema = feeding.schema or (DAYS,)
    if len(set(schema)) > 1 or schema[0] not in KINDS:
        raise UsageError(f"--schema: yahoo gives one of {', '.join(KINDS)} at a time")
    blocks = bars(feeding.symbol or SYMBOLS, schema[0], feeding.start, feeding.end, now=time.time_ns())
    return Opened(blocks, call.selection(times=False))


def quotes(call: Call) -> Opened:
    """Prices of the symbols, as often as they are polled; SIGTERM ends them once the last one is given."""
    from ..feeds.quotes import feed
    from ..feeds.quotes.options import PollOptions

    call.refuse("quotes go on by themselves and hold no orders", "follow", "derive")
    feeding, stopped = call.feeding, Event()
    stop_on_sigterm(stopped.set)
    clock = feed.Clock(sleep=stopped.wait, stopped=stopped.is_set)
    polling = call.asked.polling or PollOptions()
    blocks = feed.quotes(call.others or feeding.symbol, polling, limit=feeding.limit, clock=clock)
    return Opened(blocks, replace(call.selection(), limit=None))  # which counts prices alone


def news(call: Call) -> Opened:
    """Headlines of today about the symbols, gold futures without any."""
    from ..feeds.yahoo import SYMBOLS
    from ..feeds.yahoo.news import headlines

    if call.command != "feed":
        raise UsageError("headlines are no market; qmo feed news > FILE keeps them, and a file of that name is ./news")
    call.refuse("news is fetched once and holds no market", "follow", "derive")
    feeding = call.feeding
    end = UNDEF_TIME if feeding.end is None else feeding.end
    blocks = headlines(call.others or SYMBOLS, start=feeding.start or 0, end=end, limit=feeding.limit)
    return Opened(blocks, call.selection())


ORIGINS: dict[str, Callable[[Call], Opened]] = {
    SIMULATOR: simulator, "live": live, "history": historic, "yahoo": yahoo, "quotes": quotes, "news": news,
}


def stop_on_sigterm(stop: Callable[[], None]) -> None:
    """Let SIGTERM end a stream in good order; a second one ends the process as it ends others."""
    usual = signal.getsignal(signal.SIGTERM)

    def handler(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, usual)
        STOPPED.set()
        stop()

    signal.signal(signal.SIGTERM, handler)


def show_downloads(done: int, number: int) -> None:
    """Say on the terminal how far the downloads are."""
    click.echo(f"\rqmo: {done} of {number} downloads", nl=done == number, err=True)


def person_asked() -> Callable[[str], bool] | None:
    """How to ask the person at the terminal; None where nobody sits there."""
    if sys.stdin is None or sys.stderr is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    return lambda question: click.confirm(question, err=True)


def files_with_bar(names: tuple[str, ...], skip_bad: bool) -> Iterator[Block]:
    """The records of files, with a bar of the bytes read."""
    from ..feeds.files import expand

    paths = expand(names)
    return with_bar(read_and_measure(paths, skip_bad), sum(os.path.getsize(path) for path in paths))


def read_and_measure(paths: list[str], skip_bad: bool) -> Iterator[tuple[Block, int]]:
    """Blocks, each with the bytes of files read since the one before."""
    from ..feeds.files import read_source
    from ..feeds.inputs import open_file

    for path in paths:
        source, before = open_file(path, follow=False), 0
        for block in read_source(source, skip_bad=skip_bad):
            reached = before if source.ended else os.lseek(source.fd, 0, os.SEEK_CUR)
            yield block, reached - before
            before = reached


def with_bar(measured: Iterable[tuple[Block, int]], total: int) -> Iterator[Block]:
    """The blocks, with a bar on stderr that grows by what was measured."""
    with click.progressbar(length=total, label="qmo", file=sys.stderr) as bar:
        for block, step in measured:
            bar.update(step)
            yield block


def bar_wanted() -> bool:
    """Whether a person looks at stderr, and the records do not run over the same screen."""
    if sys.stderr is None or form_of(click.get_current_context(silent=True)) == "json":
        return False
    return sys.stderr.isatty() and not sys.stdout.isatty()
