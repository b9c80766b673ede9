"""Reference reader, part 4: the native iceberg algebra, one change of one order at a time.

The definitions are in reference_orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .reference_book import Order
from .reference_records import Record, money

Fact = dict[str, Any]


@dataclass(slots=True)
class Story:
    """One change of one order, or F that no change followed."""

    order_id: int
    start: Order | None        # before it; for an unknown id as its C shows it; None: not knowable
    end: Order | None          # after it; None: gone
    fill: int                  # f
    away: int                  # passive volume filled at other prices, or of an order that is not knowable
    change: Record | None

    @property
    def action(self) -> str:
        return self.change.action if self.change else ""

    @property
    def gone(self) -> bool:
        return self.action == "C" and self.end is None


def tale(
    order_id: int, start: Order | None, end: Order | None, fills: list[tuple[Record, int | None]],
    change: Record | None,
) -> Story:
    """The story of one change; ``fills``: its F, each with the price where the order rested (None: any will do)."""
    sizes = [record.size for record, rested in fills if start and rested in (None, record.price)]
    volume = sum(record.size for record, _ in fills)
    return Story(order_id, start, end, sum(sizes), volume - sum(sizes), change)


def shown_at_the_end(record: Record | None) -> Order | None:
    """An unknown order as its cancel describes it."""
    if record is None or record.action != "C" or record.price is None:
        return None
    return Order(record.side, record.price, record.size, record.size, seen_added=False, seen_in_book=False)


def kind_of(case: Story, silent: bool) -> str | None:
    """The one word for what happened; None when it says nothing about an iceberg."""
    start, end, fill = case.start, case.end, case.fill
    if start is None or case.change is None:
        return None
    stays = case.action == "M" and end is not None and end.price == start.price
    if fill and end and stays and end.size > start.size - fill and not silent:
        return "refresh"
    if case.gone and fill > start.size and not silent:
        return "removal"
    return fate(case, start) if start.iceberg else None


def fate(case: Story, start: Order) -> str | None:
    """What became of a known iceberg that gave no new evidence."""
    if case.gone:
        return "executed" if case.fill >= start.size else "cancelled"
    if case.end and case.end.price != start.price:
        return "reprice"
    return "fill" if case.fill else None


def row(case: Story, kind: str, ts_event: int) -> Fact:
    """One IcebergFact."""
    start, end = case.start, case.end
    assert start is not None
    after = end.size if end else 0
    total = start.total + case.fill
    evidence = kind in ("refresh", "removal")
    return {
        "ts_event": str(ts_event), "kind": kind, "order_id": str(case.order_id), "side": start.side,
        "price": money(end.price if kind == "reprice" and end else start.price),
        "first": start.first, "before": start.size, "filled": case.fill, "after": after, "total": total,
        "revealed": after - (start.size - case.fill) if kind == "refresh" else 0,
        "hidden_filled": max(0, case.fill - start.size) if evidence else 0,
        "hidden_traded": max(0, total - start.first), "seen_added": start.seen_added,
    }


def died(case: Story) -> bool:
    """Whether the order was filled completely and never showed that it hid anything."""
    start = case.start
    return bool(start and start.seen_in_book and case.gone and case.fill == start.size and not start.iceberg)
