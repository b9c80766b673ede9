"""The snapshot of a book: against applying every record in the plainest way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from qmo_cli.blocks import MBO, Block
from qmo_cli.feeds.files import open_source
from qmo_cli.feeds.sim import SimOptions, simulate
from qmo_cli.gateway.orders import Orders
from qmo_cli.records.layout import mapping_bytes

from .gatewaying import Client, market, of_market, serving, told
from .samples import SHARED, START, mbo, vendor

REAL = SHARED / "data/mbo/esh4-glbx-mdp3-20231225.mbo.dbn.zst"
FIELDS = vendor.DBNDecoder(has_metadata=False, input_version=3)
BUSY = SimOptions(seed=8, minutes=0.5, icebergs=0.003, gaps=40)

Level = tuple[str, int]


def book(records: list[bytes]) -> dict[Level, list[tuple[int, int]]]:
    """Ids and sizes by side and price, first in line first: every order is looked for in every level, every time."""
    levels: dict[Level, list[tuple[int, int]]] = {}
    for record in FIELDS.write_and_decode(b"".join(records)):
        action, place = str(record.action), (str(record.side), record.price)
        if action == "R":
            levels = {}
        if action not in ("A", "C", "M"):
            continue
        old = [(where, size) for where, line in levels.items() for number, size in line if number == record.order_id]
        size = record.size if action != "C" else (old[0][1] if old else 0) - record.size
        stays = bool(old) and (action == "C" or old[0][0] == place) and size <= old[0][1]
        for where, line in list(levels.items()):
            levels[where] = [(number, size if stays else was) if number == record.order_id else (number, was)
                             for number, was in line if number != record.order_id or (stays and size > 0)]
        if not stays and action != "C":
            levels.setdefault(place, []).append((record.order_id, record.size))
    return {place: line for place, line in levels.items() if line}


def snapshot(port: int) -> list[bytes]:
    """All that a session with a snapshot gets."""
    with Client(port) as client:
        client.login()
        client.ask(snapshot=1)
        client.say("start_session=0")
        return of_market(client.read())


@pytest.mark.parametrize("served", [1, 700, 1200])
def test_a_snapshot_and_what_follows_make_the_book_that_all_records_make(served: int) -> None:
    whole = market(simulate(BUSY))
    with serving(f"fin@{served}", source=lambda: simulate(BUSY)) as gateway:
        with Client(gateway.port) as client:
            client.login()
            client.ask()
            client.say("start_session=0")
            client.read()
        found = snapshot(gateway.port)
    reached = int.from_bytes(whole[served - 1][40:48], "little")
    before = [record for record in whole if int.from_bytes(record[40:48], "little") <= reached]
    image = found[:-len(whole) + len(before)] if len(before) < len(whole) else found
    assert found[len(image):] == whole[len(before):]
    assert book(image) == book(before)
    assert book(found) == book(whole)


def test_a_snapshots_records_have_the_vendors_flags_old_ts_event_and_one_ts_recv() -> None:
    with serving(source=lambda: simulate(BUSY), history=0.25) as gateway:
        found = snapshot(gateway.port)
    image = [record for record in FIELDS.write_and_decode(b"".join(found)) if int(record.flags) & 32 and
             int(record.flags) & 8]
    assert [str(record.action) for record in image] == ["R", *["A"] * (len(image) - 1)]
    assert [int(record.flags) for record in image] == [40] * (len(image) - 1) + [168]
    assert len({record.ts_recv for record in image}) == 1
    assert all(record.ts_event < record.ts_recv for record in image)
    assert (image[0].order_id, image[0].price, str(image[0].side), image[0].sequence) == (0, 2**63 - 1, "N", 0)
    assert image[0].ts_event == image[1].ts_event


def test_an_empty_book_is_one_record_that_clears_and_ends() -> None:
    with serving(source=source_of_one) as gateway:
        found = snapshot(gateway.port)
    assert (len(found), found[0][38:39], found[0][36]) == (1, b"R", 168)


def source_of_one() -> Iterator[Block]:
    """One order that is gone again at once."""
    gone = mbo(0, action=vendor.Action.CANCEL, ts_recv=START)
    data = mapping_bytes(17_077, "GC.v.0", "GCZ6", START) + mbo(0, ts_recv=START) + gone
    return iter([Block(data, "made")])


def test_a_smaller_size_keeps_its_place_a_larger_one_or_another_price_does_not() -> None:
    orders = Orders()
    changes = [mbo(0, order_id=1, size=5), mbo(1, order_id=2, size=5), mbo(2, order_id=3, size=5),
               mbo(3, order_id=1, size=3, action=vendor.Action.MODIFY),
               mbo(4, order_id=2, size=6, action=vendor.Action.MODIFY),
               mbo(5, order_id=3, size=2, action=vendor.Action.CANCEL),
               mbo(6, order_id=1, size=1, action=vendor.Action.TRADE),
               mbo(7, order_id=1, size=1, action=vendor.Action.FILL)]
    orders.take(b"".join(changes))
    found = FIELDS.write_and_decode(orders.snapshot([17_077], START))
    assert [(record.order_id, record.size) for record in found[1:]] == [(1, 3), (3, 3), (2, 6)]
    assert [record.ts_event - START for record in found[1:]] == [0, 2000, 4000]


@pytest.mark.skipif(not REAL.exists(), reason="needs the real files")
def test_a_snapshot_of_a_real_market_is_its_book() -> None:
    orders, records = Orders(), market(open_source([str(REAL)]))
    orders.take(b"".join(records))
    image = orders.snapshot([17_077], START)
    assert len(image) // 56 == 11_217 + 1
    levels = book([image[at:at + 56] for at in range(0, 56 * 301, 56)])
    assert sum(map(len, levels.values())) == 300
    best = {side: [int.from_bytes(image[at + 24:at + 32], "little") for at in range(56, len(image), 56)
                   if image[at + 39:at + 40] == side] for side in (b"B", b"A")}
    assert (max(best[b"B"]), min(best[b"A"])) == (4_810_000_000_000, 4_810_250_000_000)


def test_a_snapshot_has_all_instruments_of_a_subscription_each_with_its_own_end() -> None:
    names = [(1, "GCZ6"), (2, "GCG7")]
    data = b"".join(mapping_bytes(number, name, name, START) for number, name in names)
    data += b"".join(mbo(index, instrument_id=1 + index % 2, ts_recv=START) for index in range(6))
    with serving(source=lambda: iter([Block(data, "made")])) as gateway, Client(gateway.port) as client:
        client.login()
        client.ask(symbols="GC.FUT", stype="parent", snapshot=1)
        client.say("start_session=0")
        found = client.read()
    assert [(record[4], record[38:39], record[36]) for record in found if record[1] == MBO] == [
        (1, b"R", 40), (1, b"A", 40), (1, b"A", 40), (1, b"A", 168),
        (2, b"R", 40), (2, b"A", 40), (2, b"A", 40), (2, b"A", 168)]
    assert [code for code, _ in told(found)] == [1]
