"""What the engine volatility says."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from qmo_cli.packets import OptionalFloat, Reading


class Estimate(Struct, frozen=True, gc=False):
    """A standard deviation of logarithmic moves: 0.01 is one per cent."""

    bar: float                           # per bar
    annual: float | None                 # bar x sqrt(open time of a year / open time of a bar)


class VolatilityReading(Reading, frozen=True):
    """Volatility of the last ``window`` closed bars, as of the last one.

    A year is the open time of CME gold in the 365 days before the trade date, holidays left out (about 23 h x 258 trade
    dates); a bar's open time is that of the window from its first bar's start to its last one's end, per bar.
    """

    window: int                          # bars
    bars: int                            # of them there are; each with the close of the bar before it
    bar_seconds: OptionalFloat           # s, open time of a bar; null until the window is full
    year_hours: OptionalFloat            # h, open time of a year
    realized: Estimate | None            # close to close
    parkinson: Estimate | None           # high and low
    garman_klass: Estimate | None        # open, high, low, close
    yang_zhang: Estimate | None          # these and the jump from the close before
    ewma: Estimate | None                # close to close, the newest most
    atr: float | None                    # points, Wilder's ATR(14) of these bars: no standard deviation, so not annual
    percentile: float | None             # 0-100: mid-rank of annual Yang-Zhang among earlier windows
    regime: Literal["low", "normal", "high"] | None
