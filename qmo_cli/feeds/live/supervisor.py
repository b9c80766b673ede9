"""The live stream for as long as it is wanted: connected, watched, resumed exactly, and every break of it told."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from json import dumps

from ...blocks import SECOND, Block
from ...errors import NotEntitled, SourceUnavailable
from ...market import stream
from ...records import System, to_dbn
from ...times import iso
from .cursor import Cursor
from .intake import Intake, Moves, Names, Said
from .marks import IDLE, Marks
from .options import BEST_FIRST, LiveOptions, Wanted, request
from .request import (
    BAD_KEY,
    BAD_SUBSCRIPTION,
    HEARTBEAT,
    NOT_LET_IN,
    TOO_MANY_CONNECTIONS,
    TOO_OLD,
    Lost,
    Refused,
    Request,
)
from .session import CONNECT_TIMEOUT, Session

logger = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 0.25, 60.0   # s between attempts to connect
SHARE = 0.25                    # of the outage so far, that the next attempt is waited for
LOUD = {"stale": logging.WARNING, "gap": logging.WARNING, "skipped": logging.WARNING, "error": logging.WARNING,
        "fallback": logging.WARNING, "reconnect": logging.WARNING, "roll": logging.WARNING}
PATIENCE = 15.0                 # s for which the first connection is tried for
WATCHDOG = 2.5 * HEARTBEAT      # s of silence after which a connection is taken for dead
HOLD = 0.1                      # s for which the rest of an event is waited for
FRESH = 2 * SECOND              # ns by which a record may be behind the wall clock and still be of now
DAY = 86_400 * SECOND
SETTLED = 60 * SECOND           # ns after midnight UTC, when the vendor's snapshot is over
NAME = "live"                   # of the source, in error messages
FINAL = BAD_KEY | {BAD_SUBSCRIPTION}  # trying again does not help
NOT_RESUMED = FINAL | {TOO_OLD}
MOST_WORDS = 200                # bytes of a reason in JSON: a system record has room for 302 in all


class _Resubscribe(Exception):
    """What continuous symbols stand for is asked anew. ``moved``: the contracts that series have left for others."""

    def __init__(self, moved: Moves = ()) -> None:
        super().__init__(moved)
        self.moved = moved


def short(words: str) -> str:
    """As much of a reason as a system record has room for.

    >>> len(short("a" * 300)), short("b" * 300)[-3:]
    (196, 'bb…')
    """
    while len(dumps(words, ensure_ascii=False).encode()) > MOST_WORDS:
        words = words[:-2] + "…"
    return words


@dataclass(slots=True)
class Live:
    """The supervisor. ``blocks`` gives the stream until ``stop`` is called; what was received is given first.

    ``cursor``, ``names`` and ``newest`` are those of a stream that is gone on with; ``start`` (ns) is where another
    one begins.
    """

    key: str
    wanted: Wanted
    options: LiveOptions
    start: int | None = None
    cursor: Cursor = field(default_factory=Cursor)
    names: Names = field(default_factory=dict)
    newest: int = 0             # ns, time of the newest record so far
    heartbeat: int = HEARTBEAT
    watchdog: float = WATCHDOG
    timeout: float = CONNECT_TIMEOUT  # s to connect, and again to be let in
    stopping: bool = False
    marks: Marks = field(init=False)
    schemas: tuple[str, ...] = field(init=False)
    _number: int = 1            # of the next record
    _failing: float | None = None  # monotonic s since when nothing is heard, however often it was tried
    _begun: bool = False        # whether anything came in this run
    _live: bool = False         # whether the stream was said to be live
    _broken: float | None = None  # monotonic s since when the stream is said to be stale
    _unplaced: bool = False     # whether some schema could not be asked for from where it was lost
    _day: int = 0               # UTC day in which the symbols were resolved

    def __post_init__(self) -> None:
        self.marks = Marks(self.options.grain(), self.newest)
        self.schemas = self.wanted.schemas or BEST_FIRST[:1]

    def stop(self) -> None:
        """End the stream once all that was received is given. Safe in the handler of a signal."""
        self.stopping = True

    def blocks(self) -> Iterator[Block]:
        """The stream. Raises NotEntitled where the vendor refuses, SourceUnavailable where none answers at first."""
        while not self.stopping:
            asked = self._request()
            session = Session(asked, self.key, self.timeout)
            try:
                session.open()
                yield from self._listen(session, asked)
            except Lost as lost:
                yield from self._lost(str(lost))
            except Refused as refused:
                yield from self._refused(refused)
            except _Resubscribe as anew:
                yield from self._resubscribe(anew.moved)
            finally:
                session.close()
        yield self._tell(Said("end", "stopped"))

    def _request(self) -> Request:
        subscriptions = self.wanted.subscriptions(self.schemas, self.cursor, self.start, self.marks.settled)
        return request(self.options, subscriptions, self.heartbeat)

    # --- one connection

    def _listen(self, session: Session, asked: Request) -> Iterator[Block]:
        """What a session brings, until the end is asked for. Raises what ends it earlier."""
        replays = sum(wanted.start is not None for wanted in asked.subscriptions)
        intake = Intake(self.cursor, self.names, replays, self.cursor.skipping(), self.marks.newest)
        self.marks.catching_up = replays > 0
        self._unplaced = self._broken is not None and replays < len(asked.subscriptions)
        oldest, held_since = intake.oldest, 0.0
        while not self.stopping:
            data = session.read(min(self.marks.wait(time.monotonic()), IDLE if oldest is None else HOLD))
            now = time.monotonic()
            if data:
                yield from self._take(intake, data, now)
            elif session.silence > self.watchdog:
                raise Lost(f"nothing came for {session.silence:.1f} s, not even a heartbeat")
            if intake.oldest is not oldest:
                oldest, held_since = intake.oldest, now
            elif oldest is not None and now - held_since > HOLD:
                yield from self._give(intake.ready(all_of_it=True))
            yield from self._mark(intake, now)
            self._look_at_the_day(now)
        yield from self._take(intake, session.read(0), time.monotonic())
        yield from self._give(intake.ready(all_of_it=True))

    def _take(self, intake: Intake, data: bytes, now: float) -> Iterator[Block]:
        """What a read brought, and what it means for the time and the state of the stream."""
        try:
            for said in intake.take(data):
                yield from self._give(intake.ready())
                yield self._tell(said)
        except (Lost, Refused) as error:  # what came before it is whole
            over = isinstance(error, Refused) and error.code in NOT_RESUMED
            self.marks.record(intake.reached, now)
            yield from self._give(intake.ready(all_of_it=over))
            raise
        if intake.moved:
            raise _Resubscribe(tuple(intake.moved))
        self._begun = True
        if intake.fresh:
            self.marks.record(intake.reached, now)
        if not self.marks.catching_up and (intake.records or intake.heard):
            yield from self._caught_up()
        ready = intake.ready()
        if ready or intake.heard:
            self._failing = None
        yield from self._give(ready)
        if self.marks.catching_up and (intake.caught_up or abs(time.time_ns() - intake.reached) < FRESH):
            self.marks.catching_up = False
            yield from self._caught_up()
        yield from map(self._tell, intake.left_out())
        if intake.heard and not self.marks.catching_up:
            self.marks.heard(now, intake.beaten)

    def _give(self, data: bytes) -> Iterator[Block]:
        if data:
            yield self._block(data)

    def _mark(self, intake: Intake, now: float) -> Iterator[Block]:
        """A clock mark, where one is due. What comes more than a second behind it is too late."""
        mark = self.marks.due(now)
        if mark is not None:
            intake.newest = max(intake.newest, mark)
            yield self._block(to_dbn(System(ts_event=str(mark), kind="clock")))

    def _caught_up(self) -> Iterator[Block]:
        """From here on records come as they happen: said at first, and after each break."""
        if not self._live:
            self._live = True
            what = f"{', '.join(self.wanted.symbols)}: {', '.join(self.schemas)} of {self.options.dataset}"
            yield self._tell(Said("live", what))
        if self._broken is not None:
            words = f"connected again after {time.monotonic() - self._broken:.1f} s"
            self._broken = None
            if self._unplaced:
                yield self._tell(Said("gap", f"{words}; of a schema that had given nothing yet, records may be lost"))
            else:
                yield self._tell(Said("reconnect", f"{words}, nothing is lost", 0))

    # --- when it breaks

    def _lost(self, why: str, shortest: float = 0.0) -> Iterator[Block]:
        """Say that nothing is heard any more, and wait, ``shortest`` s at the least. Raises SourceUnavailable."""
        if self._broken is None and self._live:
            self._broken = time.monotonic()
            yield self._tell(Said("stale", why))
        outage = self._fail()
        if not self._begun and not shortest and outage > PATIENCE:
            raise SourceUnavailable(f"live: {why}; given up after {outage:.0f} s")
        self._back_off(why, shortest)

    def _fail(self) -> float:
        """Seconds since the first of the failures that this one belongs to."""
        now = time.monotonic()
        self._failing = now if self._failing is None else self._failing
        return now - self._failing

    def _back_off(self, why: str, shortest: float = 0.0) -> None:
        """Wait for the next attempt: the longer, the longer the outage is."""
        delay = min(LONGEST_WAIT, max(FIRST_WAIT, shortest, self._fail() * SHARE))
        jitter = random.uniform(0.5, 1)  # noqa: S311 - so that not everybody comes back at the same instant
        self._pause(delay * jitter, why)

    def _pause(self, delay: float, why: str) -> None:
        logger.warning("live: %s; trying again in %.1f s", why, delay)
        until = time.monotonic() + delay
        while not self.stopping and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))

    def _refused(self, refused: Refused) -> Iterator[Block]:
        """Ask for less where that may help, wait where it may pass. Raises NotEntitled where nothing helps."""
        choice = not self.wanted.schemas and refused.code != NOT_LET_IN
        poorer = BEST_FIRST[BEST_FIRST.index(self.schemas[0]) + 1:] if choice else ()
        if refused.code == TOO_OLD and (self.cursor.positions or self.start is not None):
            yield from self._gap(f"the vendor no longer has them ({refused})")
        elif refused.code in FINAL and poorer and not self._live:
            yield self._tell(Said("fallback", f"{self.schemas[0]} is refused ({refused}), {poorer[0]} is asked for"))
            self.schemas = poorer[:1]
        elif refused.code in FINAL and not (refused.code == NOT_LET_IN and self._begun):  # the key did let us in
            raise NotEntitled(f"live: the vendor refuses: {refused}")
        else:
            yield from self._lost(str(refused), LONGEST_WAIT if refused.code == TOO_MANY_CONNECTIONS else 0.0)

    def _gap(self, why: str) -> Iterator[Block]:
        """Begin anew, with a snapshot: what came since the last record is lost, and that is said."""
        since = max(self.cursor.positions.values(), default=self.marks.newest or self.start or 0)
        self.cursor.clear()
        self.start = self._broken = None
        yield self._tell(Said("gap", f"records since {iso(since)} are lost: {why}"))

    # --- rolls

    def _look_at_the_day(self, now: float) -> None:
        """Once a UTC day is over it is asked anew what continuous symbols stand for, as Historical does."""
        if not self.wanted.rolls or not self.marks.base or self.marks.catching_up:
            return
        day = (max(self.marks.estimate(now), self.marks.base) - SETTLED) // DAY
        before, self._day = self._day, day
        if before and day > before:
            raise _Resubscribe

    def _resubscribe(self, moved: Moves) -> Iterator[Block]:
        """Go on as before; or, where a series has left its contract, with a snapshot of the other one."""
        logger.info("live: symbols are asked for anew")
        for series, old, new in moved:
            self.cursor.clear()
            self.start = None
            self.names.pop(old, None)
            yield self._tell(Said("roll", f"{series} leaves instrument {old} for {new}"))
        if moved and self._fail() > 0:
            self._back_off("symbols change their meaning with each connection")
        if moved and self.names:
            yield self._tell(Said("gap", "all begin anew where one rolls: records of the others may be lost"))

    # --- what goes out

    def _tell(self, said: Said) -> Block:
        """A system record, and a line in the log."""
        logger.log(LOUD.get(said.kind, logging.INFO), "live: %s: %s", said.kind, said.detail)
        ts = str(self.marks.newest) if self.marks.newest else None
        record = System(ts_event=ts, kind=said.kind, detail=short(said.detail), count=said.count)
        return self._block(to_dbn(record))

    def _block(self, data: bytes) -> Block:
        block = Block(data, NAME, self._number, schema="tbbo" if "tbbo" in self.schemas else None)
        self._number += stream.count(data, 0, len(data))
        return block
