"""A reduced set of the laws as a program: it checks them and prints what the chain printed.

    python -m tests.interpreted     run from a folder that holds qmo_cli and tests
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from qmo_cli.market import line, reader, scan, stream

from .honesty import label_faults, packet_faults
from .laws import ENCODINGS, Setup, every, lines, packets, piped, read_back, unfinished, written
from .laws_streams import MINUTES, Case, as_simulated, eventful, noise, poor, simulated
from .samples import records as records_of
from .streams import mbo_records


def small_cases() -> Iterator[tuple[str, Case, Setup]]:
    """A few short streams of every kind."""
    yield "simulated", simulated(minutes=3, rate=20, icebergs=0.05, seed=5), MINUTES
    yield "scripted", Case(mbo_records(noise(21, 9000), 3, clocks=True)), Setup()
    yield "broken and heard again", eventful(size=4000), Setup("50ms")
    labelled = as_simulated(mbo_records(noise(22, 5000), 2, start="middle"))
    yield "scripted, labelled", Case(labelled, simulated=True), Setup("50ms")
    for schemas in (("trades",), ("tbbo",), ("mbp-10", "trades"), ("ohlcv-1s",)):
        case = poor(*schemas).first(400)
        yield "+".join(schemas), case, Setup("trade" if schemas == ("trades",) else "5s")


def check(case: Case, setup: Setup) -> list[bytes]:
    """The laws on one stream; gives its lines. Raises AssertionError."""
    expected = lines(case.blocks(), setup)
    count = len(case.records)
    assert lines(case.blocks(range(0, count, 7)), setup) == expected
    for encoding in ENCODINGS:
        text = written(case.blocks(), encoding)
        assert records_of(read_back(text, every(999))) == records_of(case.blocks())
        assert piped(case.blocks(), setup, encoding, cutter=every(5000)) == expected
    printed = unfinished(case.first(count // 2).blocks(), setup)
    assert printed == expected[:len(printed)]
    for packet in packets(case.blocks(), setup):
        assert packet_faults(packet) + label_faults(packet, case.simulated) == []
    return expected


def printed() -> bytes:
    """Everything, stream after stream: records as lines, then packets with their signals."""
    found = []
    for name, case, setup in small_cases():
        found += [name.encode(), written(case.blocks(), "ndjson"), *check(case, setup)]
    return b"\n".join(found)


def main() -> None:
    assert reader.COMPILED is False
    assert all(str(module.__file__).endswith(".py") for module in (reader, line, scan, stream))
    sys.stdout.buffer.write(printed())


if __name__ == "__main__":
    main()
