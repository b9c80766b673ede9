"""Moving records in time: yesterday's market as if it were today's."""

from __future__ import annotations

from functools import cache
from typing import Any

from ..blocks import DEFINITION, MBO, STATISTICS, STATUS, UNDEF_TIME
from ..market import stream

RECEIVED = {MBO: (40,), 0: (32,), 1: (32,), 10: (32,), 195: (32,), 196: (32,), STATUS: (16,),
            STATISTICS: (16, 24), DEFINITION: (16, 40, 48)}
EVENT = 8                        # offset of ts_event in every record
MINUTE, HOUR, DAY = 60_000_000_000, 3_600_000_000_000, 86_400_000_000_000
GRAINS = {"ohlcv-1s": 10**9, "bbo-1s": 10**9, "ohlcv-1m": MINUTE, "bbo-1m": MINUTE, "ohlcv-1h": HOUR, "ohlcv-1d": DAY}


def grain_of(schemas: frozenset[str]) -> int:
    """By multiples of how many ns a source may be moved: bars must still begin where bars begin."""
    return max((GRAINS.get(schema, 1) for schema in schemas), default=1)


@cache
def _times(length: int, rtype: int) -> Any:
    """The times of a record, as numpy wants to see them."""
    import numpy as np

    offsets = [EVENT, *RECEIVED.get(rtype, ())]
    return np.dtype({"names": [f"t{offset}" for offset in offsets], "formats": ["<u8"] * len(offsets),
                     "offsets": offsets, "itemsize": length})


def prepare() -> None:
    """Load what moving takes, so that no client has to wait for it."""
    _times(56, MBO)


def shifted(data: bytes, by: int) -> bytes:
    """The records with all their times moved by a number of ns; a time that is undefined stays so."""
    if not by or not data:
        return data
    import numpy as np

    moved, at = bytearray(data), 0
    while at < len(data):
        stop = stream.same(data, at)
        records = np.frombuffer(moved, _times(4 * data[at], data[at + 1]), (stop - at) // (4 * data[at]), at)
        for name in records.dtype.names:
            known = records[name] != UNDEF_TIME
            records[name][known] += np.uint64(by % 2**64)
        at = stop
    return bytes(moved)
