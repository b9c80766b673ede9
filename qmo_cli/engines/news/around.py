"""What price and flow did around events of a kind, as far as this input shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ...packets import Second
from ...times import SECOND

MINUTES = 15
SPAN = MINUTES * 60                # s, before the event and after it
NUMBERS = re.compile(r"\d+(?:st|nd|rd|th)?\b")
LETTERS = re.compile(r"[^\W\d_]+")
MONTHS = frozenset((
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
))


def kind_of(headline: str) -> str:
    """What sort of event a headline names: its words in small letters, without numbers, months and punctuation.

    >>> kind_of("CPI y/y (Mar 2026)"), kind_of("CPI Y/Y (Apr 2026)"), kind_of("2026")
    ('cpi y y', 'cpi y y', '2026')
    """
    small = headline.casefold()
    words = [word for word in LETTERS.findall(NUMBERS.sub(" ", small)) if word not in MONTHS]
    return " ".join(words) or small.strip()


@dataclass(slots=True)
class Watch:
    """The 15 minutes before and after one event, second by second: a row counts by its second."""

    event: int                     # s
    kind: str
    price_before: float | None     # last trade before the watch began
    price_at: float | None = None  # last trade before the event, of those in the watch
    price_after: float | None = None
    delta_before: int = 0          # contracts bought - sold by aggressors
    delta_after: int = 0

    def take(self, rows: list[Second]) -> None:
        """Count the rows that lie within."""
        for row in rows:
            away = row.second - self.event
            if away < -SPAN:
                self.price_before = row.close
            elif away < 0:
                self.price_at = row.close
                self.delta_before += row.buy - row.sell
            elif away < SPAN:
                self.price_after = row.close
                self.delta_after += row.buy - row.sell

    def over(self, now: int) -> bool:
        """Whether nothing can come any more at this time (ns): the last second has come, and one for latecomers."""
        return now >= (self.event + SPAN + 1) * SECOND


@dataclass(slots=True)
class Past:
    """Sums over the events of one kind that were seen from 15 minutes before to 15 minutes after."""

    n: int = 0
    up: int = 0                    # price was higher 15 minutes after than at the event
    move_before: list[float] = field(default_factory=list)
    move_after: list[float] = field(default_factory=list)
    delta_before: int = 0
    delta_after: int = 0

    def add(self, watch: Watch) -> bool:
        """Count one event; not one around which nothing traded, for then nobody knows what it did."""
        start, middle, end = watch.price_before, watch.price_at, watch.price_after
        if start is None or middle is None or end is None:
            return False
        self.n += 1
        self.up += end > middle
        self.move_before.append(middle - start)
        self.move_after.append(end - middle)
        self.delta_before += watch.delta_before
        self.delta_after += watch.delta_after
        return True
