"""The five laws as properties, over every engine in the table and every kind of stream.

A new engine is covered as soon as it stands in the table. All examples are the same in every run.
"""

from __future__ import annotations

from typing import Any

import databento_dbn as vendor
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qmo_cli.blocks import MAPPING, Block
from qmo_cli.ndjson import read_packets
from qmo_cli.pipeline import routed
from qmo_cli.records import to_dbn

from .cuts import byte_chunks, record_cuts
from .honesty import label_faults, packet_faults
from .laws import (
    ENCODINGS,
    Encoding,
    Pieces,
    Setup,
    engine_orders,
    every,
    lines,
    packets,
    piped,
    raw_slots,
    read_back,
    signal_line,
    signal_of,
    stage,
    steps,
    unfinished,
    written,
)
from .laws_streams import FETCHED, Case, cases
from .samples import records as records_of
from .support import START, mapping
from .test_records import EXCHANGE, record_of

FRAMES = ("1s", "50ms", "trade", "500", "20")
law = settings(
    max_examples=18, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
few = settings(law, max_examples=8)
frames = pytest.mark.parametrize("frame", FRAMES)
encodings = pytest.mark.parametrize("encoding", ENCODINGS)
orders = pytest.mark.parametrize("order", engine_orders(), ids=lambda order: ",".join(stage[0] for stage in order))


def assert_same(found: list[bytes], expected: list[bytes]) -> None:
    """Equal, or the first line that is not, slot by slot."""
    for index, (one, other) in enumerate(zip(found, expected, strict=False)):
        if one != other:
            ours, theirs = raw_slots(one), raw_slots(other)
            differing = {name: (ours.get(name), theirs.get(name)) for name in {*ours, *theirs}
                         if ours.get(name) != theirs.get(name)}
            raise AssertionError(f"line {index} differs: {differing}")
    assert len(found) == len(expected)


# Split


@frames
@law
@given(case=cases(), data=st.data())
def test_blocks_cut_anywhere_give_the_same_lines(frame: str, case: Case, data: st.DataObject) -> None:
    cuts = data.draw(record_cuts(len(case.records)))
    assert_same(lines(case.blocks(cuts), Setup(frame)), lines(case.blocks(), Setup(frame)))


@frames
@few
@given(case=cases())
def test_a_block_for_each_record_gives_the_same_lines(frame: str, case: Case) -> None:
    alone = case.blocks(range(len(case.records)))
    assert_same(lines(alone, Setup(frame)), lines(case.blocks(), Setup(frame)))


@encodings
@law
@given(case=cases(), data=st.data())
def test_bytes_cut_anywhere_give_the_same_lines(encoding: Encoding, case: Case, data: st.DataObject) -> None:
    text = written(case.blocks(), encoding)
    chunks = data.draw(byte_chunks(text))
    assert b"".join(chunks) == text
    assert_same(lines(read_back(text, lambda _: chunks), Setup()), lines(read_back(text), Setup()))


@encodings
@pytest.mark.parametrize("size", [1, 7, 56, 4096])
@settings(law, max_examples=3)
@given(case=cases(most=800))
def test_bytes_in_small_pieces_give_the_same_records(encoding: Encoding, size: int, case: Case) -> None:
    text = written(case.blocks(), encoding)
    pieces, whole = read_back(text, every(size)), read_back(text)
    assert joined(pieces) == joined(whole)


def joined(blocks: list[Block]) -> bytes:
    return b"".join(block.data for block in blocks)


@few
@given(case=cases(), data=st.data())
def test_packet_lines_cut_anywhere_are_the_same_packets(case: Case, data: st.DataObject) -> None:
    printed = lines(case.blocks(), Setup())
    text = b"".join(line + b"\n" for line in printed)
    batches = read_packets(Pieces(data.draw(byte_chunks(text))))
    assert_same([packet.encode() for batch in batches for packet in batch], printed)


# Pipe


@encodings
@frames
@few
@given(case=cases())
def test_stages_that_read_what_was_written_print_what_one_process_prints(
    encoding: Encoding, frame: str, case: Case,
) -> None:
    assert_same(piped(case.blocks(), Setup(frame), encoding, cutter=every(60_000)), lines(case.blocks(), Setup(frame)))


@pytest.mark.parametrize("access", ["l1", "l2"])
@few
@given(case=cases())
def test_the_pipe_changes_nothing_below_full_access(access: str, case: Case) -> None:
    setup = Setup(access=access)
    assert_same(piped(case.blocks(), setup, "dbn"), lines(case.blocks(), setup))


@orders
@few
@given(case=cases())
def test_engines_one_per_stage_in_any_order_print_what_all_print(order: list[tuple[str, ...]], case: Case) -> None:
    assert_same(piped(case.blocks(), Setup(), "dbn", order), lines(case.blocks(), Setup()))


STRANGE_SLOT = b'{ "n" : 1.50E+2,\t"big":12345678901234567890123, "text":"\\u00e9\\/ \xc3\xa9", "none":[null , {}] }'


@few
@given(case=cases())
def test_slots_that_no_stage_knows_pass_through_byte_by_byte(case: Case) -> None:
    setup = Setup()
    plain = piped(case.blocks(), setup, "dbn")
    marked = piped_with_slot(case, setup)
    assert [raw_slots(line)["weather"] for line in marked] == [STRANGE_SLOT] * len(plain)
    assert_same([line.replace(b'"weather":' + STRANGE_SLOT + b",", b"") for line in marked], plain)


def piped_with_slot(case: Case, setup: Setup) -> list[bytes]:
    """The stages' lines when a foreign stage behind route has put a slot into each packet."""
    text = b"".join(
        packet.encode().replace(b'"system":', b'"weather":' + STRANGE_SLOT + b',"system":', 1) + b"\n"
        for batch in routed(setup.router(), case.blocks()) for packet in batch)
    for step in steps(setup):
        text = stage(text, step)
    return text.splitlines()


@few
@given(case=cases())
def test_a_signal_line_reads_back_as_the_signal_in_the_packet(case: Case) -> None:
    for packet in packets(case.blocks(), Setup()):
        signal = signal_of(packet)
        assert msgspec.json.decode(signal_line(signal), type=type(signal)) == signal
        assert raw_slots(packet.encode())["signal"] == signal_line(signal)


# Replay


@encodings
@frames
@few
@given(case=cases())
def test_what_feed_wrote_prints_the_same_when_it_is_read_again(encoding: Encoding, frame: str, case: Case) -> None:
    capture = read_back(written(case.blocks(), encoding))
    assert_same(lines(capture, Setup(frame)), lines(case.blocks(), Setup(frame)))
    again = read_back(written(capture, encoding))
    assert joined(again) == joined(capture)


@law
@given(case=cases())
def test_records_are_the_same_bytes_after_lines_and_dbn_in_turn(case: Case) -> None:
    blocks = case.blocks()
    text = written(blocks, "ndjson")
    for encoding in ("dbn", "ndjson", "dbn", "ndjson"):
        blocks = read_back(written(blocks, encoding))
    assert records_of(blocks) == [record for record in case.records if record[1] != MAPPING]
    assert written(blocks, "ndjson") == text


@pytest.mark.parametrize("schema", EXCHANGE)
@law
@given(data=st.data())
def test_a_record_of_any_schema_is_the_same_bytes_after_lines_and_dbn_in_turn(
    schema: str, data: st.DataObject,
) -> None:
    drawn = data.draw(st.lists(record_of(schema), min_size=1, max_size=4))
    head = mapping("GC.v.0", "GCZ5", instrument=7)
    records = [to_dbn(record) for record in drawn]
    blocks = [Block(head + b"".join(records), "x", schema=schema)]
    for encoding in ("ndjson", "dbn", "ndjson", "dbn"):
        blocks = read_back(written(blocks, encoding))
        assert records_of(blocks) == records
    assert written(blocks, "ndjson").count(b'"schema":"%s"' % schema.encode()) == len(records)


def vendor_records() -> dict[str, bytes]:
    """One record of each layout from the vendor's encoder, none of whose fields is 0."""
    trade: Any = (1, 7, START, 2_000_100_000_000, 3, vendor.Action.TRADE, vendor.Side.ASK)
    times: Any = {"ts_in_delta": -77, "sequence": 99}
    level: Any = vendor.BidAskPair(1_999_900_000_000, 2_000_100_000_000, 3, 4, 2, 1)
    return {
        "trades": bytes(vendor.TradeMsg(*trade, 5, START + 9, 130, **times)),
        "mbp-1": bytes(vendor.MBP1Msg(*trade, 5, START + 9, 130, levels=level, **times)),
        "mbp-10": bytes(vendor.MBP10Msg(*trade, 5, START + 9, 130, levels=[level] * 10, **times)),
        "ohlcv-1m": bytes(vendor.OHLCVMsg(33, 1, 7, START, 10**9, 3 * 10**9, 10**9, 2 * 10**9, 2**63)),
        "mbo": bytes(vendor.MBOMsg(
            1, 7, START, 2**63 + 5, 10**9 + 1, 3, vendor.Action.MODIFY, vendor.Side.BID, START + 9, 130, 6, **times)),
    }


@pytest.mark.parametrize(("schema", "record"), vendor_records().items(), ids=vendor_records())
def test_a_record_of_the_vendors_encoder_is_the_same_bytes_after_lines_and_dbn(schema: str, record: bytes) -> None:
    blocks = [Block(mapping("GC.v.0", "GCZ5", instrument=7) + record, "x", schema=schema)]
    for encoding in ("ndjson", "dbn", "ndjson"):
        blocks = read_back(written(blocks, encoding))
    assert records_of(blocks) == [record]


# Prefix


@frames
@law
@given(case=cases(), data=st.data())
def test_what_was_printed_does_not_change_when_input_is_appended(
    frame: str, case: Case, data: st.DataObject,
) -> None:
    count = data.draw(st.integers(1, len(case.records)))
    earlier, whole = case.first(count), lines(case.blocks(), Setup(frame))
    printed = unfinished(earlier.blocks(), Setup(frame))
    assert_same(printed, whole[:len(printed)])


@frames
@law
@given(case=cases(), data=st.data())
def test_closed_packets_at_the_end_of_an_input_are_those_of_a_longer_one(
    frame: str, case: Case, data: st.DataObject,
) -> None:
    count = data.draw(st.integers(1, len(case.records)))
    earlier = closed_lines(case.first(count), Setup(frame))
    later = closed_lines(case, Setup(frame))
    for instrument_id, printed in earlier.items():
        assert_same(printed, later[instrument_id][:len(printed)])


def closed_lines(case: Case, setup: Setup) -> dict[int, list[bytes]]:
    """Lines of closed frames by instrument."""
    found: dict[int, list[bytes]] = {}
    for packet in packets(case.blocks(), setup):
        if packet.closed:
            found.setdefault(packet.instrument_id, []).append(packet.encode())
    return found


# Honesty


@pytest.mark.parametrize("access", ["l1", "l2", "l3"])
@frames
@few
@given(case=cases())
def test_every_null_has_a_reason_every_reason_a_null_and_every_number_is_one(
    frame: str, access: str, case: Case,
) -> None:
    for packet in packets(case.blocks(), Setup(frame, access)):
        assert packet_faults(packet) == []


@law
@given(case=cases())
def test_simulated_data_and_no_others_are_labelled_in_every_packet_and_signal(case: Case) -> None:
    for packet in packets(case.blocks(), Setup()):
        assert label_faults(packet, case.simulated and packet.instrument_id != FETCHED) == []
