"""The simulator as a source: labels, determinism, length, rate, and a market that looks like one."""

from __future__ import annotations

import hashlib
import math
import shutil
import subprocess
import sys
import tracemalloc
from collections import Counter
from dataclasses import fields
from itertools import islice
from pathlib import Path

import pytest

import qmo_cli
from qmo_cli.errors import UsageError
from qmo_cli.feeds.sim import SimOptions, simulate

from .sim_replay import Replay, data, events, letters, records

TENTH = 100_000_000  # 0.10 in 1e-9


# ---- what a stream consists of


def test_the_stream_begins_with_the_mapping_that_names_the_contract() -> None:
    dbn = pytest.importorskip("databento_dbn")
    decoder = dbn.DBNDecoder(has_metadata=False, input_version=3)
    decoder.write(data(SimOptions(records=3000)))
    mapping, *rest = decoder.decode()
    assert (mapping.stype_in_symbol, mapping.stype_out_symbol) == ("GC.v.0", "GCZ6")
    assert (mapping.stype_in, mapping.stype_out) == (dbn.SType.CONTINUOUS, dbn.SType.RAW_SYMBOL)
    assert {(type(record).__name__, record.instrument_id) for record in rest} == {("MBOMsg", mapping.instrument_id)}


def test_a_vendor_decoder_reads_the_same_fields() -> None:
    dbn = pytest.importorskip("databento_dbn")
    options = SimOptions(records=3000)
    decoder = dbn.DBNDecoder(has_metadata=False, input_version=3)
    decoder.write(data(options))
    for theirs, ours in zip(decoder.decode()[1:], records(options), strict=True):
        assert (theirs.ts_event, theirs.ts_recv, theirs.order_id, theirs.price, theirs.size, theirs.sequence) == (
            ours.ts_event, ours.ts_recv, ours.order_id, ours.price, ours.size, ours.sequence)
        assert (str(theirs.action), str(theirs.side)) == (ours.action.decode(), ours.side.decode())
        assert int(theirs.flags) == ours.flags


def test_blocks_say_where_their_records_stand() -> None:
    count = 0
    for block in simulate(SimOptions(records=20_000)):
        assert (block.source, block.unit, block.first) == ("sim", "record", count + 1)
        count += len(block.data[0 if count else 176 :]) // 56 + (count == 0)
    assert count == 20_000


# ---- seed, length, rate


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    assert data(SimOptions(records=5000)) == data(SimOptions(records=5000))
    assert data(SimOptions(records=5000)) != data(SimOptions(records=5000, seed=2))


def test_two_simulations_at_once_do_not_disturb_each_other() -> None:
    options = SimOptions(records=30_000)
    both = list(zip(simulate(options), simulate(options), strict=True))
    assert all(one == other for one, other in both)


def test_a_longer_simulation_begins_with_the_shorter_one() -> None:
    """But for the last records before a cut, which are events of one record so that the number can be met."""
    short, long = data(SimOptions(records=20_000)), data(SimOptions(records=40_000))
    assert long.startswith(short[: -300 * 56])


def test_compiled_and_interpreted_give_the_same_bytes(tmp_path: Path) -> None:
    source = Path(qmo_cli.__file__).parent if qmo_cli.__file__ else Path(*qmo_cli.__path__)
    shutil.copytree(source, tmp_path / "qmo_cli", ignore=shutil.ignore_patterns("*.so", "*.pyd", "*.c", "__pycache__"))
    script = (
        "import sys, qmo_cli.feeds.sim_market as market, qmo_cli.feeds.sim as sim\n"
        "assert market.__file__.endswith('.py')\n"
        "sys.stdout.buffer.write(b''.join(b.data for b in sim.simulate(sim.SimOptions(records=20_000, rate=700.5))))"
    )
    plain = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=True).stdout
    assert plain == data(SimOptions(records=20_000, rate=700.5))


@pytest.mark.parametrize("count", [1000, 5001, 12_345])
def test_the_number_of_records_is_met_exactly(count: int) -> None:
    assert sum(1 for _ in records(SimOptions(records=count))) == count - 1


