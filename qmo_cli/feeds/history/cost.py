"""What the missing part of a request costs: shown, and agreed to before anything is downloaded."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

from ...errors import QmoError, UsageError
from .names import readable
from .options import HistoryOptions
from .plan import Plan, Priced

logger = logging.getLogger(__name__)

MOST_LINES = 3
UNITS = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


Ask = Callable[[str], bool]


def settle(plan: Plan, options: HistoryOptions, ask: Ask | None) -> None:
    """Show the cost, and come back only where it is agreed to. Raises UsageError where it is more than allowed."""
    total = sum(price.cost for price in plan.prices)
    for stream in plan.streams:
        for line in lines(stream.prices):
            logger.warning("%s", line)
    if options.dry_run and not plan.prices:
        logger.warning("everything is in the cache: nothing to pay")
    if options.dry_run or options.yes or total <= options.max_cost:
        return
    if ask is None:
        raise UsageError(f"the download costs {dollars(total)}, more than --max-cost {options.max_cost:g}; "
                         f"--max-cost {math.ceil(total * 100) / 100:g} allows it, --yes whatever it costs")
    if not ask(f"Download for {dollars(total)}?"):
        raise QmoError("nothing was downloaded")


def lines(prices: list[Priced]) -> list[str]:
    """The stretches of one stream, a line each; many of them in one."""
    if len(prices) <= MOST_LINES:
        return [words(price) for price in prices]
    whole = prices[0].request._replace(end=prices[-1].request.end)
    total = Priced(whole, sum(price.cost for price in prices), sum(price.size for price in prices))
    return [f"{words(total)} ({len(prices)} stretches that are not in the cache)"]


def words(price: Priced) -> str:
    """A stretch with its size and cost."""
    request = price.request
    return (f"{request.symbol} {request.schema} {readable(request.start)} to {readable(request.end)}: "
            f"{volume(price.size)}, {dollars(price.cost)}")


def dollars(cost: float) -> str:
    """An amount, never rounded down to nothing.

    >>> dollars(3.17), dollars(0.0), dollars(0.0004)
    ('$3.17', '$0.00', 'less than $0.01')
    """
    return "less than $0.01" if 0 < cost < 0.01 else f"${cost:,.2f}"


def volume(size: int) -> str:
    """A number of bytes.

    >>> volume(4_200_000_000), volume(1344), volume(56)
    ('4.2 GB', '1.3 kB', '56 bytes')
    """
    for unit, scale in UNITS:
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} bytes"
