"""The form in which records travel inside the program: blocks of whole DBN records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

UNDEF_PRICE = 2**63 - 1      # DBN's undefined price
UNDEF_TIME = 2**64 - 1       # DBN's undefined time
PRICE_SCALE = 1_000_000_000  # DBN prices are integers of 1e-9
SECOND = 1_000_000_000       # ns

# DBN record types
TRADES = 0
MBP_1 = 1       # mbp-1 and tbbo share a record type; Block.schema tells them apart
MBP_10 = 10
STATUS = 18
DEFINITION = 19
ERROR = 21
MAPPING = 22
SYSTEM = 23
STATISTICS = 24
OHLCV_1S, OHLCV_1M, OHLCV_1H, OHLCV_1D = 32, 33, 34, 35
MBO = 160
BBO_1S, BBO_1M = 195, 196

# Record flags
F_LAST = 128
F_TOB = 64
F_SNAPSHOT = 32
F_MBP = 16
F_BAD_TS_RECV = 8
F_MAYBE_BAD_BOOK = 4

SIMULATOR = 65_535  # publisher_id of simulated records: no real venue has it
YAHOO = 65_534      # publisher_id of bars fetched from Yahoo, likewise
SOURCES = {1: "GLBX.MDP3", YAHOO: "yahoo", SIMULATOR: "simulator"}


def source_name(publisher_id: int) -> str:
    """Name of the venue behind a publisher id, as packets show it."""
    return SOURCES.get(publisher_id, f"publisher {publisher_id}")


@dataclass(frozen=True, slots=True)
class Block:
    """Whole DBN version 3 records, back to back, without ts_out, with their place in the source.

    Every way in (files, pipes, JSON lines, the simulator) ends in blocks, so that the reader knows one layout.
    Messages that DBN has no record for travel as SystemMsg with compact JSON text; symbols as SymbolMappingMsg
    (stype_in_symbol is the series, stype_out_symbol the raw symbol or empty) ahead of the first record they name.
    """

    data: bytes
    source: str                 # what an error names: a path, "-" or "sim"
    first: int = 1              # number of the first record or line, from 1
    unit: str = "record"        # or "line": one record a line
    schema: str | None = None   # schema of the source as a whole, where it has one
    numbers: Sequence[int] | None = None  # of each record, where they do not simply follow one another

    def place(self, index: int) -> str:
        """Where the record with this index in the block stands, for an error message."""
        number = self.first + index if self.numbers is None else self.numbers[index]
        return f"{self.source}, {self.unit} {number}"
