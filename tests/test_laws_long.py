"""The laws on streams that go past every warm-up: half an hour of trades, hours of bars, zones that come and go."""

from __future__ import annotations

import re
from functools import cache
from itertools import cycle, product

import pytest

from qmo_cli.engines import ENGINES
from qmo_cli.tray import Packet

from .honesty import label_faults, packet_faults
from .laws import (
    Setup,
    engine_orders,
    every,
    lines,
    packets,
    read_back,
    route_lines,
    staged,
    unfinished,
    written,
)
from .laws_streams import Case, long_case
from .streams_poor import POOR
from .test_laws import assert_same, closed_lines

NAMES = ("simulated", "four hours", "scripted", *map("+".join, POOR))
RICH = NAMES[:3]
WARMING = re.compile(r"\b\d+ of \d+\b")  # how every engine says that it has not seen enough yet
streams = pytest.mark.parametrize("name", NAMES)
rich = pytest.mark.parametrize("name", RICH)


@cache
def run(name: str) -> tuple[Case, Setup, list[Packet], list[bytes]]:
    """A stream, how it is run, its packets and their lines."""
    case, setup = long_case(name)
    found = list(packets(case.blocks(), setup))
    return case, setup, found, [packet.encode() for packet in found]


@cache
def at_route(name: str) -> bytes:
    """What route prints of a stream that comes as DBN in small pieces, which end anywhere within a record."""
    case, setup = long_case(name)
    return route_lines(case.blocks(), setup, "dbn", every(8_191))


@streams
def test_the_long_streams_go_past_every_warm_up(name: str) -> None:
    found = run(name)[2]
    assert found[-1].ts - found[0].ts > 1_800_000_000_000
    waiting = {path: reason for path, reason in found[-1].missing.items() if WARMING.search(reason)
               and "closed daily bars" not in reason}  # twenty trade dates are longer than any stream here
    if name == "four hours":  # sixteen bars whose price stays between two ticks: no swing to confirm, few windows
        waiting = {path: reason for path, reason in waiting.items()
                   if "pivots confirmed" not in reason and "earlier windows" not in reason}
    assert waiting == {}
    assert any(WARMING.search(reason) for reason in found[0].missing.values()) or name == "bbo-1s"


def test_the_long_streams_show_every_kind_of_decision_and_every_slot() -> None:
    decided = {packet.slots["signal"].signal.type for name in RICH for packet in run(name)[2]}
    assert decided == {"BUY", "SELL", "HOLD"}
    everything = [packet for name in NAMES for packet in run(name)[2]]
    spoken = {engine for packet in everything for engine in ENGINES if packet.slots[engine] is not None}
    assert spoken == set(ENGINES)
    assert any(packet.slots["iceberg"].zones for packet in run("simulated")[2])


@rich
def test_a_long_stream_cut_into_blocks_gives_the_same_lines(name: str) -> None:
    """The others come to route in pieces, below."""
    case, setup, _, expected = run(name)
    count = len(case.records)
    assert_same(lines(case.blocks(range(0, count, max(1, count // 700))), setup), expected)


@pytest.mark.parametrize(("place", "name"), [*zip(range(1, len(ENGINES), 3), cycle(("four hours", "scripted")))])
def test_engines_shared_out_over_two_stages_print_the_same_lines(place: int, name: str) -> None:
    _, setup, _, expected = run(name)
    names = list(ENGINES)
    assert_same(staged(at_route(name), setup, (names[:place], names[place:])).splitlines(), expected)


@rich
@pytest.mark.parametrize("frame", ["50ms", "trade", "500"])
def test_a_long_stream_in_other_frames_is_the_same_however_it_is_cut(name: str, frame: str) -> None:
    case, setup, *_ = run(name)
    part, setup = case.first(8000), setup.at(frame)
    assert_same(lines(part.blocks(range(0, 8000, 17)), setup), lines(part.blocks(), setup))


@streams
def test_route_prints_the_same_whatever_the_encoding_of_its_input(name: str) -> None:
    case, setup = long_case(name)
    assert route_lines(case.blocks(), setup, "ndjson", every(65_536)) == at_route(name)


@streams
def test_a_long_stream_that_comes_in_pieces_through_pipes_prints_the_same(name: str) -> None:
    _, setup, _, expected = run(name)
    assert_same(staged(at_route(name), setup, cutter=every(65_536)).splitlines(), expected)


@pytest.mark.parametrize(("name", "order"), list(zip(("four hours", *RICH), engine_orders(), strict=True)))
def test_engines_one_per_stage_agree_after_the_warm_up_too(name: str, order: list[tuple[str, ...]]) -> None:
    _, setup, _, expected = run(name)
    assert_same(staged(at_route(name), setup, order).splitlines(), expected)


@rich
def test_a_capture_of_a_long_stream_prints_the_same_again(name: str) -> None:
    case, setup, _, expected = run(name)
    capture = case.blocks()
    for encoding in ("ndjson", "dbn", "ndjson"):
        capture = read_back(written(capture, encoding), every(100_000))  # type: ignore[arg-type]
    assert_same(lines(capture, setup), expected)


@pytest.mark.parametrize(("name", "share"), [*product(RICH, (0.31, 0.9)), *product(NAMES[3:], (0.31,))])
def test_a_long_stream_that_ends_early_printed_the_beginning(name: str, share: float) -> None:
    case, setup, _, expected = run(name)
    earlier = case.first(round(len(case.records) * share))
    printed = unfinished(earlier.blocks(), setup)
    assert len(printed) > 100
    assert_same(printed, expected[:len(printed)])


@pytest.mark.parametrize("name", [*RICH, "mbp-10", "trades", "ohlcv-1s"])
def test_closed_packets_of_a_long_stream_that_ends_early_stay_as_they_were(name: str) -> None:
    case, setup, found, expected = run(name)
    later = dict[int, list[bytes]]()
    for packet, line in zip(found, expected, strict=True):
        if packet.closed:
            later.setdefault(packet.instrument_id, []).append(line)
    for instrument_id, printed in closed_lines(case.first(len(case.records) * 2 // 3), setup).items():
        assert_same(printed, later[instrument_id][:len(printed)])


def looked_at(found: list[Packet]) -> list[Packet]:
    """Every fifth packet, and each that gives reasons for other fields than any before it."""
    known = set[frozenset[str]]()
    chosen = []
    for number, packet in enumerate(found):
        fields = frozenset(packet.missing)
        if number % 5 == 0 or fields not in known:
            chosen.append(packet)
        known.add(fields)
    return chosen


@streams
def test_a_long_stream_is_honest_to_the_end(name: str) -> None:
    case, _, found, _ = run(name)
    for packet in looked_at(found):
        assert packet_faults(packet) == []
        assert label_faults(packet, case.simulated) == []
