"""``qmo watch``: the dashboard of a terminal."""

from __future__ import annotations

import os
import shutil
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stderr
from io import TextIOBase
from itertools import chain as chain_of
from typing import TYPE_CHECKING

import click

from ..cli import Terminated
from ..errors import QmoError, UsageError
from ..feeds.history.options import HistoryOptions
from ..feeds.live.options import LiveOptions
from ..feeds.quotes.options import PollOptions
from ..feeds.sim import SimOptions
from ..router import RouteOptions
from ..score import ScoreOptions
from ..signals.sizing import SignalOptions
from ..watch.options import HEIGHT, WIDTH, WatchOptions
from .options import Part, Stage, stage_options
from .origins import STOPPED
from .output import suit_memory_to_streams, write_all
from .run import live_frames
from .sources import FEED, HISTORICAL, LIVING, POLL, SIM, Asked, FeedOptions, read_blocks, source_argument
from .stages import ROUTE, SCORE, SIGNAL, Batches, calendar_option, memory_option, set_option, weight_option, weighted
from .whole import Chain, lasting, looked_into, paced, packets_of, stale_after

if TYPE_CHECKING:
    from ..watch.plain import Printer
    from ..watch.show import Show
    from ..watch.sight import Sight

WATCH = Part("watch", "watching", WatchOptions)
KEPT = 20           # messages that are shown once the screen is left
EPILOG = """\b
Examples:
  qmo watch sim
  qmo watch live --warmup 30d --record today.dbn
  qmo run live --full | tee day.ndjson | qmo watch -
  qmo watch http://127.0.0.1:8750
  ssh desk qmo run live --full | qmo watch - --step 15s
  qmo watch FILE --once | mail -s gold desk@example.org
"""


@click.command(cls=Stage, epilog=EPILOG)
@source_argument
@set_option
@memory_option
@calendar_option
@weight_option
@stage_options(WATCH, FEED, SIM, LIVING, HISTORICAL, POLL, ROUTE, SCORE, SIGNAL)
def watch(  # one parameter for each stage's options
    source: tuple[str, ...], parameters: tuple[str, ...], memory: str | None, calendar: str | None,
    weights: dict[str, float], watching: WatchOptions, feeding: FeedOptions, simulation: SimOptions,
    living: LiveOptions, historical: HistoryOptions, polling: PollOptions, routing: RouteOptions,
    scoring: ScoreOptions, signalling: SignalOptions,
) -> None:
    """Show on a terminal what qmo sees: price, candles and zones, pillars, the signal and why.

    SOURCE is what run takes, packets or signals of a file or a pipe (then keys are read from the terminal itself), or
    the address of a running qmo serve. Files and the simulator come at the pace of real time, unless --speed says
    otherwise (the simulator for a week, unless --minutes does). Keys: q quit, s length of a candle, tab next series,
    space hold still, ? help.

    Where the output is no terminal, and with --once, pictures are printed as text: one at the end of the input, and
    without --once one whenever the decision changes.
    """
    from ..watch.remote import is_url

    suit_memory_to_streams()
    if any(map(is_url, source)):
        follow(source, watching)
        return
    looked = looked_into("watch", source)
    batches = packets_of("watch", looked, signals=True)
    routing, living = live_frames(source, routing, living)
    if drawn(watching):
        feeding, routing = paced(source, feeding, routing)
        simulation = lasting(simulation)
    chain = Chain(parameters, routing, weighted(scoring, weights), signalling, memory=memory, calendar=calendar,
                  timing=batches is None)
    if batches is None:
        asked = Asked(feeding=feeding, simulation=simulation, historical=historical, living=living, polling=polling)
        batches = chain.batches(read_blocks("watch", source, asked, looked))
    with closing(chain):
        if drawn(watching):
            ready = begun(batches) if asks(source, living) else batches
            on_screen(ready, chain, watching, stale_after(source, polling))
        else:
            as_text(batches, watching)


