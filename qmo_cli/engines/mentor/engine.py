"""Mentor: the surroundings of a decision in words, and whether they speak against any trade."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from ...errors import ConfigurationError
from ...packets import Inputs, Market, Missing, Reading
from ...times import SECOND
from ...tray import Packet
from ...views import BarsView, RiskView
from .parts import ABOUT, Said, minutes_away, of_news, of_risk, of_session, of_zones
from .pattern import EXTREME, WHOLE, WINDOW, Pattern, patterns
from .reading import MentorReading
from .slots import MemoryHere, NewsHere, SessionHere
from .tape import Tape

NOTHING = Said(None)
LEAVES = (                 # of the reading, and the slot, and the leaf of it, that each comes from
    ("session", "session", ""), ("zones", "memory", "zones"), ("blackout", "news", "blackout"), ("allowed", "risk", ""),
)


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
    scale: tuple[float, float | None, bool] | None = field(default=None, init=False)  # ATR, tick, all seen
    found: list[Pattern] | None = field(default=None, init=False)      # what held when it was looked last
    seen: dict[str, tuple[Any, ...]] = field(default_factory=dict, init=False)  # what each part was made of, and it
    made_of: tuple[Any, ...] = field(default=(), init=False)
    kept: MentorReading | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        for name in ("zone_ticks", "zone_atr"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ConfigurationError(f"mentor.{name}={getattr(self, name)}: a number of 0 or more expected")

    def update(self, packet: Packet) -> MentorReading | Missing:
        market: Market = packet.read("market", Market)
        bars = packet.read("bars", BarsView)
        atr = None if bars is None else bars.atr
        pattern = self._pattern(packet, atr, market.tick)
        session = packet.read("session", SessionHere)
        parts = (
            self._part("session", session) or self._keep("session", of_session(session), session),
            self._zones(packet, atr, market.tick),
            self._news(packet),
            self._risk(packet),
        )
        unknown = {leaf: why(packet, name, inside) for part, (leaf, name, inside) in zip(parts, LEAVES, strict=True)
                   if part.value is None}
        made_of = (*pattern, *parts, unknown)
        if self.kept is None or made_of != self.made_of:
            self.made_of = made_of
            self.kept = self._reading(*pattern, parts)
            self.reasons = unknown if not pattern[1] else {
                **dict.fromkeys(("pattern", "patterns"), pattern[1]), **unknown}
        return self.kept

    # --- parts: each is made anew when what it is made of is another

    def _part(self, name: str, *of: Any) -> Said | None:
        """The part as it was made before, if it was made of the same."""
        if of[0] is None:
            return NOTHING
        before = self.seen.get(name)
        if before is None or len(before) != len(of) + 1:
            return None
        same = before[1] is of[0] and before[2:] == of[1:]
        said: Said = before[0]
        return said if same else None

    def _keep(self, name: str, said: Said, *of: Any) -> Said:
        self.seen[name] = (said, *of)
        return said

    def _zones(self, packet: Packet, atr: float | None, tick: float | None) -> Said:
        memory, price = packet.read("memory", MemoryHere), packet.price
        of = memory, price, atr, tick
        return self._part("memory", *of) or self._keep("memory", of_zones(
            memory, price, max(self.zone_ticks * (tick or 0.0), self.zone_atr * (atr or 0.0))), *of)

    def _news(self, packet: Packet) -> Said:
        news, now = packet.read("news", NewsHere), packet.ts
        away = None if news is None or news.during is None else minutes_away(int(news.during.ts_event), now)
        return self._part("news", news, away) or self._keep("news", of_news(news, away), news, away)

    def _risk(self, packet: Packet) -> Said:
        risk = packet.read("risk", RiskView)
        return self._part("risk", risk) or self._keep("risk", of_risk(risk), risk)

    # --- the pattern

    def _pattern(self, packet: Packet, atr: float | None, tick: float | None) -> tuple[list[Pattern] | None, str]:
        """What holds; or None and why nobody knows."""
        inputs: Inputs = packet.read("inputs", Inputs)
        if packet.instrument_id != self.instrument_id:
            self.instrument_id, self.tape = packet.instrument_id, Tape(WINDOW, EXTREME)
        if inputs.trades is None:
            return None, f"needs trades, input is {packet.health.access}"
        tape = self.tape
        for row in inputs.trades.seconds:
            tape.add(row)
        newest = (packet.ts - 1) // SECOND
        tape.expire(newest)
        if not tape.volume:
            return None, f"nothing traded in the last {WINDOW} s"
        if atr is None:
            return None, f"needs ATR: {why(packet, 'bars', 'atr')}"
        seen = newest - tape.began + 1
        if seen < WINDOW:
            return None, f"{seen // 60} of {WINDOW // 60} minutes"
        scale = atr, tick, seen >= WHOLE
        if tape.read() or scale != self.scale:
            self.scale, self.found = scale, patterns(tape, *scale)
        if not self.found and seen < WHOLE:
            return None, f"{seen // 60} of {WHOLE // 60} minutes"
        if not self.found and tick is None:
            return None, "needs the contract's tick"
        return self.found, ""

    # --- the reading

    def _reading(self, found: list[Pattern] | None, unknown: str, parts: tuple[Said, ...]) -> MentorReading:
        session, zones, news, risk = parts
        first = None if found is None else found[0] if found else Pattern("none", None)
        notes = [ABOUT[one] for one in found or []] + [note for part in parts for note in part.notes]
        vetoes = [part.veto for part in parts if part.veto]
        return MentorReading(
            None if first is None else first.name, None if first is None else first.direction,
            None if found is None else [" ".join(filter(None, one)) for one in found],
            session.value, zones.value, news.value, risk.value, notes, "; ".join(vetoes) or None)


def why(packet: Packet, name: str, leaf: str = "") -> str:
    """Why a slot, or a leaf of it, is null."""
    if name not in packet.slots:
        return f"needs engine {name}"
    return (packet.missing.get(name) or packet.missing.get(f"{name}.{leaf}")
            or f"{name} gave no reason")
