"""What a bar is, and what the engine says of its bars."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from qmo_cli.packets import OPTIONAL, OptionalFloat, OptionalInt, OptionalStr, Reading


class Bar(Struct, frozen=True, gc=False):
    """One bar; it covers [start, start + interval)."""

    start: str                           # ns
    interval: int                        # s
    open: float
    high: float
    low: float
    close: float
    volume: int                          # contracts
    buy: OptionalInt                     # by aggressors; null in bars made from bars
    sell: OptionalInt
    trades: OptionalInt


class BarsReading(Reading, frozen=True):
    """The last closed bar, the open one, and average true ranges: ATR(14) by Wilder, ((n - 1) ATR' + TR) / n, seeded
    with a mean. ``atr`` is the market's common scale, of bars of ``atr_period`` whatever bars are chosen here.
    """

    kind: str                            # time, tick, volume, dollar, range, imbalance
    period: OptionalInt                  # s; null: bars of a trade date, or of another kind
    size: OptionalFloat                  # of the other kinds: what fills a bar
    count: int                           # bars closed since the input began, or since a roll whose gap is not known
    bar: Bar | None                      # last closed; at a roll it moves by the gap
    forming: Annotated[Bar | None, OPTIONAL]  # still open: no engine may count it; null when nothing traded in it
    closed: list[Bar]                    # that closed with this packet, oldest first
    bar_atr: float | None                # points, of these bars
    atr: float | None                    # points, of bars of atr_period: 15 minutes by default
    atr_since: OptionalStr               # ns, end of the bar that made atr; null with it
    rejected: int                        # ready-made bars left out because they cannot be right
    rejected_reason: OptionalStr         # of the last
