"""Volatility of closed bars by six estimators, per bar and per year, and the regime that it is."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from math import sqrt
from typing import ClassVar, Literal

from qmo_cli.errors import ConfigurationError
from qmo_cli.packets import Missing, Reading
from qmo_cli.sessions import trade_day_start
from qmo_cli.times import SECOND
from qmo_cli.tray import Packet
from qmo_cli.views import reason

from ..bars import Bar, BarsReading
from ..rolls import STAY, Contract, moved
from .estimators import Moves, garman_klass, moves_of, next_ewma, parkinson, realized, yang_zhang
from .hours import open_seconds, year_before
from .reading import Estimate, VolatilityReading

DECIMALS = 9
LEAST_WINDOWS = 10      # windows' worth of earlier values that make a percentile
CLOSED = "the exchange was closed in all of the window"
WINDOWED: dict[str, Callable[[Collection[Moves]], float]] = {
    "realized": realized, "parkinson": parkinson, "garman_klass": garman_klass, "yang_zhang": yang_zhang}
ESTIMATES = (*WINDOWED, "ewma")


@dataclass(slots=True)
class Volatility:
    """Volatility of the bars of engine bars: realized, Parkinson, Garman-Klass, Yang-Zhang, EWMA and ATR, per bar and
    scaled to a year by the hours that the exchange is open; and whether that is low, normal or high. No direction.
    """

    name: ClassVar[str] = "volatility"
    needs: ClassVar[frozenset[str]] = frozenset({"bars"})
    reading: ClassVar[type[Reading]] = VolatilityReading

    window: int = field(default=20, metadata={"help": "Closed bars of an estimate."})
    decay: float = field(default=0.94, metadata={"help": "Weight of the past in the EWMA (RiskMetrics: 0.94)."})
    history: int = field(default=920, metadata={
        "help": "Newest earlier windows that the percentile is among: 920 quarters of an hour are ten trade dates."})
    low: float = field(default=20.0, metadata={"help": "Percentile below which the regime is low."})
    high: float = field(default=80.0, metadata={"help": "Percentile above which it is high."})

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    contract: Contract = field(default_factory=Contract, init=False)
    close: float | None = field(default=None, init=False)         # of the bar before
    moves: deque[Moves] = field(init=False)
    bars: deque[Bar] = field(init=False)                          # that the moves are of
    squares: list[float] = field(default_factory=list, init=False)  # first of all: their mean seeds the EWMA
    variance: float | None = field(default=None, init=False)      # EWMA
    values: deque[float] = field(default_factory=deque, init=False)  # annual Yang-Zhang, oldest first
    ranked: list[float] = field(default_factory=list, init=False)    # the same, ascending
    percentile: float | None = field(default=None, init=False)
    why_no_atr: str | None = field(default=None, init=False)
    kept: VolatilityReading | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.window < 2 or not 0 < self.decay < 1 or not 0 < self.low < self.high < 100:
            raise ConfigurationError(
                "volatility: window from 2, decay between 0 and 1, low below high within 0 to 100 expected")
        if self.history < self.least:
            raise ConfigurationError(f"volatility.history {self.history}: at least {LEAST_WINDOWS} windows expected")
        self.moves, self.bars = deque(maxlen=self.window), deque(maxlen=self.window)

    @property
    def least(self) -> int:
        """Earlier values that make a percentile."""
        return LEAST_WINDOWS * self.window

    def update(self, packet: Packet) -> VolatilityReading | Missing:
        bars: BarsReading | None = packet.read("bars", BarsReading)
        gap = self.contract.follow(packet)
        if gap != STAY:
            self._move(gap)
        if bars is None:
            return Missing(reason(packet, "bars"))
        why_no_atr = packet.missing.get("bars.bar_atr")
        if self.kept is None or bars.closed or why_no_atr != self.why_no_atr:
            self.why_no_atr = why_no_atr
            for bar in bars.closed:
                self._add(bar)
            self.kept = self._reading(bars.bar_atr)
        return self.kept

    # --- what is taken in

    def _move(self, gap: float | None) -> None:
        """Another contract: its returns go on from the old close in its terms; where nobody knows that, one is lost."""
        self.kept = None
        self.close = None if gap is None or self.close is None else moved(self.close, gap)

    def _add(self, bar: Bar) -> None:
        before, self.close = self.close, bar.close if bar.low > 0 else None
        if before is None or before <= 0 or self.close is None:
            return  # no logarithm
        moves = moves_of(bar, before)
        self.moves.append(moves)
        self.bars.append(bar)
        self._smooth(moves.whole)
        if len(self.moves) == self.window:
            self._rank()

    def _smooth(self, move: float) -> None:
        if self.variance is not None:
            self.variance = next_ewma(self.variance, move, self.decay)
            return
        self.squares.append(move * move)
        if len(self.squares) == self.window:
            self.variance = sum(self.squares) / self.window

    def _rank(self) -> None:
        """Where this window stands among those before it."""
        year, bar = self._times()
        if not bar:
            self.percentile = None
            return
        value = sqrt(yang_zhang(self.moves) * year / bar)
        if len(self.values) >= self.least:
            below = bisect_left(self.ranked, value) + bisect_right(self.ranked, value)
            self.percentile = round(50 * below / len(self.ranked), 2)
        if len(self.values) == self.history:
            del self.ranked[bisect_left(self.ranked, self.values.popleft())]
        self.values.append(value)
        insort(self.ranked, value)

    def _times(self) -> tuple[int, float]:
        """Open time of a year and of a bar, s."""
        start, last = int(self.bars[0].start), self.bars[-1]
        end = int(last.start) + last.interval * SECOND
        return year_before(trade_day_start(end - 1)), open_seconds(start, end) / len(self.bars)

    # --- what is said

    def _reading(self, atr: float | None) -> VolatilityReading:
        full = len(self.moves) == self.window
        year, bar = self._times() if full else (0, 0.0)
        scale = sqrt(year / bar) if bar else None
        close, range_, candle, jump = (
            _estimate(variance(self.moves), scale) if full else None for variance in WINDOWED.values())
        ewma = None if self.variance is None or not full else _estimate(self.variance, scale)
        percentile = self.percentile if full else None
        self._explain(full, scale, percentile, atr)
        return VolatilityReading(
            self.window, len(self.moves), round(bar, 3) if bar else None, round(year / 3600, 3) if full else None,
            close, range_, candle, jump, ewma, atr, percentile, self._regime(percentile))

    def _regime(self, percentile: float | None) -> Literal["low", "normal", "high"] | None:
        if percentile is None:
            return None
        return "low" if percentile < self.low else "high" if percentile > self.high else "normal"

    def _explain(self, full: bool, scale: float | None, percentile: float | None, atr: float | None) -> None:
        self.reasons = {}
        if not full:
            self.reasons = dict.fromkeys(ESTIMATES, f"{len(self.moves)} of {self.window} bars after another")
        elif scale is None:
            self.reasons = dict.fromkeys((f"{name}.annual" for name in ESTIMATES), CLOSED)
        if percentile is None:
            words = f"{len(self.values)} of {self.least} earlier windows" if not full or scale else CLOSED
            self.reasons |= {"percentile": words, "regime": words}
        if atr is None:
            self.reasons["atr"] = self.why_no_atr or "engine bars gives no reason"


def _estimate(variance: float, scale: float | None) -> Estimate:
    deviation = sqrt(variance)
    return Estimate(round(deviation, DECIMALS), None if scale is None else round(deviation * scale, DECIMALS))
