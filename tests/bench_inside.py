"""What the benchmark runs in processes of their own: making its files, decoding alone, and the clock inside the chain.

Each prints one line of JSON. Nothing here is imported by ``tests.bench``, whose own memory stays small.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from time import perf_counter, perf_counter_ns
from typing import Any

from qmo_cli.blocks import MAPPING, Block

WEEK = 7  # days
COUNT = 65_536  # records that the vendor's package is asked for at once


def make(path: str, records: str, rate: str, start: str) -> dict[str, Any]:
    """Write simulated MBO records as a file like the vendor's: one schema, the symbol in the header, zstd.

    The simulator's own mapping record is left out: a file of one schema, as bought, has none.
    """
    import zstandard

    from qmo_cli.feeds.sim import SimOptions, simulate

    options = SimOptions(records=int(records) + 1, rate=float(rate), start=int(start))
    unfinished, written = f"{path}.part", 0
    with open(unfinished, "wb") as file, zstandard.ZstdCompressor(write_checksum=True).stream_writer(file) as out:
        out.write(header(int(start)))
        for block in simulate(options):
            data = block.data[4 * block.data[0]:] if block.data[1] == MAPPING else block.data
            out.write(data)
            written += len(data) // 56
    os.rename(unfinished, path)
    return {"records": written}


@dataclass(frozen=True, slots=True)
class Interval:
    """From one day until another the symbol is this instrument; names as the vendor's header wants them."""

    start_date: date
    end_date: date
    symbol: str


@dataclass(frozen=True, slots=True)
class Mapping:
    """A symbol that was asked for."""

    raw_symbol: str
    intervals: list[Interval]


def header(start: int) -> bytes:
    """A DBN header of schema mbo that names the simulator's contract."""
    from databento_dbn import Metadata, Schema, SType

    from qmo_cli.feeds.sim import DATASET, INSTRUMENT_ID, SYMBOL

    day = datetime.fromtimestamp(start // 10**9, UTC).date()
    names: Any = [Mapping(SYMBOL, [Interval(day, day + timedelta(days=WEEK), str(INSTRUMENT_ID))])]
    return Metadata(
        dataset=DATASET, start=start, stype_in=SType.from_str("raw_symbol"), stype_out=SType.from_str("instrument_id"),
        schema=Schema.from_str("mbo"), symbols=[SYMBOL], mappings=names,
    ).encode()


def decode(path: str) -> dict[str, Any]:
    """Our own reader of files, and nothing else."""
    from qmo_cli.feeds.files import open_source
    from qmo_cli.market import stream

    start, records = perf_counter(), 0
    for block in open_source([path]):
        if block.data[1] != MAPPING:
            records += stream.count(block.data, 0, len(block.data))
    return {"records": records, "seconds": perf_counter() - start}


def databento(path: str) -> dict[str, Any]:
    """The vendor's package: records as numpy arrays, 65,536 at a time."""
    from databento import DBNStore

    start = perf_counter()
    arrays: Any = DBNStore.from_file(path).to_ndarray(count=COUNT)
    records = sum(len(array) for array in arrays)
    return {"records": records, "seconds": perf_counter() - start}


class Clock:
    """Nanoseconds by stage."""

    def __init__(self) -> None:
        self.spent: dict[str, int] = {}

    def run(self, stage: str, work: Callable[..., Any], *arguments: Any) -> Any:
        """Do the work on this stage's time."""
        start = perf_counter_ns()
        result = work(*arguments)
        self.spent[stage] = self.spent.get(stage, 0) + perf_counter_ns() - start
        return result


def stages(path: str) -> dict[str, Any]:
    """The whole chain in this process and in one thread, with a clock about each stage."""
    from qmo_cli.feeds.files import open_source
    from qmo_cli.pipeline import Engines
    from qmo_cli.router import Router
    from qmo_cli.score import Scorer
    from qmo_cli.signals import Signaler

    clock, router, engines, scorer, signaler = Clock(), Router(), Engines(), Scorer(), Signaler()
    engines.timing = True
    packets = written = 0
    with open(os.devnull, "wb", buffering=0) as nowhere:
        for batch in batches(clock, router, open_source([path])):
            for packet in batch:
                engines.update(packet)
            clock.run("score", each, scorer.update, batch)
            signals = clock.run("signal", each, signaler.update, batch)
            packets += len(batch)
            written += clock.run("writing", write, nowhere, signals)
    order = ("decode", "route", *engines.names, "score", "signal", "writing")
    spent = {**clock.spent, **engines.nanoseconds}
    return {"packets": packets, "bytes": written, "nanoseconds": {name: spent[name] for name in order}}


def batches(clock: Clock, router: Any, blocks: Iterator[Block]) -> Iterator[Any]:
    """Packets as the router gives them; decoding and routing on the clock."""
    while (block := clock.run("decode", next, blocks, None)) is not None:
        yield clock.run("route", router.read, block)
    yield clock.run("route", router.finish)


def each(work: Callable[[Any], Any], packets: list[Any]) -> list[Any]:
    """The work done on every packet."""
    return [work(packet) for packet in packets]


def write(file: Any, signals: list[Any]) -> int:
    """Encode signals and write them; gives the number of bytes."""
    import msgspec

    encode = msgspec.json.Encoder().encode
    data = b"".join([encode(signal) + b"\n" for signal in signals])
    file.write(data)
    return len(data)


WORK: dict[str, Callable[..., dict[str, Any]]] = {
    "make": make, "decode": decode, "databento": databento, "stages": stages,
}

if __name__ == "__main__":
    print(json.dumps(WORK[sys.argv[1]](*sys.argv[2:])))
