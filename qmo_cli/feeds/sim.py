"""The built-in simulator as a source: a gold-like market by order, with no key and no data needed."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from ..blocks import MAPPING, SIMULATOR, UNDEF_TIME, Block
from ..errors import UsageError

if TYPE_CHECKING:
    from .sim_market import Market

DATASET = "QMO.SIM"
SERIES = "GC.v.0"
SYMBOL = "GCZ6"
INSTRUMENT_ID = 42_026
START = 1_791_208_800_000_000_000  # Monday 2026-10-05 14:00 UTC, 9:00 in Chicago: never the date of today
CONTINUOUS, RAW_SYMBOL = 3, 1      # DBN's numbers of the two symbologies
MAPPING_MSG = struct.Struct("<BBHIQB71sB71sQQ")
MBO_BYTES = 56
FOREVER = 2**62
LIMITS = (("minutes", 0, 1e7), ("rate", 1e-3, 1e6), ("start", 0, 2**62), ("icebergs", 0, 1), ("synthetics", 0, 1),
          ("gaps", 0, 1e4))


@dataclass(frozen=True, slots=True, kw_only=True)
class SimOptions:
    """What to simulate."""

    seed: int = field(default=1, metadata={"help": "Another seed is another market; the same seed is the same bytes."})
    minutes: float = field(default=10.0, metadata={"help": "Minutes of event time."})
    records: int | None = field(default=None, metadata={
        "help": "Number of records, instead of minutes; the opening snapshot is whole in any case."})
    rate: float = field(default=50.0, metadata={
        "help": "Mean number of records per second while the market is open."})
    start: int = field(default=START, metadata={
        "help": "Time of the first record, ns since 1970; Monday 2026-10-05 14:00 UTC unless given."})
    icebergs: float = field(default=0.0005, metadata={
        "help": "Share of new orders that are native icebergs, 0 for none; 0.0005 makes about 4 % of the volume."})

    synthetics: float = field(default=0.0014, metadata={
        "help": "Share of new orders that begin a synthetic iceberg, 0 for none; 0.0014 makes about 6 % of volume."})
    gaps: float = field(default=1.0, metadata={
        "help": "Mean number of gaps in a million events: records are lost, the book is doubtful until a snapshot."})
    decoys_only: bool = field(default=False, metadata={
        "help": "Plant no iceberg of any kind, but all that looks like one."})
    truth: str | None = field(default=None, metadata={
        "help": "Write what was planted to this file, one JSON object a line.", "metavar": "FILE"})

    def __post_init__(self) -> None:
        """Refuse what no market can do."""
        for name, low, high in LIMITS:
            if not low <= getattr(self, name) <= high:
                raise UsageError(f"the simulator's {name} is {getattr(self, name)}; "
                                 f"it must be from {low:g} to {high:g}")
        if self.records is not None and self.records < 0:
            raise UsageError(f"the simulator's number of records is {self.records}; it must be 0 or more")


def mapping(start: int) -> bytes:
    """The SymbolMappingMsg that says which contract the series is."""
    return MAPPING_MSG.pack(MAPPING_MSG.size // 4, MAPPING, SIMULATOR, INSTRUMENT_ID, start, CONTINUOUS,
                            SERIES.encode(), RAW_SYMBOL, SYMBOL.encode(), start, UNDEF_TIME)


def simulate(options: SimOptions | None = None, tell: Callable[[str], object] | None = None) -> Iterator[Block]:
    """Blocks of DBN: the symbol mapping, a snapshot of the book, then events until time or records are used up.

    ``tell`` is given the lines of the truth, as far as it is known with each block. Memory does not grow with length.
    With ``records`` the stream has exactly so many, unless the snapshot alone has more.
    """
    options = options or SimOptions()
    if options.truth is None:
        yield from _simulate(options, tell)
        return
    with truth_file(options.truth) as file:
        yield from _simulate(options, file.write)


def _simulate(options: SimOptions, tell: Callable[[str], object] | None) -> Iterator[Block]:
    from .sim_market import Market

    market = Market(options, INSTRUMENT_ID, tell is not None)
    if tell is None:
        yield from blocks_of(market, options)
        return
    try:
        for block in blocks_of(market, options):
            tell(market.truth_lines())
            yield block
    finally:  # also when the reader has had enough: the truth is then that of all that was simulated
        market.close()
        tell(market.truth_lines())


def blocks_of(market: Market, options: SimOptions) -> Iterator[Block]:
    """The blocks that a market hands out."""
    opening = market.opening()
    yield Block(mapping(options.start) + opening, "sim")
    count = 1 + len(opening) // MBO_BYTES
    until = FOREVER if options.records is not None else options.start + round(options.minutes * 60e9)
    total = FOREVER if options.records is None else options.records
    while total > count and (data := market.block(total - count, until)):
        yield Block(data, "sim", count + 1)
        count += len(data) // MBO_BYTES


@contextmanager
def truth_file(path: str) -> Iterator[TextIO]:
    """A file that has the name ``PATH.part`` until the stream ends or nobody reads on."""
    part = f"{path}.part"
    with ExitStack() as stack:
        try:
            file = stack.enter_context(open(part, "w", encoding="ascii"))
        except OSError as error:
            raise UsageError(f"cannot write the truth to {path}: {error.strerror}") from error
        stack.callback(os.replace, part, path)
        stack.callback(file.close)  # done first
        yield file
