"""Exchange margin as a dated setting: a share of notional, known for some dates and unknown for the rest."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache

from ..instruments import GOLD

# First trade date of each setting; None: not known. The rate of gold became a share of notional on 2026-01-13 with
# 5 %, was raised to 6 and to 8 % on dates not recorded here, and to 9 % on 2026-02-06. Before that it was in dollars.
GOLD_MARGIN: tuple[tuple[str, float | None], ...] = (
    ("2026-01-13", 0.05), ("2026-01-14", None), ("2026-02-06", 0.09),
)
_DATES = [since for since, _ in GOLD_MARGIN]


@lru_cache(maxsize=256)
def margin_rate(root: str | None, trade_date: str) -> tuple[float | None, str]:
    """Share of notional, and since when; or None and the reason.

    >>> margin_rate("GC", "2026-02-10")
    (0.09, '2026-02-06')
    >>> margin_rate("ES", "2026-02-10")[0] is None
    True
    """
    if root not in GOLD:
        return None, f"the margin of {root or 'this instrument'} is not known; give it as an option"
    place = bisect_right(_DATES, trade_date) - 1
    since, rate = GOLD_MARGIN[place] if place >= 0 else ("", None)
    if rate is None:
        return None, f"the gold margin of {trade_date} is not known; give it as an option"
    return rate, since
