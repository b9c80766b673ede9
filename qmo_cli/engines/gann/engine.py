"""Gann: levels of the last swing, and how many kinds of levels meet at the price.

Levels are set when a bar closes; between closes only the price moves, and what was worked out for a price is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

import msgspec

from ...errors import ConfigurationError
from ...packets import OPTIONAL, Missing, OptionalFloat, Reading, ticks
from ...rounding import nearest, to_six
from ...tray import Packet
from ..closed import NO_TICK, ClosedBars
from .formulas import EXTENSIONS, part
from .levels import FAMILIES
from .study import Rules, Study, View

GannSignal = Literal["none", "support", "resistance", "breakout_up", "breakout_down", "insufficient_data"]
TIMES = ("bars", "days")
LEAVES = ("score", "confluence", "100", "150", "200", "families", "tolerance")  # null together


class NearestLevel(msgspec.Struct, frozen=True, gc=False):
    """The level nearest to the price."""

    family: str
    name: str                            # 150 %, 1/2, +90 deg, H, -1/4
    price: float                         # rounded to the tick
    ticks: int                           # from the level up to the price; negative: the price is below
    atr: float                           # the same in ATR(14) of the bars


class Swing(msgspec.Struct, frozen=True, gc=False):
    """The swing from A to B that the levels are drawn on."""

    origin: float                        # A
    end: float                           # B
    origin_ts: str                       # ns, start of the bar of the extreme
    end_ts: str


class GannReading(Reading, frozen=True):
    """Levels of the last confirmed swing, the level at the price, and how many families of levels agree.

    score = 0.5 + 0.5 d w min(confluence, 4)/4 with w = max(0, 1 - |P - L|/tolerance); d = +1 into support, -1 into
    resistance, the direction of a breakout while it holds, else 0.
    """

    score: float | None                  # 0 strong sell, 0.5 neutral, 1 strong buy
    active: bool                         # a level is within the tolerance, or a breakout holds
    signal: GannSignal
    confluence: int | None               # families with a level within the tolerance, 0-6
    level_100: float | None = msgspec.field(name="100")  # of the swing, rounded to the tick; 100 is its end
    level_150: float | None = msgspec.field(name="150")
    level_200: float | None = msgspec.field(name="200")
    families: list[str] | None           # those that agree
    nearest: Annotated[NearestLevel | None, OPTIONAL]  # null without levels or price
    tolerance: float | None              # max(0.15 ATR, 2 ticks), in points
    swing: Annotated[Swing | None, OPTIONAL]
    broken: OptionalFloat                # the level of the breakout that holds


@dataclass(slots=True)
class Gann:
    """Levels of the last swing, Square of Nine, fan and time counts; how many families of them meet at the price."""

    name: ClassVar[str] = "gann"
    needs: ClassVar[frozenset[str]] = frozenset({"trades", "bars"})
    reading: ClassVar[type[Reading]] = GannReading
    evidence: ClassVar[str] = (
        "Evidence: none. Of 12 tests of Gann's rules on 5,361 daily gold bars (2004-2025) none did better than on "
        "shuffled prices. Set the pillar's weight to 0 to leave it out; qmo evaluate bars measures it on your data."
    )

    bar: str = field(default="15m", metadata={"help": "Length of the bars; 1d is the classical use."})
    k: float = field(default=3.0, metadata={"help": "ATR(14) that a close must come back to confirm a swing."})
    so9_unit: float = field(default=1.0, metadata={
        "help": "Price unit of the Square of Nine and of price-time squaring."})
    tolerance_atr: float = field(default=0.15, metadata={"help": "A level this many ATR(14) from the price is met."})
    tolerance_ticks: float = field(default=2.0, metadata={"help": "Or this many ticks, whichever is wider."})
    hold: int = field(default=3, metadata={"help": "Bars for which a breakout counts."})
    time: str = field(default="bars", metadata={"help": "What 45, 90 and 144 are counted in: bars or days."})

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    bars: ClosedBars[Study] = field(init=False)
    seen: dict[float | None, GannReading] = field(default_factory=dict, init=False)  # by price, as of the last close
    explained: dict[float | None, dict[str, str]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        positive = (self.k, self.so9_unit, self.tolerance_atr, self.tolerance_ticks)
        if not all(value > 0 for value in positive) or self.hold < 0 or self.time not in TIMES:
            raise ConfigurationError(
                "gann: k, so9_unit and the tolerances above 0, hold from 0 and time bars or days expected")
        self.bars = ClosedBars(self.bar, self._begin)

    def _begin(self, tick: float) -> Study:
        """A study of one price step."""
        return Study(Rules(
            self.so9_unit / tick, self.k, self.tolerance_atr, self.tolerance_ticks, self.hold, self.time == "days"))

    def update(self, packet: Packet) -> GannReading | Missing:
        bars = self.bars
        if bars.take(packet):
            self.seen, self.explained = {}, {}
        if bars.blocked or bars.tick is None:
            return Missing(bars.blocked or NO_TICK)
        price = packet.price
        if price not in self.seen:
            self._look(price, bars.tick)
        self.reasons = self.explained[price]
        return self.seen[price]

    def _look(self, price: float | None, tick: float) -> None:
        """Work out the reading at a price, until the next bar closes."""
        study = self.bars.study
        why_not = self.bars.why_not or study.why_not
        view = None if why_not or price is None else study.view(ticks(price, tick))
        if view is not None and price is not None:
            self.seen[price], self.explained[price] = self._reading(view, ticks(price, tick), tick), {}
            return
        words = why_not or "no price yet"
        self.seen[price], self.explained[price] = UNKNOWN, dict.fromkeys(LEAVES, words)

    def _reading(self, view: View, place: int, tick: float) -> GannReading:
        study, near = self.bars.study, view.near
        origin, end = study.found[-2], study.found[-1]
        prior, half, full = (on_tick(part(origin.ticks, end.ticks, percent, 100), tick) for percent in EXTENSIONS)
        atr = study.pivots.atr or 0.0
        return GannReading(
            view.score, view.within or study.broken is not None, signal_of(view, study), view.confluence,
            prior, half, full,
            [name for bit, name in enumerate(FAMILIES) if view.families >> bit & 1],
            NearestLevel(FAMILIES[near.level.family], near.level.name, on_tick(near.level.ticks, tick),
                         place - near.level.ticks, to_six((place - near.level.ticks) / atr)),
            to_six(study.tolerance * tick),
            Swing(on_tick(origin.ticks, tick), on_tick(end.ticks, tick), str(origin.start), str(end.start)),
            None if study.broken is None else on_tick(study.broken.level.ticks, tick),
        )


UNKNOWN = GannReading(None, False, "insufficient_data", None, None, None, None, None, None, None, None, None)


def signal_of(view: View, study: Study) -> GannSignal:
    """The word for how the price stands to the levels."""
    if study.broken is not None:
        return "breakout_up" if study.broken.direction > 0 else "breakout_down"
    if view.direction == 0:
        return "none"
    return "support" if view.direction > 0 else "resistance"


def on_tick(place: float, tick: float) -> float:
    """The price at a place on the scale of ticks, rounded to a whole one.

    >>> on_tick(16925.5, 0.1)
    1692.6
    """
    price: float = round(nearest(place) * tick, 9)
    return price