def asks(source: tuple[str, ...], living: LiveOptions) -> bool:
    """Whether the person at the terminal may be asked about costs before anything comes."""
    return source[:1] == ("history",) or (source[:1] == ("live",) and living.warmup is not None)


def begun(batches: Batches) -> Batches:
    """The same batches, the first of which is there already: whatever is asked is asked before a screen is drawn."""
    first = next(batches, None)
    return chain_of([] if first is None else [first], batches)


def as_text(batches: Batches, watching: WatchOptions) -> None:
    """Print pictures."""
    from ..board import Board
    from ..watch.plain import of_packets
    from ..watch.sight import BoardSight

    board = Board()
    write_all(of_packets(printer(BoardSight(board, aged=False), watching), board, batches))


def on_screen(batches: Batches, chain: Chain, watching: WatchOptions, patience: float) -> None:
    """Draw until the person at the keyboard leaves. Raises what ended the feed."""
    from ..board import Board
    from ..board.filling import fill
    from ..watch.sight import BoardSight

    board = Board(stale_after=patience)
    trouble: QmoError | None = None
    with shown(BoardSight(board), watching) as show:
        board.heard = show.heard
        trouble = fill(board, batches, chain.spent if chain.watch.wanted else None, show.left.is_set)
        if not STOPPED.is_set():
            show.stay()
    if trouble is not None:
        raise trouble


def follow(source: tuple[str, ...], watching: WatchOptions) -> None:
    """Look at what a server shows."""
    from ..watch.plain import of_frames
    from ..watch.remote import Remote, address_of, find_token

    if len(source) > 1:
        raise UsageError("one server at a time; tab shows its other series")
    remote = Remote(address_of(source[0]), find_token(watching.token_file))
    if not drawn(watching):
        write_all(of_frames(printer(remote, watching), remote.follow(lambda: False)))
        return
    with shown(remote, watching) as show:
        remote.heard = show.heard
        for _ in remote.follow(show.left.is_set):
            pass


def drawn(watching: WatchOptions) -> bool:
    """Whether there is a screen that can be drawn on."""
    return not watching.once and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def printer(sight: Sight, watching: WatchOptions) -> Printer:
    """What prints pictures one after another."""
    from ..watch.look import look_of
    from ..watch.plain import Printer

    width, height = shutil.get_terminal_size((WIDTH, HEIGHT))
    look = look_of(os.environ, terminal=sys.stdout.isatty(), plain=watching.ascii)
    return Printer(sight, look, watching.width or width, watching.height or height, watching.seconds(),
                   watching.once, watching.every())


@contextmanager
def shown(sight: Sight, watching: WatchOptions) -> Iterator[Show]:
    """A screen, as long as somebody looks. Raises what went wrong with it."""
    from ..watch.glance import Glance
    from ..watch.look import look_of
    from ..watch.show import Killed, Show
    from ..watch.terminal import Terminal, open_keyboard, open_output

    keyboard = open_keyboard()
    look = look_of(os.environ, terminal=True, plain=watching.ascii)
    glance = Glance(sight, look, watching.seconds(), keyboard=keyboard is not None)
    show = Show(glance, Terminal(open_output(), keyboard, (watching.width, watching.height)))
    try:
        with held_back(), show:
            yield show
    except Terminated:
        if not show.quit and show.error is None:
            raise
    except Killed as error:
        error.repeat()
    if show.error is not None:
        raise show.error


@contextmanager
def held_back() -> Iterator[None]:
    """Keep what is said on stderr from the screen that is drawn on; the last of it is said afterwards."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    kept = Tail()
    try:
        with redirect_stderr(kept):
            yield
    finally:
        click.echo("".join(kept.pieces), nl=False, err=True)


class Tail(TextIOBase):
    """A stream that keeps the last of what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: deque[str] = deque(maxlen=KEPT)

    def write(self, text: str) -> int:
        """Keep a piece."""
        self.pieces.append(text)
        return len(text)
