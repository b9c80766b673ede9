"""What can be wanted of a fetched price, and the fetcher that it takes."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...errors import UsageError
from ...times import SECOND, duration
from ..live.request import SERIES, address_of
from .cache import Cache, cache_path
from .fetch import MAX_AGE, Fetcher, Which
from .sources import Databento, Yahoo, single, yahoo_symbol

GOLD = SERIES
SHORTEST_POLL = SECOND          # ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Whom to ask."""

    vendor: Which = field(default="auto", metadata={
        "help": "Whom to ask: auto is Databento, and Yahoo when Databento failed more than three times in a row."})
    gateway: str | None = field(default=None, metadata={
        "help": "A live gateway instead of Databento's own, such as that of qmo gateway.", "metavar": "HOST:PORT"})
    yahoo_symbol: str | None = field(default=None, metadata={
        "help": "What Yahoo calls it; known for the front contracts of GC and MGC.", "metavar": "SYMBOL"})

    def fetcher(self, symbol: str, max_age: int) -> Fetcher:
        """The fetcher of a symbol's price; ``max_age`` in ns. Raises UsageError for a symbol of many contracts."""
        host, port = address_of(self.gateway) if self.gateway else (None, None)
        databento = Databento(single(symbol), host, port) if port else Databento(single(symbol))
        yahoo = Yahoo(symbol, self.yahoo_symbol or yahoo_symbol(symbol))
        place = ",".join(filter(None, (self.gateway, self.yahoo_symbol)))
        return Fetcher(databento, yahoo, Cache(cache_path(symbol, place)), self.vendor, max_age)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteOptions(Asking):
    """Whom to ask for one price, and how old it may be."""

    max_age: str = field(default="15s", metadata={
        "help": "Take a price that was fetched this long ago at the most, by whatever process.", "metavar": "TIME"})
    no_cache: bool = field(default=False, metadata={"help": "Fetch a new price in any case; it is kept for others."})

    @property
    def age(self) -> int:
        """ns."""
        return 0 if self.no_cache else duration(self.max_age)


@dataclass(frozen=True, slots=True, kw_only=True)
class PollOptions(Asking):
    """Whom to ask for prices, and how often."""

    poll: str = field(default="15s", metadata={"help": "Time from one price to the next.", "metavar": "TIME"})

    @property
    def period(self) -> int:
        """ns from one price to the next. Raises UsageError for less than a second."""
        period = duration(self.poll)
        if period < SHORTEST_POLL:
            raise UsageError(f"--poll {self.poll}: a vendor is asked once a second at the most")
        return period

    @property
    def age(self) -> int:
        """How old (ns) a price may be that another process fetched: never so old as the last one of this process."""
        return min(self.period * 2 // 3, MAX_AGE)
