"""Where a command's records come from: files, patterns, standard input or the simulator, as its options say."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from ..blocks import UNDEF_TIME, Block
from ..errors import UsageError
from ..feeds.live.options import SERIES, LiveOptions, Wanted
from ..feeds.quotes.options import PollOptions
from ..feeds.sim import SimOptions
from .options import Part, StageOption

if TYPE_CHECKING:
    from ..feeds.inputs import Source

SIMULATOR = "sim"
LIVE = "live"
NEWS = "news"
YAHOO = "yahoo"
QUOTES = "quotes"
STDIN = "-"
MERGE = ("Put the records of this file (lines of news, fill, account, kill, quote or system) into the stream, each at "
         "its time; may be given several times.")
HINTS = {
    "feed": "name a SOURCE, such as a file, or try: qmo feed sim | head -3",
    "route": "try: qmo feed FILE | qmo route",
    "engine": "try: qmo feed FILE | qmo engine all",
    "score": "try: qmo feed FILE | qmo engine all | qmo score",
    "signal": "try: qmo feed FILE | qmo engine all | qmo score | qmo signal",
    "run": "name a SOURCE, such as a file, or try: qmo run sim",
    "explain": "name a SOURCE, such as a file, or try: qmo explain sim --minutes 30",
    "paper": "try: qmo run FILE --full | qmo paper",
    "risk": "name a FILE, or try: qmo run FILE --merge account.ndjson --full | qmo risk",
    "evaluate": "name a FILE of bars, such as gold-daily.csv",
    "plot": "name a SOURCE, such as a file, or try: qmo plot sim --out chart.png",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedOptions:
    """Which records, and how fast."""

    schema: tuple[str, ...] = field(default=(), metadata={
        "help": "Only records of this schema; may be given several times.", "metavar": "SCHEMA"})
    symbol: tuple[str, ...] = field(default=(), metadata={
        "help": "Only this series or raw symbol; may be given several times.", "metavar": "SYMBOL"})
    start: int | None = field(default=None, metadata={"help": "Drop records before this time."})
    end: int | None = field(default=None, metadata={"help": "Drop records at or after this time."})
    derive: str | None = field(default=None, metadata={
        "help": "Make records of this poorer schema out of mbo.", "metavar": "SCHEMA"})
    merge: tuple[str, ...] = field(default=(), metadata={"help": MERGE, "metavar": "FILE"})
    limit: int | None = field(default=None, metadata={"help": "Stop after so many records.", "metavar": "N"})
    speed: float = field(default=0.0, metadata={
        "help": "Pace of event time: 1 is real time, 0 as fast as possible.", "metavar": "FACTOR"})
    follow: bool = field(default=False, metadata={
        "help": "At the end of the last file, and of merged ones, wait for more to be written."})
    skip_bad: bool = field(default=False, metadata={
        "help": "Go on after damaged records or lines; count them, and say so in the stream."})

    def __post_init__(self) -> None:
        if not self.speed >= 0:
            raise UsageError(f"--speed {self.speed:g}: the pace must be 0 or more")
        if self.limit is not None and self.limit < 0:
            raise UsageError(f"--limit {self.limit}: the number of records must be 0 or more")


FEED = Part("feed", "feeding", FeedOptions, times=frozenset({"start", "end"}))
SIM = Part("feed", "simulation", SimOptions, names={"start": "sim_start"}, times=frozenset({"start"}),
           title="Options of the simulator")
LIVING = Part("feed", "living", LiveOptions, title="Options of the live stream")
POLL = Part("feed", "polling", PollOptions, title="Options of quotes")
merge_option = click.option(
    "--merge", cls=StageOption, stage="feed", multiple=True, type=click.Path(), metavar="FILE", help=MERGE,
)
source_argument: Callable[[Any], Any] = click.argument(
    "source", nargs=-1, type=click.Path(), metavar="[SOURCE]...",
)


def read_blocks(
    command: str, source: tuple[str, ...], feeding: FeedOptions, simulation: SimOptions, stdin: Source | None = None,
    living: LiveOptions | None = None, polling: PollOptions | None = None,
) -> Iterator[Block]:
    """The records that a command was asked for. ``stdin`` is standard input where it was looked at before.

    ``living`` is given by commands that can follow the live stream, ``polling`` by those that can fetch prices.
    """
    from ..feeds.merge import merge
    from ..feeds.pace import pace
    from ..feeds.select import Selection

    names = source or (STDIN,)
    if names[0] == NEWS and command != "feed":
        raise UsageError("headlines are no market; qmo feed news > FILE keeps them, and a file of that name is ./news")
    if STDIN in names:
        refuse_terminal(command)
    timed = names[0] != YAHOO  # whose bars are chosen by their opens
    selection = Selection(
        schemas=frozenset(feeding.schema), symbols=frozenset(feeding.symbol), start=feeding.start or 0 if timed else 0,
        end=feeding.end if timed and feeding.end is not None else UNDEF_TIME,
        limit=None if names[0] == QUOTES else feeding.limit,  # of quotes, prices alone count
    )
    live = names == (LIVE,)
    blocks = live_stream(command, feeding, living) if live else opened(names, feeding, simulation, stdin, polling)
    if wanted := derived_schema(names, feeding):
        from ..feeds.derive import derive

        blocks = derive(blocks, wanted)
    paced = pace(selection.apply(blocks), feeding.speed)
    return paced if live else merge(paced, feeding.merge, follow=feeding.follow, skip_bad=feeding.skip_bad)


def derived_schema(names: tuple[str, ...], feeding: FeedOptions) -> str | None:
    """The schema that is to be made out of mbo, if any: the simulator derives what ``--schema`` asks it for.

    Raises UsageError where it is not one.
    """
    from ..feeds.derive import DERIVED, deriver

    if feeding.derive is not None:
        deriver(feeding.derive)
        return feeding.derive
    asked = [name for name in feeding.schema if name in DERIVED] if names == (SIMULATOR,) else []
    if asked and len(set(feeding.schema)) > 1:
        raise UsageError("--schema: the simulator gives one schema at a time")
    return asked[0] if asked else None


def opened(
    names: tuple[str, ...], feeding: FeedOptions, simulation: SimOptions, stdin: Source | None = None,
    polling: PollOptions | None = None,
) -> Iterator[Block]:
    """All the records of the sources, with a bar on a terminal that shows how far they are."""
    if names == (SIMULATOR,):
        return simulated(simulation)
    if names[0] == NEWS:
        return fetched_news(names[1:], feeding)
    if names[0] == YAHOO:
        return fetched_bars(names[1:], feeding)
    if names[0] == QUOTES:
        return fetched_prices(names[1:], feeding, polling or PollOptions())
    if SIMULATOR in names:
        raise UsageError("sim cannot be combined with other sources; a file of that name is ./sim")
    if STDIN not in names and not feeding.follow and bar_wanted():
        return files_with_bar(names, feeding.skip_bad)
    from ..feeds.files import open_source

    return open_source(names, skip_bad=feeding.skip_bad, follow=feeding.follow, stdin=stdin)


def simulated(simulation: SimOptions) -> Iterator[Block]:
    """The simulator's records."""
    from ..feeds.sim import simulate

    blocks = simulate(simulation)
    if simulation.records is None or not bar_wanted():
        return blocks
    return with_bar(((block, len(block.data) // 56) for block in blocks), simulation.records)


def live_stream(command: str, feeding: FeedOptions, living: LiveOptions | None) -> Iterator[Block]:
    """The live stream, with what is merged into it; SIGTERM ends it once all that was received is given."""
    from ..feeds.keys import api_key
    from ..feeds.live.source import Sources, live

    if living is None:
        raise UsageError(f"qmo {command} does not follow the live stream; try: qmo feed live | qmo {command}")
    wanted = Wanted(schemas=tuple(dict.fromkeys(feeding.schema)), symbols=feeding.symbol or (SERIES,))
    sources = Sources(feeding.merge, feeding.skip_bad)
    return live(api_key(), wanted, living, sources, time.time_ns(), feeding.start, stop_on_sigterm)


def stop_on_sigterm(stop: Callable[[], None]) -> None:
    """Let SIGTERM end a stream in good order; a second one ends the process as it ends others."""
    usual = signal.getsignal(signal.SIGTERM)

    def handler(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, usual)
        stop()

    signal.signal(signal.SIGTERM, handler)


def fetched_news(symbols: tuple[str, ...], feeding: FeedOptions) -> Iterator[Block]:
    """Headlines of today about the symbols, gold futures without any."""
    from ..feeds.yahoo import SYMBOLS
    from ..feeds.yahoo.news import headlines

    if feeding.follow or feeding.derive:
        raise UsageError("news is fetched once and holds no market: --follow and --derive do not go with it")
    end = UNDEF_TIME if feeding.end is None else feeding.end
    return headlines(symbols or SYMBOLS, start=feeding.start or 0, end=end, limit=feeding.limit)


def fetched_bars(others: tuple[str, ...], feeding: FeedOptions) -> Iterator[Block]:
    """Yahoo's bars of the symbols asked for, gold futures without any."""
    from ..feeds.yahoo import SYMBOLS
    from ..feeds.yahoo.bars import DAYS, KINDS, bars

    if others:
        raise UsageError("yahoo cannot be combined with other sources (a file of that name is ./yahoo); "
                         "its symbols are named by --symbol")
    if feeding.follow or feeding.derive:
        raise UsageError("the bars of yahoo are fetched once: --follow and --derive do not go with it")
    schema = feeding.schema or (DAYS,)
    if len(set(schema)) > 1 or schema[0] not in KINDS:
        raise UsageError(f"--schema: yahoo gives one of {', '.join(KINDS)} at a time")
    return bars(feeding.symbol or SYMBOLS, schema[0], feeding.start, feeding.end, now=time.time_ns())


def fetched_prices(symbols: tuple[str, ...], feeding: FeedOptions, polling: PollOptions) -> Iterator[Block]:
    """Prices of the symbols, as often as they are polled; SIGTERM ends them once the last one is given."""
    from threading import Event

    from ..feeds.quotes.feed import Clock, quotes

    if feeding.follow or feeding.derive:
        raise UsageError("quotes go on by themselves and hold no orders: --follow and --derive do not go with them")
    stopped = Event()
    stop_on_sigterm(stopped.set)
    clock = Clock(sleep=stopped.wait, stopped=stopped.is_set)
    return quotes(symbols or feeding.symbol, polling, limit=feeding.limit, clock=clock)


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
    return sys.stderr.isatty() and not sys.stdout.isatty()


def refuse_terminal(command: str) -> None:
    """Give a hint, instead of waiting for what nobody types. Raises UsageError when stdin is a terminal."""
    if sys.stdin is not None and sys.stdin.isatty():
        raise UsageError(f"standard input is a terminal, and there is nothing to read; {HINTS[command]}")
