"""The lines that a screen reads: a frame is complete by itself, so that any of them may be left out."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from ..engines.session.reading import SessionReading
from ..packets import OPTIONAL, WIRE_VERSION, Health, Market, OptionalFloat, OptionalStr
from ..score import Score
from ..signals import Signal

State = Literal["starting", "live", "stale", "ended", "failed"]
STEPS = (15, 60, 300)        # s, the lengths of candles
MOST_ZONES = 24              # in a frame
MOST_MARKS = 12
MOST_SYSTEM = 6


class Feed(Struct, frozen=True, gc=False):
    """How the feed of a board stands. ``served`` is the only wall-clock time in a frame."""

    state: State
    detail: OptionalStr                  # why, in words; null while nothing is wrong
    age: OptionalFloat                   # s since the last packet came; null before the first
    served: str                          # ISO 8601, when this was made
    quality: OptionalStr                 # of the newest packet, as are the next two
    source: OptionalStr
    access: OptionalStr


class ShownFlow(Struct, frozen=True, gc=False):
    """Of the order flow reading what a screen shows."""

    bias: str | None                     # BUY, SELL, NEUTRAL
    delta: int | None                    # contracts, last 60 s
    volume: int | None
    cvd: int | None
    anchor: str | None                   # where the CVD begins
    heat: float | None                   # 0-100
    vwap: float | None
    poc: float | None
    vah: float | None
    val: float | None


class ShownZone(Struct, frozen=True, gc=False):
    """A zone that stands."""

    kind: Literal["iceberg", "absorption", "memory"]
    id: str
    side: Literal["B", "A"]              # B holds price from below, A from above; a flipped zone has changed sides
    low: float
    high: float
    state: str                           # created, defended, flipped, remembered
    weight: float                        # contracts, as of last_seen
    strength: OptionalFloat              # 0-10; null for memory, as is the next
    confidence: OptionalFloat
    first_seen: str                      # ns
    last_seen: str                       # ns


class Candle(Struct, gc=False, array_like=True):
    """What traded in one step of time, and how things stood at its end."""

    time: int                            # s since 1970, its begin
    open: float | None                   # null: nothing traded
    high: float | None
    low: float | None
    close: float | None
    buy: int                             # contracts bought by aggressors
    sell: int
    none: int                            # contracts without an aggressor side
    cvd: int | None
    score: float | None                  # the total


class ShownMark(Struct, frozen=True, gc=False):
    """Something that happened at one moment."""

    ts: str                              # ns
    kind: Literal["signal", "sweep", "iceberg", "stop_run", "grab"]
    side: Literal["B", "A", "N"]         # up, down, neither
    price: OptionalFloat
    text: str
    id: str                              # of the episode or order; else made of kind, side and ts


class ShownNotice(Struct, frozen=True, gc=False):
    """A message of the feed itself."""

    ts: str                              # ns
    kind: str
    detail: str


class Latency(Struct, frozen=True, gc=False):
    """What a packet costs, means of the last minute in microseconds."""

    packet_us: float
    stages: dict[str, float]             # by stage and engine


class Frame(Struct, frozen=True, tag_field="schema", tag="frame"):
    """Everything that a screen shows of one series now."""

    v: int
    seq: int                             # packets of the series so far: what was left out shows in it
    ts: OptionalStr                      # ns, end of the newest packet; null before the first
    timestamp: OptionalStr
    series: OptionalStr
    symbol: OptionalStr
    all_series: list[str]
    feed: Feed
    market: Annotated[Market | None, OPTIONAL]          # null where the input holds bare signals
    health: Annotated[Health | None, OPTIONAL]
    session: Annotated[SessionReading | None, OPTIONAL]
    flow: Annotated[ShownFlow | None, OPTIONAL]
    zones: list[ShownZone]               # those that stand, nearest the price first
    score: Annotated[Score | None, OPTIONAL]
    signal: Annotated[Signal | None, OPTIONAL]
    candles: dict[str, list[Candle]]     # by step in s, the last two of each
    marks: list[ShownMark]               # the last, oldest first
    latency: Annotated[Latency | None, OPTIONAL]
    system: list[ShownNotice]            # the last, oldest first
    missing: dict[str, str]              # path of what is null, and why


class History(Struct, frozen=True, tag_field="schema", tag="history"):
    """Candles and marks of one series, oldest first."""

    v: int
    series: str
    step: int                            # s
    candles: list[Candle]
    marks: list[ShownMark]


def empty(feed: Feed, all_series: list[str]) -> Frame:
    """The frame before any packet came."""
    return Frame(
        v=WIRE_VERSION, seq=0, ts=None, timestamp=None, series=None, symbol=None, all_series=all_series, feed=feed,
        market=None, health=None, session=None, flow=None, zones=[], score=None, signal=None, candles={}, marks=[],
        latency=None, system=[], missing={},
    )


LINES: dict[str, type] = {"frame": Frame, "history": History}
