"""No reading depends on the frame's length: where frames of several lengths end, engines say the same."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from qmo_cli.blocks import OHLCV_1D, OHLCV_1S, SECOND
from qmo_cli.engines import ENGINES
from qmo_cli.tray import Packet

from .laws import Setup, packets
from .laws_streams import FIRST, Case, cases, long_case, with_clocks
from .streams_exchange import TICK
from .support import START, definition, trade
from .test_laws import few

MS = 1_000_000

# What is of this frame by definition: what happened in it.
OF_THE_FRAME = {
    ("bars", "closed"),       # bars that closed in it
    ("iceberg", "events"),    # what its records proved
    ("memory", "events"),     # retests that began or ended in it
    ("absorption", "events"),  # what was told in it
    ("orderflow", "large"),   # its own large prints
    ("liquidity", "events"),  # what happened in it
}
LENGTHS = [("1s", "50ms"), ("5s", "1s"), ("5s", "50ms")]
LONG = ("simulated", "scripted", "ohlcv-1s")
Leaves = dict[tuple[str, str], Any]
Readings = dict[tuple[int, int], Leaves]

SLOTS = (*ENGINES, "score")
FROM_BARS = {"bars", "session", "volatility", "gann", "astro", "cycle", "risk", "mentor", "score"}


def readings(case: Case, setup: Setup) -> Readings:
    """Leaves of the engines' readings and of the score at the ends of closed frames, by (end, instrument id)."""
    closed = (packet for packet in packets(case.blocks(), setup) if packet.closed)
    return {(packet.ts, packet.instrument_id): leaves(packet) for packet in closed}


def leaves(packet: Packet) -> Leaves:
    """The first level of all readings by slot and name, without what is of the frame.

    How many samples a warm-up has is left out of the score's words: an id that is renamed within a second has two
    packets for one frame, and a level that is hit in that very second may count in each of them.
    """
    found = {slot: msgspec.to_builtins(packet.slots[slot]) for slot in (*ENGINES, "score")}
    if found["score"]:
        found["score"]["missing"] = {
            name: re.sub(r"\b\d+ of (\d+ levels)", r"\1", why) for name, why in found["score"]["missing"].items()}
    return {(slot, name): value for slot, reading in found.items()
            for name, value in (reading or {"": None}).items() if (slot, name) not in OF_THE_FRAME}


def differences(slot: str, one: Readings, other: Readings) -> str:
    """The first difference of each leaf of a slot: where, and both values."""
    found: dict[str, str] = {}
    for key in sorted(one.keys() & other.keys()):
        for leaf in one[key].keys() | other[key].keys():
            values = one[key].get(leaf), other[key].get(leaf)
            if leaf[0] == slot and values[0] != values[1]:
                found.setdefault(leaf[1], f"{slot}.{leaf[1]} at {key}: {values[0]!r:.300} and {values[1]!r:.300}")
    return "\n".join(found.values())


def timed(case: Case) -> Case:
    """The stream with a clock at each second, so that frames of every length end there."""
    return Case(with_clocks(case.records), case.schema, case.simulated, case.story)


@pytest.mark.parametrize(("one", "other"), LENGTHS)
@settings(few, max_examples=14)
@given(case=cases())
def test_readings_do_not_depend_on_the_length_of_the_frame(one: str, other: str, case: Case) -> None:
    # generated ohlcv bars begin at any ns, real ones on whole seconds: one across two longer bars fits neither
    odd = any(OHLCV_1S <= record[1] <= OHLCV_1D for record in case.records)
    found = [readings(timed(case), Setup(length, tick=TICK)) for length in (one, other)]
    looked = [slot for slot in SLOTS if not odd or slot not in FROM_BARS]
    assert {slot: words for slot in looked if (words := differences(slot, *found))} == {}


@pytest.mark.parametrize("name", LONG)
def test_readings_past_the_warm_up_do_not_depend_on_the_length_of_the_frame(name: str) -> None:
    case, setup = long_case(name)
    longer, shorter = (readings(timed(case), setup.at(length)) for length in ("5s", "1s"))
    assert len(longer.keys() & shorter.keys()) > 300
    assert {slot: words for slot in SLOTS if (words := differences(slot, longer, shorter))} == {}


def test_a_tick_that_comes_to_be_known_late_does_not_make_readings_depend_on_the_frame() -> None:
    # before it nobody can tell the price levels apart, so that volume at price begins there, or it does not begin
    early = [trade("B", 2000.0, 9, ts_event=START + MS, ts_recv=START + MS, instrument=FIRST)]
    late = [trade("B", 2000.1 + one / 10, 2, ts_event=START + one * SECOND, ts_recv=START + one * SECOND,
                  instrument=FIRST) for one in range(2, 9)]
    case = timed(Case([*early, definition("GCJ6", TICK, ts_event=START + SECOND + MS, instrument=FIRST), *late]))
    found = [readings(case, Setup(length)) for length in ("5s", "1s")]
    assert differences("orderflow", *found) == ""
