"""What the memory of icebergs keeps: events, each known at one moment, from which all else is derived.

Times are ns since 1970 where they are called ``ts`` or ``seen``, and whole seconds where they are a ``second``.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct

from ...errors import BadData
from ...times import SECOND

Result = Literal["hold", "break", "expired"]


class ZoneSeen(Struct, frozen=True, gc=False):
    """A zone as the iceberg engine last had it when a minute ended."""

    id: str
    side: Literal["B", "A"]              # of the resting orders
    low: float
    high: float
    weight: float                        # contracts, as of last_seen
    orders: int
    first_seen: int                      # ns
    last_seen: int                       # ns


class Retest(Struct, frozen=True, gc=False):
    """Price came back to a zone, or to a pseudo-zone (``control``) that stands in for one."""

    zone: str
    second: int                          # in which it printed inside
    above: bool                          # it came from above: the zone is to support
    entry: float                         # price at which it came in
    hold_at: float                       # where it has held, and
    break_at: float                      # where it has broken
    null: float                          # probability that a random walk from entry reaches hold_at first
    echo: bool                           # a zone that overlaps was being retested already: one visit, counted once
    control: bool


class Outcome(Struct, frozen=True, gc=False):
    """How a retest ended."""

    retest: Retest
    second: int
    result: Result


class Broken(Struct, frozen=True, gc=False):
    """Price went through a zone without a retest: it had not left before, or jumped across."""

    zone: str
    second: int
    above: bool                          # it came from above


class Pair(Struct, frozen=True, gc=False):
    """A zone that price had left and its pseudo-zone, as far away on the other side: which one price met first."""

    zone: str
    since: int                           # second in which the pair was made
    second: int
    zone_first: bool


Body = ZoneSeen | Outcome | Broken | Pair | Retest
DERIVING: dict[str, type[Struct]] = {"zone": ZoneSeen, "outcome": Outcome, "broken": Broken, "pair": Pair}
KINDS: dict[str, type[Struct]] = {**DERIVING, "retest": Retest}
ICEBERG = "iceberg"

_encode = msgspec.json.Encoder().encode
_decoders = {kind: msgspec.json.Decoder(body) for kind, body in KINDS.items()}


class Row(NamedTuple):
    """One event of the log. (symbol, ts, kind, key) names it: the same data give the same row again."""

    ts: int                              # ns, event time from which it is known
    kind: str
    key: str
    body: bytes                          # JSON


def row_of(body: Body, ts: int) -> Row:
    """The row for an event known since ``ts``."""
    if isinstance(body, ZoneSeen):
        return Row(ts, "zone", body.id, _encode(body))
    if isinstance(body, Outcome):
        return Row(ts, "outcome", name_of(body.retest), _encode(body))
    if isinstance(body, Retest):
        return Row(ts, "retest", name_of(body), _encode(body))
    if isinstance(body, Pair):
        return Row(ts, "pair", f"{body.zone} {body.since}", _encode(body))
    return Row(ts, "broken", body.zone, _encode(body))


def iceberg_row(event: Any) -> Row:
    """The row for a step in an iceberg's life, kept as its engine told it."""
    key = f"{event.order_id} {event.kind} {event.total_filled}"
    return Row(int(event.ts_event), ICEBERG, key, _encode(event))


def name_of(retest: Retest) -> str:
    """What names a retest within its contract: the zone, or its pseudo-zone, and the second."""
    return f"{retest.zone}{' control' if retest.control else ''} {retest.second}"


def body_of(kind: str, body: bytes) -> Any:
    """The event of a row. Raises BadData where it is damaged."""
    try:
        return _decoders[kind].decode(body)
    except msgspec.MsgspecError as error:
        raise BadData(f"the memory holds a damaged event of kind {kind}: {error}") from error


def ts_of(second: int) -> int:
    """A whole second in ns."""
    return second * SECOND