def test_even_the_shortest_simulation_has_a_whole_snapshot() -> None:
    assert [letters(event)[:2] for event in events(SimOptions(records=0))] == ["RA"]
    assert [letters(event)[:2] for event in events(SimOptions(minutes=0))] == ["RA"]


@pytest.mark.parametrize(("rate", "seed"), [(50, 1), (60.4, 2), (400, 3)])
def test_the_mean_rate_is_held(rate: float, seed: int) -> None:
    found = sum(len(event) for event in islice(events(SimOptions(seed=seed, minutes=2.5, rate=rate)), 1, None))
    assert found == pytest.approx(150 * rate, rel=0.05)


def test_a_given_number_of_records_takes_the_time_of_its_rate() -> None:
    *_, last = events(SimOptions(records=150_000, rate=1000))
    assert (last[0].ts_event - SimOptions().start) / 1e9 == pytest.approx(150, rel=0.03)


def test_minutes_end_before_their_time_is_over() -> None:
    options = SimOptions(minutes=1)
    *_, last = events(options)
    assert options.start + 55e9 < last[0].ts_event < options.start + 60e9


def test_some_seconds_are_empty_and_some_milliseconds_are_crowded() -> None:
    seconds, milliseconds = Counter[int](), Counter[int]()
    for event in islice(events(SimOptions(records=80_000, rate=60.4)), 1, None):
        seconds[event[0].ts_recv // 10**9] += 1
        milliseconds[event[0].ts_recv // 10**6] += 1
    span = max(seconds) - min(seconds) + 1
    assert 0 < span - len(seconds) < 0.05 * span
    assert max(milliseconds.values()) > 50


def test_memory_does_not_grow_with_length() -> None:
    blocks = simulate(SimOptions(records=120_000))
    tracemalloc.start()
    for _ in islice(blocks, 10):
        pass
    before, _ = tracemalloc.get_traced_memory()
    for _ in blocks:
        pass
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 500_000


# ---- a market that looks like one


def test_the_spread_is_mostly_one_tick_and_most_adds_are_one_lot() -> None:
    replay, spreads, sizes = Replay(), Counter[int](), Counter[int]()
    for number, event in enumerate(events(SimOptions(seed=4, records=60_000))):
        for record in event:
            replay.apply(record)
            sizes[record.size] += record.action == b"A"
        if number % 10 == 0:
            bid, ask = replay.best()
            spreads[(ask - bid) // TENTH] += 1
    assert 0.6 < spreads[1] / spreads.total() < 0.8
    assert 0.68 < sizes[1] / sizes.total() < 0.76


def test_price_moves_but_comes_back() -> None:
    """Over hours it trends by dollars, and stays within reach of where it began."""
    some = islice(records(SimOptions(seed=6, records=300_000)), 0, None, 7)
    prices = [record.price / 1e9 for record in some if record.action == b"T"]
    assert 3 < max(prices) - min(prices) < 150


# ---- options


@pytest.mark.parametrize(
    "wrong", [{"rate": 0}, {"minutes": -1}, {"icebergs": 1.5}, {"records": -1}, {"rate": math.nan}, {"start": -1}]
)
def test_what_no_market_can_do_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        SimOptions(**wrong)  # type: ignore[arg-type]


def test_every_option_has_help() -> None:
    assert all(option.metadata.get("help") for option in fields(SimOptions))


def test_the_default_start_is_a_monday_in_2026() -> None:
    """2026-10-05 14:00 UTC is day 20,731 since 1970, and day 4 (1970-01-05) was a Monday."""
    assert divmod(SimOptions().start, 86_400 * 10**9) == (20_731, 14 * 3600 * 10**9)
    assert (20_731 - 4) % 7 == 0


def test_a_seed_means_the_same_bytes_on_every_python_and_in_every_release() -> None:
    """Found equal on Python 3.11, 3.12 and 3.13, compiled and not; a change belongs into the changelog."""
    digest = hashlib.blake2b(data(SimOptions(records=10_000)), digest_size=8).hexdigest()
    assert digest == "05fb7bbb6a27fa3b"
