"""What memory says: its slot in the packet, and the lines of its events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

from msgspec import Struct

from ...packets import OPTIONAL, OptionalInt, Reading
from ...rounding import to_six
from ...times import UNITS
from ...tray import Packet
from .log import Body, Outcome, Result, Retest, ts_of
from .place import Remembered, State
from .record import Record

ENOUGH = 30            # retests before a rate is compared with anything
MINUTE = UNITS["m"]


class MemoryEvent(Struct, frozen=True, gc=False):
    """A retest begins or ends; a line of its own with ``--events``."""

    schema: Literal["memory-event"]
    kind: Literal["retest", "hold", "break", "expired"]
    ts_event: str                        # ns, the second in which it happened
    series: str
    symbol: Annotated[str | None, OPTIONAL]
    zone: str                            # id
    side: Literal["B", "A"]              # of the orders that rested there
    above: bool                          # price came from above
    entry: float                         # price at which it came in
    hold_at: float                       # where it has held, and
    break_at: float                      # where it has broken
    null: float                          # probability that a random walk from entry holds
    seconds: OptionalInt                 # how long it took; null: it begins


class RememberedZone(Struct, frozen=True, gc=False):
    """A zone that icebergs left, and how it fared since."""

    id: str                              # as the iceberg engine named it
    side: Literal["B", "A"]              # of the orders that rested there
    low: float
    high: float
    state: State
    weight: float                        # contracts that traded hidden, decayed, as of last_seen
    orders: int                          # icebergs behind it
    first_seen: str                      # ns
    last_seen: str                       # ns, newest evidence
    age: int                             # whole minutes since then, when the last minute ended
    retests: int                         # decided: holds + breaks
    holds: int
    breaks: int
    tested: bool                         # price is back now, nothing decided


class Retests(Struct, frozen=True, gc=False):
    """Retests of the remembered days; a visit to zones that overlap counts once."""

    decided: int                         # holds + breaks
    holds: int
    breaks: int
    expired: int                         # nothing decided them in time
    open: int                            # going on now: censored


class Controls(Struct, frozen=True, gc=False):
    """The same for pseudo-zones: as far from the price at the same moment, mirrored, where nothing was hidden."""

    decided: int
    holds: int
    breaks: int
    pairs: int                           # zones and their pseudo-zones of which price has met one
    zone_first: int                      # met the zone first: half of the pairs, were zones to attract nothing


class MemoryReading(Reading, frozen=True):
    """A map of remembered zones, and the honest record of zones as such. It adds nothing to the score.

    hold_rate = holds / decided; null_rate: the mean of what a random walk from each entry would hold;
    excess = (holds - sum p) / sqrt(sum p (1 - p)); correlation: phi of zone against pseudo-zone, hold against break.
    """

    zones: list[RememberedZone] | None   # in reach of the price, nearest first
    dropped: int                         # zones in reach that are not shown
    remembered: int                      # zones in all
    retests: Retests
    hold_rate: float | None              # 0-1
    null_rate: float | None              # 0-1
    excess: float | None                 # standard deviations
    controls: Controls
    correlation: float | None            # -1 to 1
    events: list[MemoryEvent]            # of this frame


class Summary(NamedTuple):
    """What a reading says of zones as such."""

    retests: Retests
    hold_rate: float | None
    null_rate: float | None
    excess: float | None
    controls: Controls
    correlation: float | None
    reasons: dict[str, str]              # of those that are null


def summary_of(record: Record, open_: int) -> Summary:
    """The summary of a record, while ``open_`` retests are going on."""
    reasons, decided = reasons_of(record), record.decided
    return Summary(
        Retests(decided, record.holds, record.breaks, record.expired, open_),
        to_six(record.holds / decided) if decided else None,
        to_six(record.expected / decided) if decided else None,
        None if "excess" in reasons else to_six(record.excess or 0.0),
        Controls(record.controls, record.control_holds, record.control_breaks, record.pairs, record.zone_first),
        None if "correlation" in reasons else to_six(record.phi or 0.0), reasons,
    )


def reading_of(
    zones: list[RememberedZone] | None, dropped: int, remembered: int, summary: Summary, events: list[MemoryEvent],
) -> tuple[MemoryReading, dict[str, str]]:
    """The reading, and why some of it is null."""
    retests, hold_rate, null_rate, excess, controls, correlation, reasons = summary
    reading = MemoryReading(
        zones, dropped, remembered, retests, hold_rate, null_rate, excess, controls, correlation, events)
    return reading, reasons if zones is not None else {"zones": "no price yet", **reasons}


def event_of(packet: Packet, body: Body, second: int, zones: Mapping[str, Remembered]) -> MemoryEvent | None:
    """The line for what happened; only retests of zones have one."""
    retest = body.retest if isinstance(body, Outcome) else body
    if not isinstance(retest, Retest) or retest.control or retest.zone not in zones:
        return None
    kind: Literal["retest"] | Result = body.result if isinstance(body, Outcome) else "retest"
    seconds = second - retest.second if isinstance(body, Outcome) else None
    return MemoryEvent(
        "memory-event", kind, str(ts_of(second)), packet.series, packet.symbol, retest.zone, zones[retest.zone].side,
        retest.above, retest.entry, retest.hold_at, retest.break_at, retest.null, seconds,
    )


def public(zone: Remembered, minute: int) -> RememberedZone:
    """A zone as the wire has it, as of the start of a minute."""
    seen, shown = zone.seen, zone.shown
    age = max(0, minute - seen.last_seen // MINUTE)
    if shown is None or shown.age != age:
        shown = zone.shown = RememberedZone(
            zone.id, seen.side, zone.low, zone.high, zone.state, seen.weight, seen.orders, str(seen.first_seen),
            str(seen.last_seen), age, zone.holds + zone.breaks, zone.holds, zone.breaks, zone.retest is not None,
        )
    zone.shown_at = minute
    return shown  # type: ignore[no-any-return]


def reasons_of(record: Record) -> dict[str, str]:
    """Why leaves of the summary are null."""
    reasons: dict[str, str] = {}
    if not record.decided:
        reasons |= dict.fromkeys(("hold_rate", "null_rate"), "no retest has been decided yet")
    if record.decided < ENOUGH or record.excess is None:
        reasons["excess"] = f"{ENOUGH} decided retests needed, there are {record.decided}"
    if min(record.decided, record.controls) < ENOUGH or record.phi is None:
        reasons["correlation"] = (
            f"{ENOUGH} decided retests of zones and of pseudo-zones needed, there are {record.decided} and "
            f"{record.controls}")
    return reasons
