"""bbo-1s and bbo-1m: against the vendor's definition, applied by hand and in the plainest way."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from qmo_cli.blocks import UNDEF_PRICE, UNDEF_TIME, Block
from qmo_cli.feeds.derive import derive
from qmo_cli.feeds.sim import SimOptions, simulate
from qmo_cli.records.layout import layout

from .samples import mbo, records, vendor

SECOND = 1_000_000_000
BEGIN = 1_791_208_800 * SECOND
OPTIONS = SimOptions(seed=4, minutes=3, icebergs=0.003, gaps=40)
ADD, CANCEL, TRADE, FILL = vendor.Action.ADD, vendor.Action.CANCEL, vendor.Action.TRADE, vendor.Action.FILL
BID, ASK = vendor.Side.BID, vendor.Side.ASK


def at(seconds: float, action: Any, side: Any, price: int, **more: Any) -> bytes:
    """A record so many seconds after a whole second; ts_event 1 ms earlier."""
    ts = BEGIN + round(seconds * SECOND)
    fields = {"action": action, "side": side, "price": price * SECOND, "ts_recv": ts, "ts_event": ts - 1_000_000}
    return mbo(0, **{**fields, **more})


def samples(data: bytes, schema: str = "bbo-1s") -> list[Any]:
    """The vendor's view of what is derived."""
    made = b"".join(records(derive(iter([Block(data, "made")]), schema)))
    return list(vendor.DBNDecoder(has_metadata=False, input_version=3).write_and_decode(made))


def shown(record: Any) -> tuple[Any, ...]:
    """A sample: end in seconds, bid and ask, the last trade."""
    level = record.levels[0]
    end = (record.ts_recv - BEGIN) / SECOND
    return end, level.bid_px // SECOND, level.ask_px // SECOND, record.price // SECOND, record.size, str(record.side)


def test_a_sample_ends_every_interval_in_which_something_happened_and_carries_on_what_did_not() -> None:
    data = b"".join([
        at(0.2, ADD, BID, 100, order_id=1, size=3), at(0.4, ADD, ASK, 102, order_id=2, size=2),
        at(1.1, TRADE, BID, 102, order_id=9, size=1, sequence=7), at(1.1, FILL, ASK, 102, order_id=2),
        at(3.5, ADD, BID, 101, order_id=3, sequence=8), at(4.0, CANCEL, BID, 101, order_id=3),
        at(5.5, ADD, BID, 90, order_id=4), at(7.0, TRADE, ASK, 100, order_id=8, size=2),
    ])
    none = UNDEF_PRICE // SECOND
    assert [shown(record) for record in samples(data)] == [
        (1, 100, 102, none, 0, "N"), (2, 100, 102, 102, 1, "B"), (4, 101, 102, 102, 1, "B"),
        (5, 100, 102, 102, 1, "B"), (8, 100, 102, 100, 2, "A")]


def test_the_time_of_a_sample_is_the_last_trades_and_undefined_before_one() -> None:
    data = at(0.2, ADD, BID, 100, order_id=1) + at(61.25, TRADE, BID, 102, sequence=70)
    first, second = samples(data, "bbo-1m")
    assert (first.ts_event, second.ts_event) == (UNDEF_TIME, BEGIN + 61_249_000_000)
    assert (first.ts_recv, second.ts_recv) == (BEGIN + 60 * SECOND, BEGIN + 120 * SECOND)
    assert (second.sequence, int(second.flags), int(second.rtype)) == (70, 128, 196)
    assert second.levels[0].ask_px == UNDEF_PRICE


def test_a_record_at_the_boundary_belongs_to_the_next_interval() -> None:
    found = samples(at(0.5, ADD, BID, 100, order_id=1) + at(1.0, ADD, BID, 101, order_id=2))
    assert [shown(record)[:2] for record in found] == [(1, 100), (2, 101)]


@pytest.mark.parametrize(("schema", "span"), [("bbo-1s", SECOND), ("bbo-1m", 60 * SECOND)])
def test_samples_of_a_market_are_those_of_its_mbp_1_records(schema: str, span: int) -> None:
    kind, quote = layout(schema), layout("mbp-1")
    newest: dict[int, dict[str, Any]] = {}
    trade: dict[str, Any] = {"price": None, "size": 0, "side": "N"}
    for record in records(derive(simulate(OPTIONS), "mbp-1")):
        fields = quote.unpack(record, 0)
        end = int(fields["ts_recv"]) // span * span + span
        if fields["action"] == "T":
            trade = {name: fields[name] for name in ("price", "size", "side")}
        newest[end] = {**trade, "sequence": fields["sequence"]}
    found = [kind.unpack(record, 0) for record in records(derive(simulate(OPTIONS), schema))]
    assert [int(each["ts_recv"]) for each in found] == sorted(newest)
    for each in found:
        want = newest[int(each["ts_recv"])]
        assert {name: each[name] for name in want} == want


def test_the_best_prices_of_a_sample_are_those_after_the_last_whole_event() -> None:
    quote, kind = layout("mbp-1"), layout("bbo-1s")
    after: dict[int, bytes] = {}
    level = b""
    for record in records(derive(simulate(OPTIONS), "mbp-1")):
        end = int.from_bytes(record[32:40], "little") // SECOND * SECOND + SECOND
        level = record[48:] if record[28:29] != b"T" else level    # of a trade: what was before it
        after[end] = level
    found = {int(kind.unpack(record, 0)["ts_recv"]): record[48:]
             for record in records(derive(simulate(OPTIONS), "bbo-1s"))}
    assert quote.size == kind.size == 80
    assert len(found) > 100
    # a trade alone leaves the levels that its own event makes to the event's record, mostly of the same second
    same = [end for end in found if found[end] == after[end]]
    assert len(same) > 0.98 * len(found)


def test_every_instrument_is_sampled_by_itself() -> None:
    pieces = [at(second + 0.1 * number, ADD, BID, 100 + second, instrument_id=number, order_id=second)
              for second, number in itertools.product(range(3), (1, 2))]
    found = samples(b"".join(pieces))
    assert sorted((record.instrument_id, *shown(record)[:2]) for record in found) == [
        (number, second + 1, 100 + second) for number in (1, 2) for second in range(3)]
