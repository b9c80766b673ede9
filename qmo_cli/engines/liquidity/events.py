"""What happened to liquidity, as lines of their own: sweeps, stop runs and grabs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Struct

from ...packets import OPTIONAL, OptionalFloat, OptionalInt, Side, StopFact, Sweep
from ...tray import Packet
from .grabs import Grab

Kind = Literal["sweep", "stop_run", "grab"]


class StopRun(Struct, frozen=True, gc=False):
    """Stops that an event triggered: aggressors of one side after its first."""

    ts_event: str
    side: Side
    price: float                         # of the first
    size: int
    orders: int


class LiquidityEvent(Struct, frozen=True, gc=False):
    """A sweep, a stop run or a grab; a line of its own with ``--events``."""

    schema: Literal["liquidity-event"]
    kind: Kind
    ts_event: str                        # ns; of a grab the end of its bar
    series: str
    symbol: Annotated[str | None, OPTIONAL]
    side: Side                           # the aggressor's; of a grab, of those who broke out and failed
    price: float                         # first price; of a grab the swing's
    end: OptionalFloat = None            # last price; of a grab how far it went; null: a stop run has one price
    close: OptionalFloat = None          # of a grab's bar
    levels: OptionalInt = None           # of a sweep
    size: OptionalInt = None             # contracts; null for a grab
    orders: OptionalInt = None           # aggressors; null for a grab


def stop_runs(stops: list[StopFact]) -> list[StopRun]:
    """Second and later aggressors, those of one event and side together."""
    groups: dict[tuple[str, str], list[StopFact]] = {}
    for stop in stops:
        groups.setdefault((stop.ts_event, stop.side), []).append(stop)
    return [
        StopRun(group[0].ts_event, group[0].side, group[0].price, sum(one.size for one in group), len(group))
        for group in groups.values()
    ]


def events_of(packet: Packet, sweeps: list[Sweep], runs: list[StopRun], grabs: list[Grab]) -> list[LiquidityEvent]:
    """What happened in the frame, in order of time."""
    def event(kind: Kind, ts: str, side: Side, price: float, **more: Any) -> LiquidityEvent:
        return LiquidityEvent("liquidity-event", kind, ts, packet.series, packet.symbol, side, price, **more)

    found = [
        *(event("sweep", one.ts_event, one.side, one.start, end=one.end, levels=one.levels, size=one.size,
                orders=one.aggressors) for one in sweeps),
        *(event("stop_run", one.ts_event, one.side, one.price, size=one.size, orders=one.orders) for one in runs),
        *(event("grab", one.ts, one.side, one.price, end=one.extreme, close=one.close) for one in grabs),
    ]
    return sorted(found, key=lambda one: int(one.ts_event))
