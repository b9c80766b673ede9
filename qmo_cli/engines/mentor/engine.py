# cython: language_level=3, auto_pickle=False
"""Mentor: the surroundings of a decision in words, and whether they speak against any trade."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import cython

from qmo_cli.engines.mentor.parts import (
    ABOUT,
    Place,
    Said,
    minutes_away,
    near_zones,
    of_news,
    of_risk,
    of_session,
    of_zones,
)
from qmo_cli.engines.mentor.pattern import EXTREME, WHOLE, WINDOW, Pattern, measured, patterns
from qmo_cli.engines.mentor.reading import MentorReading
from qmo_cli.engines.mentor.slots import MemoryHere, NewsHere, SessionHere, ZoneRemembered
from qmo_cli.engines.mentor.tape import Tape
from qmo_cli.errors import ConfigurationError
from qmo_cli.packets import Inputs, Market, Missing, Reading
from qmo_cli.times import SECOND
from qmo_cli.tray import Packet
from qmo_cli.views import BarsView, RiskView

NOTHING = Said(None)
LEAVES = (                 # of the reading, the slot that each comes from, and where a reason may stand
    ("session", "session", "session"), ("zones", "memory", "memory.zones"), ("blackout", "news", "news.blackout"),
    ("allowed", "risk", "risk"),
)
ABSENT = {name: f"needs engine {name}" for name in ("session", "memory", "news", "risk", "bars")}


@dataclass(slots=True)
class Mentor:
    """Pattern of the flow, session, remembered zones, news and capital protection in words; news and risk may veto."""

    name: ClassVar[str] = "mentor"
    needs: ClassVar[frozenset[str]] = frozenset({"trades", "bars", "session", "memory", "news", "risk"})
    reading: ClassVar[type[Reading]] = MentorReading

    zone_ticks: float = field(default=20.0, metadata={"help": "Remembered zones within this many ticks are near."})
    zone_atr: float = field(default=0.5, metadata={"help": "Or within this many ATR, whichever is wider."})

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    instrument_id: int = field(default=-1, init=False)
    tape: Tape = field(default_factory=lambda: Tape(WINDOW, EXTREME), init=False)
    scale: tuple[float, float | None] | None = field(default=None, init=False)  # ATR and tick
    measures: tuple[int, int] = field(default=(0, 0), init=False)      # the same as the tape wants them
    whole: bool = field(default=False, init=False)                     # whether 20 minutes had been seen
    found: list[Pattern] | None = field(default=None, init=False)      # what held when it was looked last
    session: SessionHere | None = field(default=None, init=False)      # the slots as they were when looked at last
    near: dict[Place, ZoneRemembered] | None = field(default=None, init=False)
    zones_of: tuple[Any, ...] = field(default=(), init=False)          # memory, price, ATR, tick
    news_of: tuple[Any, ...] = field(default=(), init=False)           # news, minutes to the blackout's event
    risk: RiskView | None = field(default=None, init=False)
    parts: list[Said] = field(default_factory=lambda: [NOTHING] * 4, init=False)  # what they came to, as LEAVES
    unknown: str = field(default="", init=False)                       # why there is no pattern
    blanks: list[tuple[str, str, str]] = field(default_factory=list, init=False)  # those of LEAVES that are null
    told: list[str] = field(default_factory=list, init=False)          # and why
    kept: MentorReading | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        for name in ("zone_ticks", "zone_atr"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ConfigurationError(f"mentor.{name}={getattr(self, name)}: a number of 0 or more expected")

    def update(self, packet: Packet) -> MentorReading | Missing:
        market: Market = packet.read("market", Market)
        bars = packet.read("bars", BarsView)
        atr, tick = None if bars is None else bars.atr, market.tick
        changed = self._pattern(packet, atr, tick)
        session, risk = packet.read("session", SessionHere), packet.read("risk", RiskView)
        if session is not self.session:
            self.session = session
            changed = self._say(0, NOTHING if session is None else of_session(session)) or changed
        if risk is not self.risk:
            self.risk = risk
            changed = self._say(3, NOTHING if risk is None else of_risk(risk)) or changed
        changed = self._zones(packet, atr, tick) or changed
        changed = self._news(packet) or changed
        if self.kept is None or changed or (self.blanks and self.told != self._reasons_of(packet)):
            return self._reading(packet)
        return self.kept

    def _reasons_of(self, packet: Packet) -> list[str]:
        return [why(packet, name, path) for _, name, path in self.blanks]

    # --- parts: each is said anew when what it is made of is another

    def _say(self, place: int, said: Said) -> bool:
        """Put a part into its place; whether it says something else than before."""
        if said == self.parts[place]:
            return False
        self.parts[place] = said
        return True

    def _zones(self, packet: Packet, atr: float | None, tick: float | None) -> bool:
        memory, price = packet.read("memory", MemoryHere), packet.price
        made_of = memory, price, atr, tick
        before = self.zones_of
        if before and memory is before[0] and price == before[1] and atr == before[2] and tick == before[3]:
            return False
        self.zones_of = made_of
        if memory is None or memory.zones is None or price is None:
            self.near = None
            return self._say(1, NOTHING)
        near = near_zones(memory, price, max(self.zone_ticks * (tick or 0.0), self.zone_atr * (atr or 0.0)))
        if near == self.near:
            return False
        self.near = near
        return self._say(1, of_zones(near))

    def _news(self, packet: Packet) -> bool:
        news = packet.read("news", NewsHere)
        away = None
        if news is not None and news.during is not None:
            away = minutes_away(int(news.during.ts_event), packet.ts)
        before = self.news_of
        if before and news is before[0] and away == before[1]:
            return False
        self.news_of = news, away
        return self._say(2, NOTHING if news is None else of_news(news, away))

    # --- the pattern

    def _pattern(self, packet: Packet, atr: float | None, tick: float | None) -> bool:
        """Let the tape run on and look for patterns; whether they, or the reason why none is known, are others now."""
        before, unknown = self.found, self.unknown
        self.unknown = self._look(packet, atr, tick)
        if self.unknown:
            return unknown != self.unknown
        return bool(unknown) or before != self.found

    def _look(self, packet: Packet, atr: float | None, tick: float | None) -> str:
        """Find what holds; gives the reason where nobody knows."""
        inputs: Inputs = packet.read("inputs", Inputs)
        if packet.instrument_id != self.instrument_id:
            self.instrument_id, self.tape, self.scale = packet.instrument_id, Tape(WINDOW, EXTREME), None
        trades = inputs.trades
        tape: Tape = self.tape
        if trades is None:
            return f"needs trades, input is {packet.health.access}"
        for row in trades.seconds:
            tape.add(row)
        newest: cython.longlong = (packet.ts - 1) // SECOND
        tape.expire(newest)
        if not tape.volume:
            return f"nothing traded in the last {WINDOW} s"
        if atr is None:
            return f"needs ATR: {why(packet, 'bars', 'bars.atr')}"
        seen: cython.longlong = newest - tape.began + 1
        if seen < WINDOW:
            return f"{seen // 60} of {WINDOW // 60} minutes"
        scale, whole = (atr, tick), seen >= WHOLE
        if scale != self.scale:
            self.scale, self.measures, self.whole = scale, measured(*scale), not whole
        if tape.read() or whole != self.whole:
            self.whole, self.found = whole, patterns(tape, *self.measures, whole)
        if not self.found and seen < WHOLE:
            return f"{seen // 60} of {WHOLE // 60} minutes"
        return "" if self.found or tick is not None else "needs the contract's tick"

    # --- the reading

    def _reading(self, packet: Packet) -> MentorReading:
        session, zones, news, risk = self.parts
        found = None if self.unknown else self.found or []
        first = None if found is None else found[0] if found else Pattern("none", None)
        notes = [ABOUT[one] for one in found or []] + [note for part in self.parts for note in part.notes]
        vetoes = [part.veto for part in self.parts if part.veto]
        self.blanks = [leaf for part, leaf in zip(self.parts, LEAVES, strict=True) if part.value is None]
        self.told = self._reasons_of(packet)
        self.reasons = {leaf: told for (leaf, _, _), told in zip(self.blanks, self.told, strict=True)}
        if found is None:
            self.reasons |= dict.fromkeys(("pattern", "patterns"), self.unknown)
        self.kept = MentorReading(
            None if first is None else first.name, None if first is None else first.direction,
            None if found is None else [" ".join(filter(None, one)) for one in found],
            session.value, zones.value, news.value, risk.value, notes, "; ".join(vetoes) or None)
        return self.kept


def why(packet: Packet, name: str, path: str) -> str:
    """Why a slot, or a leaf of it, is null."""
    if name not in packet.slots:
        return ABSENT[name]
    missing = packet.missing
    return missing.get(name) or missing.get(path) or f"{name} gave no reason"
