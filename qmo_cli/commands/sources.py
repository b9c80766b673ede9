"""What a command asks its sources for, and the way of records from the source that is named to the command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from ..blocks import Block
from ..errors import UsageError
from ..feeds.history.options import HistoryOptions
from ..feeds.live.options import LiveOptions
from ..feeds.quotes.options import PollOptions
from ..feeds.sim import SimOptions
from .options import Part, StageOption

if TYPE_CHECKING:
    from ..feeds.inputs import Source

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
    "serve": "name a SOURCE, such as a file, or try: qmo serve sim",
    "watch": "name a SOURCE, such as a file, or try: qmo watch sim",
    "explain": "name a SOURCE, such as a file, or try: qmo explain sim --minutes 30",
    "alert": "try: qmo run live | qmo alert --notify",
    "paper": "try: qmo run FILE --full | qmo paper",
    "risk": "name a FILE, or try: qmo run FILE --merge account.ndjson --full | qmo risk",
    "evaluate": "name a FILE of bars, such as gold-daily.csv",
    "plot": "name a SOURCE, such as a file, or try: qmo plot sim --out chart.png",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedOptions:
    """Which records, and how fast."""

    schema: tuple[str, ...] = field(default=(), metadata={
        "help": "Only records of this schema; may be given several times. Else mbo of history, the best of live.",
        "metavar": "SCHEMA"})
    symbol: tuple[str, ...] = field(default=(), metadata={
        "help": "Only this series or raw symbol; may be given several times. Of live and history GC.v.0 unless given.",
        "metavar": "SYMBOL"})
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
HISTORICAL = Part("feed", "historical", HistoryOptions, title="Options of history")
LIVING = Part("feed", "living", LiveOptions, title="Options of the live stream")
POLL = Part("feed", "polling", PollOptions, title="Options of quotes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of all sources. None: the command does not offer that source."""

    feeding: FeedOptions = field(default_factory=FeedOptions)
    simulation: SimOptions = field(default_factory=SimOptions)
    historical: HistoryOptions | None = None
    living: LiveOptions | None = None
    polling: PollOptions | None = None


merge_option = click.option(
    "--merge", cls=StageOption, stage="feed", multiple=True, type=click.Path(), metavar="FILE", help=MERGE,
)
source_argument: Callable[[Any], Any] = click.argument(
    "source", nargs=-1, type=click.Path(), metavar="[SOURCE]...",
)


def read_blocks(
    command: str, source: tuple[str, ...], asked: Asked, stdin: Source | None = None,
) -> Iterator[Block]:
    """The records that a command was asked for. ``stdin`` is standard input where it was looked at before."""
    from ..feeds.merge import merge
    from ..feeds.pace import pace
    from .origins import open_origin

    feeding, names = asked.feeding, source or (STDIN,)
    if STDIN in names:
        refuse_terminal(command)
    opened = open_origin(command, names, asked, stdin)
    blocks = opened.blocks
    if opened.derive is not None:
        from ..feeds.derive import derive

        blocks = derive(blocks, opened.derive)
    paced = pace(opened.rest.apply(blocks), feeding.speed)
    if opened.merged:
        return paced
    return merge(paced, feeding.merge, follow=feeding.follow, skip_bad=feeding.skip_bad)


def refuse_terminal(command: str) -> None:
    """Give a hint, instead of waiting for what nobody types. Raises UsageError when stdin is a terminal."""
    if sys.stdin is not None and sys.stdin.isatty():
        raise UsageError(f"standard input is a terminal, and there is nothing to read; {HINTS[command]}")
