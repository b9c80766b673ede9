"""The trader's account as the trader's own records tell it, trade date by trade date. Money in units of 1e-18."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...packets import AccountFact, FillFact
from ...sessions import next_trade_day_start, trade_date
from .holdings import Holding, Outcome, money


@dataclass(slots=True)
class Day:
    """What a trade date has brought. It begins with nothing."""

    date: str = ""
    end: int = 0                          # ns: 17:00 Chicago that opens the next
    realised: int = 0
    trades: int = 0
    losses: int = 0                       # one after another
    low: int = 0                          # the lowest that realised and open profit came to
    doubt: str | None = None              # why its result is not known


@dataclass(slots=True)
class Ledger:
    """Fills, balances and positions so far. ``intraday``: the peak moves with every mark, not at a day's end."""

    intraday: bool = False
    day: Day = field(default_factory=Day)
    holdings: dict[str, Holding] = field(default_factory=dict)
    informed: bool = False                # a fill or an account record has come
    last_loss: int = 0                    # ns, of the newest trade that ended in a loss
    balance: int | None = None
    balance_ts: int = -1                  # ns, of the account record that it comes from
    currency: str | None = None
    peak: int | None = None
    account_position: int | None = None   # of the newest account record that tells it
    mismatch: str | None = None           # its position is not that of the fills

    @property
    def position(self) -> int:
        """Contracts of all fills."""
        return sum([holding.size for holding in self.holdings.values()])

    def pass_to(self, ts: int, profit: int | None) -> None:
        """Begin the trade date of this time; the one before is over, and the peak of its end counts."""
        if self.day.end:
            self.raise_peak(profit)
        self.day = Day(trade_date(ts), next_trade_day_start(ts), doubt=self.mismatch)

    def raise_peak(self, profit: int | None) -> None:
        """The account's value is so high now."""
        if self.balance is not None and profit is not None:
            self.peak = max(self.balance + profit, self.balance + profit if self.peak is None else self.peak)

    def mark(self, profit: int | None) -> None:
        """Take note of the open profit at a price that was traded."""
        if profit is None:
            return
        self.day.low = min(self.day.low, self.day.realised + profit)
        if self.intraday:
            self.raise_peak(profit)

    def value(self, profit: int | None) -> int | None:
        """Balance and open profit; None where one is not known."""
        return None if self.balance is None or profit is None else self.balance + profit

    # --- records

    def fill(self, fact: FillFact, contract: str, value: int | None, instrument_id: int) -> None:
        """One fill. It counts on the trade date of its own time, however late it came."""
        self.informed = True
        if fact.size <= 0:
            self.day.doubt = f"a fill of {fact.size} contracts cannot be understood"
            return
        holding = self.holdings.get(contract)
        if holding is None or not holding.size:
            holding = self.holdings[contract] = Holding(value, instrument_id)
        outcome = holding.take(fact)
        if not holding.size:
            del self.holdings[contract]
        ts = int(fact.ts_event)
        self._book(outcome, contract, ts)
        if trade_date(ts) == self.day.date:
            self._count(outcome, ts)
        if self.mismatch is not None and self.account_position == self.position:
            self.mismatch = None

    def _book(self, outcome: Outcome, contract: str, ts: int) -> None:
        """Bring balance up to date; an account record that is younger than the fill knows of it already."""
        if outcome.realised is None:
            self.day.doubt = f"the point value of {contract} is not known"
            self.balance = None
        elif self.balance is not None and ts >= self.balance_ts:
            self.balance += outcome.realised

    def _count(self, outcome: Outcome, ts: int) -> None:
        day = self.day
        day.realised += outcome.realised or 0
        day.trades += outcome.opened
        for result in outcome.ended:
            if result is None or result < 0:
                day.losses, self.last_loss = day.losses + 1, max(self.last_loss, ts)
            elif result > 0:
                day.losses = 0

    def account(self, fact: AccountFact) -> None:
        """One account record: its balance stands, unless a younger one is known."""
        self.informed = True
        ts = int(fact.ts_event)
        if ts < self.balance_ts:
            return
        self.balance, self.balance_ts, self.currency = money(fact.balance), ts, fact.currency
        known = money(fact.equity) if fact.equity is not None else self.balance
        if self.peak is None or (self.intraday and known > self.peak):
            self.peak = known
        if fact.position is not None:
            self._compare(fact.position)

    def _compare(self, position: int) -> None:
        """Whether the account agrees with the fills. If it comes to agree without one, this date's result is doubtful.

        A flat account that says so twice is believed.
        """
        self.account_position = position
        if position == self.position:
            self.day.doubt = self.day.doubt or self.mismatch
            self.mismatch = None
        elif position == 0 and self.mismatch is not None:
            self.day.doubt, self.mismatch = self.mismatch, None
            self.holdings.clear()
        else:
            self.mismatch = f"the account holds {position} contracts, its fills make {self.position}"
