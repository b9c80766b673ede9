"""The live source as a whole: what is in the capture, history, then the stream, with facts merged in and recorded."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain

from ...blocks import SECOND, Block
from ...errors import NotEntitled, SourceUnavailable, UsageError
from ...records import System, to_dbn
from ...records.own import Kind
from ...sessions import CHICAGO, OPENS
from ...times import duration
from ..capture import Capture, without
from ..merge import merge
from .options import LiveOptions, Wanted
from .past import Past
from .supervisor import DAY, NAME, Live, short

logger = logging.getLogger(__name__)

OF_THAT_TIME = frozenset({"warmup", "live", "stale", "reconnect", "end"})  # said of a stream that is over
BEFORE_SNAPSHOT = 60 * SECOND   # ns, so that a replay has begun when the day's snapshot comes

History = Callable[[int, int], Iterator[Block]]  # from a time to another, ns
Stopper = Callable[[Callable[[], None]], object]


@dataclass(frozen=True, slots=True)
class Sources:
    """What goes into the live stream besides it: files of facts, and history ahead of it."""

    files: Sequence[str] = ()
    skip_bad: bool = False
    history: History | None = None


def live(
    key: str, wanted: Wanted, options: LiveOptions, sources: Sources, now: int, start: int | None, stopper: Stopper,
) -> Iterator[Block]:
    """The live stream, until what ``stopper`` is given is called.

    ``now`` is the time, and ``start`` where the stream begins if not now, in ns.
    Raises NotEntitled, SourceUnavailable, and whatever the capture and the files raise.
    """
    capture = None if options.record is None else Capture(options.record)
    past = Past()
    if capture is not None and not capture.empty:
        yield _warmup(f"what {options.record} holds")
        yield from past.watch(without(capture.blocks(), OF_THAT_TIME))
    begin = start if options.warmup is None else day_start(now)
    supervisor = Live(key, wanted, options, begin, past.cursor, past.names, past.newest)
    stopper(supervisor.stop)
    ahead: Iterable[Block] = ()
    if options.warmup is not None and not past.records:
        ahead = _history(sources, days_before(now, options.warmup), day_start(now))
    known = None if capture is None else capture.facts
    merged = merge(
        chain(ahead, supervisor.blocks()), sources.files, follow=True, skip_bad=sources.skip_bad, known=known)
    try:
        yield from merged if capture is None else capture.write(merged)
    finally:
        if capture is not None:
            capture.close()


def _history(sources: Sources, start: int, end: int) -> Iterator[Block]:
    """What lies before the live stream, marked as such. Without it the stream begins all the same, and that is said."""
    yield _warmup("history, then the day so far")
    if sources.history is None or start >= end:
        return
    try:
        yield from sources.history(start, end)
    except (NotEntitled, SourceUnavailable, UsageError) as error:
        logger.warning("live: no history: %s", error)
        yield _said("error", f"no history: {error}")


def _warmup(words: str) -> Block:
    """What follows is of the past, until the stream says that it is live."""
    return _said("warmup", words)


def _said(kind: Kind, words: str) -> Block:
    return Block(to_dbn(System(ts_event=None, kind=kind, detail=short(words))), NAME)


def days_before(now: int, span: str) -> int:
    """The midnight UTC before a span of time before now, ns: whole days are cached whole, and paid for once."""
    return (now - duration(span)) // DAY * DAY


def day_start(now: int) -> int:
    """Where a replay begins that holds the whole book of today, ns: just before the last snapshot, or the week's open.

    The vendor sends a snapshot at 00:00 UTC from Monday to Friday.
    """
    midnight = datetime.fromtimestamp(now // SECOND, UTC).replace(hour=0, minute=0, second=0)
    while midnight.weekday() > 4:
        midnight -= timedelta(days=1)
    return max(int(midnight.timestamp()) * SECOND, week_open(now)) - BEFORE_SNAPSHOT


def week_open(now: int) -> int:
    """The last Sunday, 17:00 in Chicago, ns."""
    local = datetime.fromtimestamp(now // SECOND, CHICAGO)
    sunday = local.date() - timedelta(days=local.isoweekday() % 7)
    opened = datetime.combine(sunday, OPENS, CHICAGO)
    return int((opened if opened <= local else opened - timedelta(days=7)).timestamp()) * SECOND
