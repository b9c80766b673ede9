"""Contract specifications: what a price step is worth. Nothing is guessed for an instrument that is not known."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Literal

from .blocks import PRICE_SCALE, UNDEF_PRICE
from .packets import fixed

MONTHS = "FGHJKMNQUVXZ"  # January to December
GOLD = frozenset({"GC", "MGC", "1OZ"})
_DELIVERED_GOLD = frozenset({"GC", "MGC"})  # 1OZ settles in cash

_CONTRACT = re.compile(rf"(?P<root>[A-Z0-9]+?)(?P<month>[{MONTHS}])(?P<year>\d{{1,2}})")
_SERIES = re.compile(r"(?P<root>[A-Z0-9]+)(?:\.[cvn]\.\d+|\.FUT|=F)")
_MARCH, _MAY = 3, 5


@dataclass(frozen=True, slots=True)
class Spec:
    """One contract's specification; None is what is not known."""

    root: str
    tick: float | None                   # smallest price step
    point_value: float | None            # money per 1.0 of price and contract
    currency: str | None
    ladder: tuple[str, ...]              # roots of the same thing, largest first, from this one down
    months: str                          # month codes listed, "" where not known
    source: Literal["built-in", "option", "definition"]

    def with_options(self, tick: float | None, point_value: float | None) -> Spec:
        """This specification with what the user gave in its place.

        A contract that the user describes stands alone: its smaller sisters are not the user's.
        """
        tick = self.tick if tick is None else tick
        value = self.point_value if point_value is None else point_value
        if (tick, value) == (self.tick, self.point_value):
            return self
        return replace(self, tick=tick, point_value=value, ladder=(self.root,), source="option")


def _family(*rows: tuple[str, float, float, str]) -> dict[str, Spec]:
    roots = tuple(row[0] for row in rows)
    return {
        root: Spec(root, tick, value, "USD", roots[place:], months, "built-in")
        for place, (root, tick, value, months) in enumerate(rows)
    }


SPECS: dict[str, Spec] = {
    **_family(("GC", 0.10, 100.0, MONTHS), ("MGC", 0.10, 10.0, "GJMQVZ"), ("1OZ", 0.25, 1.0, "GJMQVZ")),
    **_family(("ES", 0.25, 50.0, "HMUZ"), ("MES", 0.25, 5.0, "HMUZ")),
    **_family(("NQ", 0.25, 20.0, "HMUZ"), ("MNQ", 0.25, 2.0, "HMUZ")),
    **_family(("SI", 0.005, 5000.0, MONTHS), ("SIL", 0.005, 1000.0, "")),
    **_family(("CL", 0.01, 1000.0, MONTHS), ("MCL", 0.01, 100.0, MONTHS)),
}


@lru_cache(maxsize=4096)
def root_of(symbol: str) -> str | None:
    """The product behind a raw symbol or a series; None when the symbol has no such form.

    >>> root_of("GCZ6"), root_of("1OZG26"), root_of("GC.v.0"), root_of("GC=F"), root_of("GCZ6-GCG7")
    ('GC', '1OZ', 'GC', 'GC', None)
    """
    match = _CONTRACT.fullmatch(symbol) or _SERIES.fullmatch(symbol)
    return match["root"] if match else None


@lru_cache(maxsize=4096)
def spec_of(symbol: str) -> Spec | None:
    """The built-in specification of a raw symbol, series or root; None when it is not in the table.

    >>> spec_of("ESH4").point_value, spec_of("ZZZ9")
    (50.0, None)
    """
    return SPECS.get(symbol) or SPECS.get(root_of(symbol) or "")


def spec_from_definition(record: Any) -> Spec:
    """The specification in a definition record, DBN's own or ours.

    point_value = unit_of_measure_qty, checked against min_price_increment_amount / min_price_increment. The venue's
    amount is money per tick, and Databento multiplies it by display_factor as it does prices (ES: 12.50 is given as
    0.125), so that factor is taken out again. Where the two disagree (products quoted in cents) it stays None.
    """
    root = record.asset or root_of(record.raw_symbol) or record.raw_symbol
    tick = _defined(record.min_price_increment)
    known = SPECS.get(root)
    return Spec(
        root, None if tick is None else tick / PRICE_SCALE, _point_value(record, tick), record.currency or None,
        known.ladder if known else (root,), known.months if known else "", "definition",
    )


def _point_value(record: Any, tick: int | None) -> float | None:
    quantity, amount = _defined(record.unit_of_measure_qty), _defined(record.min_price_increment_amount)
    if quantity is None or tick is None:
        return None
    factor = _defined(record.display_factor)
    agrees = amount is None or (factor is not None and amount * PRICE_SCALE**2 == quantity * tick * factor)
    return quantity / PRICE_SCALE if agrees else None


def _defined(value: float | None) -> int | None:
    """The field in 1e-9: DBN's own integer, or the number that a record of ours holds."""
    if value is None or value == UNDEF_PRICE or value <= 0:
        return None
    return fixed(value) if isinstance(value, float) else value


def is_outright(symbol: str) -> bool:
    """Whether a symbol is one plain contract: not a spread, a combination, an option or a parent of options.

    >>> [is_outright(name) for name in ("GCZ6", "GC.v.0", "GCZ6-GCG7", "GC:BF Z6-G7-J7", "OGZ6 C2600", "GC.OPT")]
    [True, True, False, False, False, False]
    """
    return not (any(sign in symbol for sign in "- :") or symbol.endswith((".OPT", ".SPOT")))


@lru_cache(maxsize=4096)
def days_to_first_notice(symbol: str, trade_date: str) -> int | None:
    """Calendar days from a trade date (ISO) to first notice of delivered gold; negative once it is past.

    None for what is not delivered gold, and for symbols without a delivery month.

    >>> days_to_first_notice("GCZ6", "2026-11-20")
    10
    """
    match = _CONTRACT.fullmatch(symbol)
    if not match or match["root"] not in _DELIVERED_GOLD:
        return None
    today = date.fromisoformat(trade_date)
    return (first_notice(_year(match["year"], today.year), MONTHS.index(match["month"]) + 1) - today).days


def _year(digits: str, this_year: int) -> int:
    """A one-digit year is the first one from this year on that ends so: a contract that trades is not over."""
    return 2000 + int(digits) if len(digits) > 1 else this_year + (int(digits) - this_year) % 10


def first_notice(year: int, month: int) -> date:
    """Last business day before a delivery month: the first notice day of COMEX gold.

    Two holidays can fall on the last weekday of a month: Good Friday and Memorial Day.
    """
    day = date(year, month, 1)
    while True:
        day -= timedelta(1)
        memorial = day.month == _MAY and day.weekday() == 0
        if day.weekday() < 5 and not memorial and day != _easter(day.year) - timedelta(2):
            return day


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar, by Gauss's rule in its corrected form."""
    century = year // 100
    moon = (15 - (13 + 8 * century) // 25 + century - century // 4) % 30
    golden = year % 19
    full = (19 * golden + moon) % 30
    full -= full == 29 or (full == 28 and golden > 10)
    sunday = (4 + century - century // 4) % 7
    offset = (2 * (year % 4) + 4 * (year % 7) + 6 * full + sunday) % 7
    return date(year, _MARCH, 22) + timedelta(full + offset)
