"""One price: from the cache, from Databento, or, when that has failed more than three times in a row, from Yahoo."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from msgspec.structs import replace

from ...blocks import SECOND
from ...errors import NotEntitled, SourceUnavailable
from ...records import Quote
from .cache import Cache, Failure, Held, State, Trouble

DATABENTO, YAHOO = "databento", "yahoo"
MAX_AGE = 15 * SECOND           # ns: how old a price may be and still be given to the next who asks
FAILURES = 3                    # in a row; one more, and Yahoo is asked
FIRST_PAUSE, LONGEST_PAUSE = SECOND, 60 * SECOND

Which = Literal["auto", "databento", "yahoo"]
Ask = Callable[[int], Quote]    # ns, now -> a price. Raises SourceUnavailable or NotEntitled


class NoKey(NotEntitled):
    """There is no key to ask with: the vendor has not failed."""


class NothingTraded(SourceUnavailable):
    """The vendor answers, and has no price to tell, since the market is closed: it has not failed."""


class Fetched(NamedTuple):
    """A price; and why it is Yahoo's, where Databento's was wanted."""

    quote: Quote
    why: str = ""


@dataclass(slots=True)
class Fetcher:
    """The price of one symbol, for all processes that ask: whoever finds no fresh one asks, and the others wait.

    ``now`` is the wall clock in ns, since its readings are compared with those of other processes.
    """

    databento: Ask
    yahoo: Ask
    cache: Cache
    which: Which = "auto"
    max_age: int = MAX_AGE      # ns; 0: always ask
    now: Callable[[], int] = time.time_ns

    def fetch(self) -> Fetched:
        """A price. Raises SourceUnavailable with every reason, or NotEntitled where Databento alone was wanted."""
        began = self.now()
        found = self._fresh(self.cache.load(), began - self.max_age, began)
        if found:
            return found
        with self.cache.locked():
            state, began_to_ask = self.cache.load(), self.now()
            found = self._fresh(state, min(began, began_to_ask - self.max_age), began_to_ask)
            if found:
                return found
            failed = state.failure
            if failed and failed.which == self.which and began < failed.at <= began_to_ask:
                raise SourceUnavailable(failed.words)  # somebody asked while this process waited
            return self._ask(state)

    def _fresh(self, state: State, since: int, until: int) -> Fetched | None:
        """The price that is kept, if it is of the wanted vendor and was fetched within these times (ns)."""
        for vendor in (DATABENTO, YAHOO) if self.which == "auto" else (self.which,):
            held = state.held.get(vendor)
            if held and since < held.fetched <= until and (self.which != "auto" or vendor == DATABENTO or held.why):
                return Fetched(cached(held.quote, self.now()), held.why if self.which == "auto" else "")
        return None

    def _ask(self, state: State) -> Fetched:
        try:
            if self.which == YAHOO:
                return self._asked(state, YAHOO, "")
            return self._first_databento(state)
        except SourceUnavailable as error:
            state.failure = Failure(self.now(), self.which, str(error))
            raise
        finally:
            self.cache.save(state)

    def _first_databento(self, state: State) -> Fetched:
        try:
            return self._asked(state, DATABENTO, "")
        except (NoKey, NothingTraded) as error:
            return self._instead(state, error)
        except (SourceUnavailable, NotEntitled) as error:
            failures = state.trouble[DATABENTO].failures
            if self.which == DATABENTO:
                raise
            if failures <= FAILURES:
                words = f"failure {failures} in a row: after {FAILURES} Yahoo is asked"
                raise SourceUnavailable(f"{error}; {words}") from None
            return self._instead(state, error)

    def _instead(self, state: State, error: Exception) -> Fetched:
        """Yahoo's price, and why. Raises SourceUnavailable with both reasons."""
        if self.which == DATABENTO:
            raise error
        try:
            return self._asked(state, YAHOO, str(error))
        except SourceUnavailable as second:
            raise SourceUnavailable(f"{error}; {second}") from None

    def _asked(self, state: State, vendor: str, why: str) -> Fetched:
        """A vendor's price, kept for others. A vendor that failed is left alone for a while, unless it alone counts."""
        trouble, now, held = state.trouble.get(vendor, Trouble()), self.now(), state.held.get(vendor)
        if vendor == YAHOO and self.max_age and held and now - MAX_AGE < held.fetched <= now:
            return Fetched(cached(held.quote, now), why)  # it is minutes old in any case, and Yahoo counts requests
        if self.which == "auto" and 0 < trouble.retry_at - now <= LONGEST_PAUSE:
            wait = (trouble.retry_at - now + SECOND - 1) // SECOND
            raise SourceUnavailable(f"{trouble.reason} (asked again in {wait} s)")
        try:
            quote = replace((self.databento if vendor == DATABENTO else self.yahoo)(now), ts_event=str(self.now()))
        except (NoKey, NothingTraded):
            raise
        except (SourceUnavailable, NotEntitled) as error:
            state.trouble[vendor] = self._worse(vendor, trouble, error)
            raise
        state.trouble.pop(vendor, None)
        state.held[vendor], state.failure = Held(quote, now, why), None
        return Fetched(quote, why)

    def _worse(self, vendor: str, trouble: Trouble, error: Exception) -> Trouble:
        """One failure more; a key that is refused is as bad as too many."""
        spared = FAILURES if vendor == DATABENTO else 0
        failures = trouble.failures + 1
        if isinstance(error, NotEntitled):
            failures = max(failures, spared + 1)
        pause = pause_after(failures - spared)
        return Trouble(failures, str(error), self.now() + pause if pause else 0)


def pause_after(failures: int) -> int:
    """How long (ns) a vendor is left alone after so many failures that count.

    >>> [pause_after(failures) // SECOND for failures in (0, 1, 2, 6, 7, 100)]
    [0, 1, 2, 32, 60, 60]
    """
    return min(FIRST_PAUSE << min(failures - 1, 10), LONGEST_PAUSE) if failures > 0 else 0


def cached(quote: Quote, now: int) -> Quote:
    """The price as one that was kept: a real-time one no longer is, a worse one stays what it is."""
    return replace(quote, ts_event=str(now), quality="cached" if quote.quality == "real-time" else quote.quality)
