"""Prices fetched again and again, as ``quote`` records; what goes wrong, and who gives them, stands between them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from msgspec.structs import replace

from ...blocks import SECOND, Block
from ...errors import SourceUnavailable
from ...records import Quote, System, mapping_bytes, to_dbn
from .fetch import YAHOO, Fetcher
from .options import GOLD, PollOptions

logger = logging.getLogger(__name__)

NAME = "quotes"
LONGEST_DETAIL = 180            # bytes of a system record's words: DBN's message holds 302 with all that is around them


@dataclass(slots=True)
class Clock:
    """The wall clock as a time that never goes back, in ns; and a way to wait for it."""

    wall: Callable[[], int] = time.time_ns
    sleep: Callable[[float], object] = time.sleep
    stopped: Callable[[], bool] = lambda: False  # whether somebody wants an end; sleep is over then, too
    last: int = 0

    def now(self) -> int:
        """ns since 1970, no earlier than before."""
        self.last = max(self.last, self.wall())
        return self.last

    def wait(self, until: int) -> None:
        """Sleep until a time (ns)."""
        left = until - self.wall()
        if left > 0:
            self.sleep(left / SECOND)


@dataclass(slots=True)
class Watch:
    """One symbol's prices: remembers whose the last one was, and of which contract.

    All are of one instrument, Yahoo's too, so that what stands between them reaches whoever reads them; another
    contract of Databento's is another instrument, and so a roll.
    """

    symbol: str
    fetcher: Fetcher
    clock: Clock
    source: str = ""
    contract: str | None = None                 # Databento's last one
    instrument: int | None = None
    named: tuple[int, str | None] | None = None  # as the stream knows it: instrument and raw symbol
    failed: int = 0             # polls in a row without a price
    told: bool = False          # whether this poll gave a price

    def poll(self) -> bytes:
        """The records of one poll: the price, ahead of it what changed; or why there is none."""
        try:
            quote, why = self.fetcher.fetch()
        except SourceUnavailable as error:
            self.failed, self.told = self.failed + 1, False
            return self._system("stale", str(error), self.failed)
        parts = self._changes(quote, why)
        self.failed, self.told, self.source = 0, True, quote.source
        return parts + self._record(quote)

    def _changes(self, quote: Quote, why: str) -> bytes:
        """That another vendor gives the prices now, or the same one again."""
        if quote.source == YAHOO and self.source != YAHOO and why:
            return self._system("fallback", f"prices are Yahoo's, {quote.quality}: {why}")
        if quote.source != YAHOO and self.source == YAHOO:
            return self._system("reconnect", f"prices are {quote.source}'s again")
        if self.failed:
            return self._system("reconnect", f"prices again after {self.failed} polls without", self.failed)
        return b""

    def _record(self, quote: Quote) -> bytes:
        """The price, named where its contract was not the last one's."""
        ts, named = self.clock.now(), (self._instrument(quote), quote.symbol)
        names = b"" if named == self.named else mapping_bytes(named[0], self.symbol, named[1], ts)
        self.named = named
        return names + to_dbn(replace(quote, ts_event=str(ts), instrument_id=named[0]))

    def _instrument(self, quote: Quote) -> int:
        """The instrument whose price this is to be: the last one's, unless the contract is another."""
        rolled = False
        if quote.source != YAHOO:
            rolled = self.contract not in (None, quote.symbol)
            self.contract = quote.symbol
        if self.instrument is None or rolled:
            self.instrument = quote.instrument_id
        return self.instrument

    def _system(self, kind: Literal["stale", "fallback", "reconnect"], detail: str, count: int | None = None) -> bytes:
        (logger.info if kind == "reconnect" else logger.warning)("%s: %s", self.symbol, detail)
        words = detail.encode()[:LONGEST_DETAIL].decode("utf-8", "ignore")
        return to_dbn(System(kind=kind, ts_event=str(self.clock.now()), series=self.symbol, detail=words, count=count))


def quotes(
    symbols: Sequence[str], options: PollOptions, *, limit: int | None = None, clock: Clock | None = None,
) -> Iterator[Block]:
    """Prices of the symbols, gold's without any, one of each a poll; ``limit`` of them all in all.

    After a price comes a clock record of the next whole second, so that nobody waits for the next one to see it.
    Raises NotEntitled where Databento alone is asked and refuses; all else that fails is told in the stream.
    """
    clock, period, left = clock or Clock(), options.period, limit
    watches = [Watch(one, options.fetcher(one, options.age), clock) for one in dict.fromkeys(symbols or (GOLD,))]
    while (left is None or left > 0) and not clock.stopped():
        began = clock.now()
        for watch in watches[:left]:
            yield Block(watch.poll(), NAME)
            left = left - watch.told if left is not None else None
        if any(watch.told for watch in watches):
            yield Block(mark(clock), NAME)
        if left != 0:
            clock.wait(began + period)


def mark(clock: Clock) -> bytes:
    """Wait for the next whole second and say that it has come."""
    second = (clock.now() // SECOND + 1) * SECOND
    clock.wait(second)
    clock.last = max(clock.last, second)
    return to_dbn(System(kind="clock", ts_event=str(second)))
