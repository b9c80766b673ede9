"""Hypothesis strategies: records of the schemas that have no orders."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from .dice import Dice
from .streams import SERIES, Stream, bytes_of, clock, fact, gap
from .streams_exchange import MIDDLE, price
from .support import START, Quote, bbo, mapping, mbp1, mbp10, ohlcv, tbbo, trade


def quotes(dice: Dice, depth: int) -> tuple[list[Quote], list[Quote]]:
    """A book of up to ``depth`` levels on each side; a side is empty now and then."""
    middle = MIDDLE + dice.below(5)
    sides: list[list[Quote]] = []
    for direction in (-1, 1):
        count = 0 if dice.chance(4) else depth - dice.below(2)
        rows = [(price(middle + direction * (rank + 1)), 1 + dice.below(9), 1 + dice.below(3)) for rank in range(count)]
        sides.append(list(rows))
    return sides[0], sides[1]


BEHIND = {"ohlcv-1s": 1_000_000_000, "ohlcv-1m": 60_000_000_000}  # ns from a bar's open to its end

Books = dict[int, tuple[list[Quote], list[Quote]]]


def poor_record(schema: str, dice: Dice, ts_event: int, instrument: int, books: Books) -> bytes:
    """One record of a schema without orders. A trade leaves the book as it is: the change follows it."""
    side, size, at = "BAN"[dice.below(3) % 3], 1 + dice.below(9), price(MIDDLE + dice.below(9) - 2)
    ts_recv = None if dice.chance(5) else ts_event + 100_000
    times: dict[str, Any] = {"ts_event": ts_event, "ts_recv": ts_recv, "instrument": instrument}
    if schema.startswith("ohlcv"):
        bottom, top = at, price(MIDDLE + 9)
        return ohlcv(
            (at, top, bottom, at), size, ts_event=ts_event, instrument=instrument, interval=schema.partition("-")[2])
    times["flags"] = 128 | (12 if dice.chance(4) else 0)
    if schema == "trades":
        return trade(side, at, size, **times)
    action = "TAMC"[dice.below(4)]
    if instrument not in books or not (schema.startswith("mbp") and action == "T"):
        books[instrument] = quotes(dice, 10 if schema == "mbp-10" else 1)
    bids, asks = books[instrument]
    absent: Quote = (None, 0, 0)
    bid, ask = (bids or [absent])[0], (asks or [absent])[0]
    if schema == "tbbo":
        return tbbo(side, at, size, bid, ask, **times)
    if schema == "bbo-1s":
        return bbo(bid, ask, price=None if dice.chance(60) else at, **times)
    if schema == "mbp-1":
        return mbp1(action, side, at, size, bid, ask, **times)
    return mbp10(action, side, at, size, bids, asks, **times)


def poor_records(data: bytes, schemas: tuple[str, ...], instruments: int, *, clocks: bool = False) -> list[bytes]:
    """Records of schemas without orders, mixed record by record, the richest first or not."""
    dice, now, books, seen = Dice(data), START, Books(), set[int]()
    rich = dice.chance(100)
    records = [mapping(SERIES[index], SERIES[index], instrument=10 + index) for index in range(instruments)]
    while not dice.empty:
        instrument = 10 + dice.below(instruments)
        schema = schemas[dice.below(len(schemas)) if instrument in seen or not rich else 0]
        seen.add(instrument)
        behind = BEHIND.get(schema, 700_000_000 if dice.chance(4) else 0)
        records.append(poor_record(schema, dice, now - behind, instrument, books))
        now += (0, 0, 1, 15_000_000, 40_000_000, 300_000_000, 2_500_000_000)[dice.below(7)]
        if clocks and dice.chance(12):
            records.append((gap if dice.chance(40) else clock)(now - dice.below(3) * 40_000_000))
            records.append(fact(now - now // 1_000_000 % 3 * 30_000_000))
    return Stream(records)


POOR = (
    ("trades",), ("tbbo",), ("mbp-1",), ("mbp-10",), ("bbo-1s",), ("ohlcv-1s",), ("trades", "bbo-1s"),
    ("mbp-10", "trades"), ("mbp-10", "mbp-1", "trades", "ohlcv-1s"), ("tbbo", "trades", "bbo-1s"),
    ("ohlcv-1s", "ohlcv-1m"), ("trades", "ohlcv-1s", "bbo-1s"), ("mbp-1", "bbo-1s", "ohlcv-1m"),
)


@st.composite
def poor_streams(draw: st.DrawFn, schemas: tuple[str, ...], least: int = 200, most: int = 2000) -> list[bytes]:
    """Records of one or two schemas without orders, for one or two instruments."""
    return poor_records(draw(bytes_of(least, most)), schemas, draw(st.integers(1, 2)), clocks=draw(st.booleans()))
