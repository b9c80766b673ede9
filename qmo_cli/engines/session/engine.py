"""Session: the exchange's trade day around the moment, and the highs and lows that traders watch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ...instruments import GOLD, days_to_first_notice, root_of
from ...packets import BarInput, Missing, Notice, Reading
from ...sessions import Session, session
from ...times import SECOND, UNITS, duration, iso
from ...tray import Packet
from .levels import Levels
from .reading import SessionReading

MINUTE = UNITS["m"]
LONGEST = 3600                # s of a bar that fits into a trade day
FITTING = 600                 # s: bars that divide this end where London does, at 7:20
NOTICES = list[Notice]
BREAKS = ("gap", "fallback")  # notices after which trades may be missing


@dataclass(slots=True)
class SessionEngine:
    """Trade date, session, minutes to close and settlement; the day's, the prior day's and the night's levels."""

    name: ClassVar[str] = "session"
    needs: ClassVar[frozenset[str]] = frozenset({"trades"})
    reading: ClassVar[type[Reading]] = SessionReading

    quiet: str = field(default="1h", metadata={
        "help": "An open market without a trade for longer leaves the highs and lows around it in doubt: the input may "
                "lack something. Raise it for contracts that trade seldom."})

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    instrument_id: int = field(default=-1, init=False)
    symbol: str | None = field(default=None, init=False)
    interval: int = field(default=0, init=False)                # s: of the shortest ready-made bar seen
    levels: Levels = field(init=False)
    sourceless: bool = field(default=False, init=False)         # there is nothing that trades could come from
    valid: tuple[int, int] = field(default=(0, 0), init=False)  # ns: between these the kept reading holds
    kept: SessionReading | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.levels = Levels(duration(self.quiet))

    def update(self, packet: Packet) -> SessionReading | Missing:
        inputs, ts, levels = packet.inputs, packet.ts, self.levels
        trades, bars = inputs.trades, inputs.bars
        changed = False
        if packet.instrument_id != self.instrument_id or packet.symbol != self.symbol or packet.read("system", NOTICES):
            changed = True
            self._happenings(packet)
        if trades is not None:
            for row in trades.seconds:
                begins = row.second * SECOND
                changed = levels.take(row, begins, begins + SECOND) or changed
        elif bars:
            changed = self._bars(bars) or changed
        if levels.here is None or ts >= levels.here.ends:
            levels.move(session(ts))
        sourceless = trades is None and not self.interval and not levels.until
        since, end = self.valid
        if self.kept is not None and not changed and since < ts < end and sourceless == self.sourceless:
            return self.kept
        self.sourceless = sourceless
        return self._reading(packet)

    def _happenings(self, packet: Packet) -> None:
        """Another contract, rolls and gaps: the reading may have to say something else."""
        self.symbol = packet.symbol
        if packet.instrument_id != self.instrument_id:
            self.instrument_id = packet.instrument_id
            self.levels.leave()
        for notice in packet.read("system", NOTICES):
            if notice.kind in BREAKS:
                self.levels.doubt(notice.kind, int(notice.ts_event or packet.ts))
            elif notice.kind == "roll" and notice.gap is not None:
                self.levels.shift(notice.gap)

    def _bars(self, rows: list[BarInput]) -> bool:
        """Ready-made bars, of the shortest length only: the others tell of the same trades."""
        shortest = min(row.interval for row in rows)
        self.interval = min(self.interval, shortest) if self.interval else shortest
        changed = False
        for row in rows:
            if row.interval == self.interval <= LONGEST:
                begins = int(row.ts)
                changed = self.levels.take(row, begins, begins + row.interval * SECOND) or changed
        return changed

    def _reading(self, packet: Packet) -> SessionReading:
        here, ts, reasons = self.levels.here, packet.ts, self.reasons
        assert here is not None
        reasons.clear()
        minute = ts // MINUTE * MINUTE
        self.valid = (minute, minute + MINUTE) if ts > minute else (ts - 1, ts + 1)
        gold = root_of(packet.symbol or packet.series) in GOLD
        told = self.levels.told(self._blocked(packet), self._no_night(), reasons)
        if not here.covered:
            reasons["early_close"] = f"the holidays of {here.trade_date[:4]} are not known: regular hours are assumed"
        if not here.open:
            reasons["minutes_to_close"] = "the market is closed"
        self.kept = SessionReading(
            here.name, here.trade_date, here.open, here.first_15(ts), here.last_15(ts), iso(here.closes),
            iso(here.reopens), here.early if here.covered else None, here.minutes_to_close(ts),
            self._settlement(here, ts, gold), *told, self._notice(here),
            [] if gold else ["hours and holidays are those of CME gold"],
        )
        return self.kept

    def _blocked(self, packet: Packet) -> str:
        """Why no level can be known now; "" if some may."""
        if self.levels.rolling:
            return "the contract changed, the gap to it is not known yet"
        if self.interval > LONGEST:
            return f"bars of {self.interval} s span two trade dates: needs bars of 1h or shorter"
        access = packet.health.access
        return f"needs trades or ohlcv, input is {access}" if self.sourceless and access != "ohlcv" else ""

    def _no_night(self) -> str:
        if self.interval and FITTING % self.interval:
            return f"bars of {self.interval} s do not end at 7:20 in Chicago, where London does"
        return ""

    def _settlement(self, here: Session, ts: int, gold: bool) -> int | None:
        minutes = here.minutes_to_settlement(ts) if gold else None
        if minutes is None:
            self.reasons["minutes_to_settlement"] = "settled" if gold else "the settlement time is known for gold only"
        return minutes

    def _notice(self, here: Session) -> int | None:
        days = None if self.symbol is None else days_to_first_notice(self.symbol, here.trade_date)
        if days is None:
            self.reasons["days_to_first_notice"] = "known for delivered gold with a raw symbol only"
        return days
