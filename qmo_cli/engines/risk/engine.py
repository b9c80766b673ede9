"""Risk: whether the trader's own rules allow another trade now, by the trader's own records."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import isfinite
from typing import ClassVar

from ...blocks import SECOND
from ...errors import ConfigurationError
from ...instruments import root_of, spec_of
from ...packets import (
    AccountFact,
    ContextFact,
    FillFact,
    KillFact,
    Market,
    Missing,
    NewsFact,
    Reading,
    Second,
    fixed,
)
from ...times import UNITS
from ...tray import Packet
from . import guards
from .guards import Known, Limits
from .holdings import Holding, amount, money, sisters
from .ledger import Ledger
from .log import Entry, Log, Recall, contract_of
from .reading import Figures, Guard, RiskReading
from .seen import BarsSeen, InputsSeen, without_facts
from .sizing import Usual

MINUTE = UNITS["m"]
STALE = 60                              # s: an older price values no position, unless the stale guard says otherwise
NO_RECORDS = "no fill or account record has come; merge them with --merge FILE"
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
    ledger: Ledger = field(init=False)
    usual: Usual | None = field(default=None, init=False)
    log: Log | None = field(default=None, init=False)
    recall: Recall | None = field(default=None, init=False)
    limits: Limits = field(init=False)
    names_off: list[str] = field(default_factory=list, init=False)
    marking: bool = field(default=False, init=False)     # a guard needs the account's value second by second
    watching: bool = field(default=False, init=False)    # a guard needs the market
    killed: bool = field(default=False, init=False)
    kill_detail: str = field(default="", init=False)
    kill_ts: int = field(default=-1, init=False)         # ns, of the newest order to stop
    second: int = field(default=-1, init=False)          # that is not over, with a trade
    traded: int = field(default=0, init=False)           # close of that second, 1e-9
    last: int | None = field(default=None, init=False)   # close of the last second that is over, 1e-9
    own: str = field(default="", init=False)             # the packets' contract
    named: bool = field(default=False, init=False)       # by its raw symbol
    instrument_id: int = field(default=-1, init=False)
    point_value: float | None = field(default=None, init=False)
    kept_peak: int | None = field(default=None, init=False)  # as of the last line in the file
    until: int = field(default=0, init=False)            # ns: before it nothing changes by itself
    seen: tuple[object, ...] | None = field(default=None, init=False)  # of the account, by its guards
    of_account: list[Guard] = field(default_factory=list, init=False)
    of_market: list[Guard] = field(default_factory=list, init=False)
    figures: Figures = field(default_factory=Figures, init=False)
    kept: RiskReading | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._check()
        self.ledger = Ledger(self.drawdown_kind == "intraday")
        self.usual = Usual(self.usual_bars) if self.usual_bars else None
        self.limits = Limits(money(self.daily_loss), money(self.drawdown), self.trades, self.losses, self.spread_ticks,
                             self.atr_points, self.stale_seconds)
        self.names_off = self.limits.off()
        self.marking = bool(self.daily_loss or self.drawdown)
        self.watching = bool(self.spread_ticks or self.atr_points or self.stale_seconds or self.usual_bars)
        if self.state:
            self.log = Log(self.state)

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
        other.state, other.log = self.state, self.log
        return other

    def close(self) -> None:
        """The end of the input."""
        if self.log is not None:
            self.log.close()

    def update(self, packet: Packet) -> RiskReading | Missing:
        kept, calm = self.kept, not (self.marking or self.watching or self.ledger.holdings)
        if calm and kept is not None and packet.ts < self.until and without_facts(packet.slots["inputs"]):
            return kept
        inputs: InputsSeen = packet.read("inputs", InputsSeen)
        facts = inputs.context
        market: Market = packet.read("market", Market)
        self._know(packet, market)
        rows = inputs.trades.seconds if self.marking and inputs.trades is not None else []
        self._advance(packet, facts or [], rows)
        if self.marking and inputs.trades is None and packet.ts % MINUTE == 0 and packet.price is not None:
            self._mark(fixed(packet.price))
        return self._reading(packet, market)

    # --- the run of events

    def _know(self, packet: Packet, market: Market) -> None:
        """Whose packets these are; another contract has another price scale."""
        if packet.instrument_id != self.instrument_id:
            self.instrument_id, self.second, self.last = packet.instrument_id, -1, None
        self.named, self.own = packet.symbol is not None, packet.symbol or packet.series
        self.point_value = market.point_value
        if self.log is not None and self.recall is None:
            self.recall = Recall(self.log.past(packet.series))

    def _advance(self, packet: Packet, facts: list[ContextFact], rows: list[Second]) -> None:
        """Facts and trades in the order of time, trades second by second: no frame's length shows in the result."""
        place = 0
        recalled = self.recall is not None and self.recall.next is not None and self.recall.next < packet.ts
        for known, entry, fact in self._merged(packet, facts) if facts or recalled else ():
            while place < len(rows) and rows[place].second <= known // SECOND:
                self._trade(rows[place])
                place += 1
            self._pass_to(known)
            self._take(packet, known, entry, fact)
        for row in rows[place:]:
            self._trade(row)
        self._pass_to(packet.ts)
        self._keep_peak(packet)

    def _merged(
        self, packet: Packet, facts: list[ContextFact],
    ) -> list[tuple[int, Entry | None, ContextFact | None]]:
        """The facts of the file that are due, and those of the packet."""
        came: list[tuple[int, Entry | None, ContextFact | None]]
        came = [(int(fact.late or fact.ts_event), None, fact) for fact in facts]
        if self.recall is not None:
            came = [(int(entry.ts), entry, entry.fact) for entry in self.recall.due(packet.ts)] + came
            came.sort(key=lambda event: event[0])
        return came

    def _trade(self, row: Second) -> None:
        if row.second > self.second:
            self._pass_to(row.second * SECOND)
            self.second = row.second
        self.traded = fixed(row.close)

    def _finish(self, ts: int) -> None:
        """Value the account at the close of the second that is over."""
        if (self.second + 1) * SECOND <= ts:
            self.second, self.last = -1, self.traded
            if self.ledger.holdings:
                self._mark(self.traded)

    def _pass_to(self, ts: int) -> None:
        if self.second >= 0:
            self._finish(ts)
        if ts >= self.ledger.day.end:
            self.ledger.pass_to(ts, self._profit(self.last))

    def _mark(self, price: int) -> None:
        self.ledger.mark(self._profit(price))

    def _profit(self, price: int | None) -> int | None:
        """Open profit at a price of the packets' contract, 1e-18; None where a position cannot be valued by it."""
        total = 0
        for contract, holding in self.ledger.holdings.items():
            if price is None or not self._same_scale(contract, holding):
                return None
            profit = holding.open_profit(price)
            if profit is None:
                return None
            total += profit
        return total

    def _same_scale(self, contract: str, holding: Holding) -> bool:
        """Whether the packets' price is that of a position's contract, or of its sister of another size."""
        if holding.instrument_id != self.instrument_id:
            return self.named and contract == self.own
        return contract == self.own or sisters(contract, self.own)

    # --- records

    def _take(self, packet: Packet, known: int, entry: Entry | None, fact: ContextFact | None) -> None:
        if entry is not None:
            self._recall(entry)
        elif fact is not None and not isinstance(fact, NewsFact):
            contract = contract_of(fact, self.own)
            new, to_keep = (True, True) if self.recall is None else self.recall.is_new(fact, contract)
            if not new:
                return
            value = self._value_of(contract) if contract is not None else None
            if to_keep and self.log is not None:
                told = packet.instrument_id if contract is not None else None
                self.log.add(Entry(packet.series, str(known), fact, contract, value, told))
            self._apply(fact, contract, value, packet.instrument_id)

    def _recall(self, entry: Entry) -> None:
        if entry.fact is not None:
            self._apply(entry.fact, entry.contract, entry.value, entry.instrument_id or -1)
        if entry.peak is not None:
            self.ledger.peak = max(int(entry.peak), self.ledger.peak or int(entry.peak))
        if entry.low is not None:
            self.ledger.day.low = min(self.ledger.day.low, int(entry.low))

    def _apply(self, fact: ContextFact, contract: str | None, value: float | None, instrument_id: int) -> None:
        self.seen = None
        if isinstance(fact, KillFact):
            self._kill(fact)
        elif isinstance(fact, AccountFact):
            self.ledger.account(fact)
        elif isinstance(fact, FillFact) and contract is not None:
            self.ledger.fill(fact, contract, None if value is None else fixed(value), instrument_id)
        if not self.ledger.holdings:
            self.ledger.mark(0)

    def _kill(self, fact: KillFact) -> None:
        """An order to stop holds until one to resume that is no older."""
        ts = int(fact.ts_event)
        if fact.active:
            self.killed, self.kill_detail, self.kill_ts = True, fact.detail, max(ts, self.kill_ts)
        elif ts >= self.kill_ts:
            self.killed, self.kill_detail = False, ""

    def _value_of(self, contract: str) -> float | None:
        """Point value of a contract: the packets' own, or what is known of its name."""
        spec = spec_of(contract)
        own = (root_of(contract) or contract) == (root_of(self.own) or self.own)
        return self.point_value if own and self.point_value is not None else spec.point_value if spec else None

    def _keep_peak(self, packet: Packet) -> None:
        """Write how high the account has come, when a minute ends."""
        peak = self.ledger.peak
        if self.log is None or peak is None or packet.ts % MINUTE or peak == self.kept_peak:
            return
        self.kept_peak = peak
        self.log.add(Entry(packet.series, str(packet.ts), peak=str(peak), low=str(self.ledger.day.low)))

    # --- the reading

    def _reading(self, packet: Packet, market: Market) -> RiskReading:
        held = bool(self.ledger.holdings)
        age: int | None = None
        if market.price_ts is not None and (held or self.stale_seconds):
            age = max(0, packet.ts - int(market.price_ts)) // SECOND
        old = held and (age is None or age > (self.stale_seconds or STALE))
        profit = self._profit(None if old or packet.price is None else fixed(packet.price)) if held else 0
        known = self._account(profit, age, packet.ts)
        of_market = self._of_market(packet, market, age) if self.watching else []
        factor = 1.0 if self.usual is None else self.usual.factor
        if self.kept is None or known or of_market != self.of_market or factor != self.kept.size_factor:
            self.of_market = of_market
            self.kept = self._build(factor)
        return self.kept

    def _account(self, profit: int | None, age: int | None, ts: int) -> bool:
        """Bring the guards of the account up to date; whether anything in it has changed."""
        ledger = self.ledger
        resume = self._resume(ts)
        now = (profit, ledger.day.date, ledger.day.low, ledger.peak, resume, age if profit is None else None)
        if now == self.seen:
            return False
        self.seen = now
        self.until = min(ledger.day.end, resume or ledger.day.end)
        if self.recall is not None and self.recall.next is not None:
            self.until = min(self.until, self.recall.next + 1)
        self.of_account, fallen = self._guards(profit, resume, age)
        self.figures = self._figures(profit, fallen)
        return True

    def _resume(self, ts: int) -> int:
        """When the pause ends that is on now; 0 without one."""
        resume = self.ledger.last_loss + round(self.pause_minutes * MINUTE)
        return resume if self.losses and self.ledger.day.losses >= self.losses and ts < resume else 0

    def _guards(self, profit: int | None, resume: int, age: int | None) -> tuple[list[Guard], int | None]:
        """The guards of the account that are set, in the order of their names, and the drawdown."""
        ledger, closed = self.ledger, self._closed()
        value = ledger.value(profit)
        fallen = None if closed or value is None or ledger.peak is None else max(0, ledger.peak - value)
        unpriced = "no price yet" if age is None else f"the price is {age} s old" if age > STALE or (
            self.stale_seconds and age > self.stale_seconds) else "the price is not that of the position's contract"
        known = Known(
            closed, unpriced, unpriced if ledger.balance is not None else NO_BALANCE,
            None if closed or profit is None else ledger.day.realised + profit, ledger.day.low, fallen,
            ledger.day.trades, ledger.day.losses, resume,
        )
        return self.limits.of_account(known, guards.kill(self.killed, self.kill_detail)), fallen

    def _closed(self) -> str | None:
        """Why the trader's records do not tell the account's state."""
        ledger = self.ledger
        if self.log is not None and self.log.fault is not None:
            return self.log.fault
        if not ledger.informed:
            return NO_RECORDS
        if (doubt := ledger.mismatch or ledger.day.doubt) is not None:
            return doubt
        for contract in ledger.holdings:
            spec = spec_of(contract)
            if spec is not None and ledger.currency is not None and spec.currency not in (None, ledger.currency):
                return f"{contract} is in {spec.currency}, the account in {ledger.currency}"
        return None

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
        ledger = self.ledger
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
        if self.log is not None and self.log.fault is not None:
            reasons.insert(0, self.log.fault)
        told = self.figures
        return RiskReading(
            not reasons, reasons, factor, self.killed, told.balance, told.currency, told.position, told.realised,
            told.open, told.trades, told.losses, told.drawdown, found, self.names_off,
        )
