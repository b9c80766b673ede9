"""Facts for the packets' context: whom news, fills, accounts and kill switches concern, and who has been told."""

from __future__ import annotations

from typing import Any

from .packets import AccountFact, ContextFact, FillFact, KillFact, NewsFact
from .records import Account, Fill, Kill, News

Names = dict[int, tuple[str, str | None]]


class Facts:
    """All facts so far. A series that appears late is told what concerns it: a kill switch holds for it too."""

    def __init__(self) -> None:
        self.past: list[tuple[Any, ContextFact]] = []
        self.told: dict[str, int] = {}       # series -> how many of the past ones it has been offered

    def add(self, record: Any, ts: int, newest: int, names: Names) -> ContextFact:
        """The fact of a record that came when the stream had come to ``newest``."""
        fact = fact_of(record, str(ts), str(newest) if ts < newest else None, names)
        self.past.append((record, fact))
        return fact

    def offer(self, series: str, symbol: str | None, instrument_id: int) -> bool:
        """Whether the newest fact concerns an instrument, which has been told of it then."""
        self.told[series] = len(self.past)
        return concerns(self.past[-1][0], series, symbol, instrument_id)

    def missed(self, series: str, symbol: str | None, instrument_id: int) -> list[ContextFact]:
        """The facts that concern an instrument and came while its series had none."""
        since = self.told.get(series, 0)
        self.told[series] = len(self.past)
        return [fact for record, fact in self.past[since:] if concerns(record, series, symbol, instrument_id)]


def concerns(record: Any, series: str, symbol: str | None, instrument_id: int) -> bool:
    """Whether a record is about an instrument: it names the series, the contract or the id, or nothing at all.

    The contract of a fill is what traded, not whom it concerns: a loss in one contract counts in all of them.
    """
    if record.series is not None:
        return bool(record.series == series)
    if isinstance(record, Fill):
        return True
    if record.symbol is not None:
        return record.symbol in (symbol, series)
    return record.instrument_id in (0, instrument_id)


def fact_of(record: Any, ts: str, late: str | None, names: Names) -> ContextFact:
    """The record as packets have it."""
    if isinstance(record, News):
        return NewsFact(ts, record.headline, record.impact, record.sentiment, record.source, late)
    if isinstance(record, Fill):
        return FillFact(
            ts, contract_of(record, names), record.side, record.price, record.size, record.order_id, record.fees, late)
    if isinstance(record, Account):
        return AccountFact(ts, record.balance, record.equity, record.position, record.currency, late)
    assert isinstance(record, Kill)
    return KillFact(ts, record.active, record.detail, late)


def contract_of(fill: Fill, names: Names) -> str | None:
    """The contract of a fill: its symbol, else what its instrument id stands for; None: the packet's."""
    if fill.symbol is not None or fill.instrument_id == 0:
        return fill.symbol
    series, symbol = names.get(fill.instrument_id, (str(fill.instrument_id), None))
    return symbol or series
