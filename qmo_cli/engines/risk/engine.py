"""Risk: whether the trader's own rules allow another trade now, by the trader's own records."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import isfinite
from typing import ClassVar

from ...blocks import SECOND
from ...errors import ConfigurationError
from ...packets import (
    Market,
    Missing,
    Reading,
    fixed,
)
from ...times import UNITS
from ...tray import Packet
from . import guards
from .account import Account
from .guards import Known, Limits
from .holdings import amount, money
from .ledger import Ledger
from .log import Log
from .reading import Figures, Guard, RiskReading
from .seen import BarsSeen, InputsSeen, without_facts
from .sizing import Usual

MINUTE = UNITS["m"]
STALE = 60                              # s: an older price values no position, unless the stale guard says otherwise
NO_BALANCE = "no account record has told the balance"
KINDS = ("end-of-day", "intraday")


@dataclass(slots=True)
class Risk:
    """Capital protection: guards over the trader's account. All but the kill switch are off until they are set."""

    name: ClassVar[str] = "risk"
    needs: ClassVar[frozenset[str]] = frozenset({"bars"})
    reading: ClassVar[type[Reading]] = RiskReading

    daily_loss: float = field(default=0.0, metadata={"help": "Most that a trade date may lose, in money. 0: off."})
    drawdown: float = field(default=0.0, metadata={"help": "Most that the account may fall below its peak. 0: off."})
    drawdown_kind: str = field(default="end-of-day", metadata={
        "help": "When the peak moves: end-of-day, or intraday (with every second that traded)."})
    trades: int = field(default=0, metadata={"help": "Trades begun in a trade date, at most. 0: off."})
    losses: int = field(default=0, metadata={"help": "Losses one after another that make a pause. 0: off."})
    pause_minutes: float = field(default=30.0, metadata={"help": "Length of that pause."})
    spread_ticks: float = field(default=0.0, metadata={"help": "Widest spread, in ticks. 0: off."})
    atr_points: float = field(default=0.0, metadata={"help": "Highest ATR of the bars, in points. 0: off."})
    stale_seconds: float = field(default=0.0, metadata={"help": "Oldest price. 0: off."})
    usual_bars: int = field(default=0, metadata={
        "help": "Risk less when ATR is above its median of so many bars: factor = median / ATR. 0: off."})
    state: str = field(default="", metadata={"help": "File that keeps the account's records; without one each run "
                                                     "begins with none."})

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    account: Account = field(init=False)
    usual: Usual | None = field(default=None, init=False)
    limits: Limits = field(init=False)
    names_off: list[str] = field(default_factory=list, init=False)
    marking: bool = field(default=False, init=False)     # a guard needs the account's value second by second
    watching: bool = field(default=False, init=False)    # a guard needs the market
    until: int = field(default=0, init=False)            # ns: before it nothing changes by itself
    seen: tuple[object, ...] | None = field(default=None, init=False)  # of the account, by its guards
    of_account: list[Guard] = field(default_factory=list, init=False)
    of_market: list[Guard] = field(default_factory=list, init=False)
    figures: Figures = field(default_factory=Figures, init=False)
    kept: RiskReading | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._check()
        log = Log(self.state) if self.state else None
        self.account = Account(Ledger(self.drawdown_kind == "intraday"), log)
        self.usual = Usual(self.usual_bars) if self.usual_bars else None
        self.limits = Limits(money(self.daily_loss), money(self.drawdown), self.trades, self.losses, self.spread_ticks,
                             self.atr_points, self.stale_seconds)
        self.names_off = self.limits.off()
        self.marking = bool(self.daily_loss or self.drawdown)
        self.watching = bool(self.spread_ticks or self.atr_points or self.stale_seconds or self.usual_bars)

    def _check(self) -> None:
        for name in ("daily_loss", "drawdown", "trades", "losses", "pause_minutes", "spread_ticks", "atr_points",
                     "stale_seconds", "usual_bars"):
            value = getattr(self, name)
            if not (isfinite(value) and value >= 0):
                raise ConfigurationError(f"risk.{name}={value}: a number of 0 or more expected")
        if self.drawdown_kind not in KINDS:
            raise ConfigurationError(f"risk.drawdown_kind={self.drawdown_kind}: {' or '.join(KINDS)} expected")

    def sibling(self) -> Risk:
        """The same for another series; both keep their records in one file."""
        other = replace(self, state="")
        other.state, other.account.log = self.state, self.account.log
        return other

    def close(self) -> None:
        """The end of the input."""
        if self.account.log is not None:
            self.account.log.close()

    def update(self, packet: Packet) -> RiskReading | Missing:
        kept, account = self.kept, self.account
        calm = not (self.marking or self.watching or account.ledger.holdings)
        if calm and kept is not None and packet.ts < self.until and without_facts(packet.slots["inputs"]):
            return kept
        inputs: InputsSeen = packet.read("inputs", InputsSeen)
        facts = inputs.context
        market: Market = packet.read("market", Market)
        account.know(packet, market)
        rows = inputs.trades.seconds if self.marking and inputs.trades is not None else []
        account.advance(packet, facts or [], rows)
        if self.marking and inputs.trades is None and packet.ts % MINUTE == 0 and packet.price is not None:
            account.mark(fixed(packet.price))
        return self._reading(packet, market)

    # --- the reading

    def _reading(self, packet: Packet, market: Market) -> RiskReading:
        held = bool(self.account.ledger.holdings)
        age: int | None = None
        if market.price_ts is not None and (held or self.stale_seconds):
            age = max(0, packet.ts - int(market.price_ts)) // SECOND
        old = held and (age is None or age > (self.stale_seconds or STALE))
        profit = self.account.profit(None if old or packet.price is None else fixed(packet.price)) if held else 0
        known = self._account(profit, age, packet.ts)
        of_market = self._of_market(packet, market, age) if self.watching else []
        factor = 1.0 if self.usual is None else self.usual.factor
        if self.kept is None or known or of_market != self.of_market or factor != self.kept.size_factor:
            self.of_market = of_market
            self.kept = self._build(factor)
        return self.kept

    def _account(self, profit: int | None, age: int | None, ts: int) -> bool:
        """Bring the guards of the account up to date; whether anything in it has changed."""
        ledger = self.account.ledger
        resume = self._resume(ts)
        now = (profit, ledger.day.date, ledger.day.low, ledger.peak, resume, age if profit is None else None)
        if now == self.seen and not self.account.changed:
            return False
        self.seen, self.account.changed = now, False
        self.until = min(ledger.day.end, resume or ledger.day.end)
        if self.account.due is not None:
            self.until = min(self.until, self.account.due + 1)
        self.of_account, fallen = self._guards(profit, resume, age)
        self.figures = self._figures(profit, fallen)
        return True

    def _resume(self, ts: int) -> int:
        """When the pause ends that is on now; 0 without one."""
        resume = self.account.ledger.last_loss + round(self.pause_minutes * MINUTE)
        return resume if self.losses and self.account.ledger.day.losses >= self.losses and ts < resume else 0

    def _guards(self, profit: int | None, resume: int, age: int | None) -> tuple[list[Guard], int | None]:
        """The guards of the account that are set, in the order of their names, and the drawdown."""
        ledger, closed = self.account.ledger, self.account.closed()
        value = ledger.value(profit)
        fallen = None if closed or value is None or ledger.peak is None else max(0, ledger.peak - value)
        unpriced = "no price yet" if age is None else f"the price is {age} s old" if age > STALE or (
            self.stale_seconds and age > self.stale_seconds) else "the price is not that of the position's contract"
        known = Known(
            closed, unpriced, unpriced if ledger.balance is not None else NO_BALANCE,
            None if closed or profit is None else ledger.day.realised + profit, ledger.day.low, fallen,
            ledger.day.trades, ledger.day.losses, resume,
        )
        return self.limits.of_account(known, guards.kill(self.account.killed, self.account.kill_detail)), fallen

    def _of_market(self, packet: Packet, market: Market, age: int | None) -> list[Guard]:
        """The guards of the market that are set; and what ATR usually is."""
        bars: BarsSeen | None = packet.read("bars", BarsSeen)
        atr = None if bars is None else bars.atr
        if self.usual is not None and bars is not None and atr is not None:
            self.usual.take(bars.count, atr)
        no_atr = packet.missing.get("bars.atr") or packet.missing.get("bars") or "needs engine bars"
        return self.limits.of_market(market.spread, market.tick, atr, no_atr, age)

    def _figures(self, profit: int | None, fallen: int | None) -> Figures:
        """What the reading says of the account."""
        ledger = self.account.ledger
        if not ledger.informed:
            return Figures()
        return Figures(
            None if ledger.balance is None else amount(ledger.balance), ledger.currency, ledger.position,
            None if ledger.day.doubt else amount(ledger.day.realised), None if profit is None else amount(profit),
            ledger.day.trades, ledger.day.losses, None if fallen is None else amount(fallen),
        )

    def _build(self, factor: float) -> RiskReading:
        found = self.of_account + self.of_market
        reasons = [guard.reason for guard in found if guard.reason is not None]
        if self.account.log is not None and self.account.log.fault is not None:
            reasons.insert(0, self.account.log.fault)
        told = self.figures
        return RiskReading(
            not reasons, reasons, factor, self.account.killed, told.balance, told.currency, told.position,
            told.realised, told.open, told.trades, told.losses, told.drawdown, found, self.names_off,
        )
