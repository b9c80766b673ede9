"""Replay at the speed of the market: with the feed commands, the only place that has a clock."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from ..blocks import MAPPING, SECOND, UNDEF_TIME, Block
from ..market import stream
from .dbn import cut

GRAIN = 1_000_000       # ns: what comes within it goes out together


def pace(blocks: Iterable[Block], speed: float) -> Iterator[Block]:
    """The same records, each no earlier than its time tells at ``speed`` (1: real time; 0: as fast as possible)."""
    if speed <= 0:
        yield from blocks
        return
    begun, origin = time.monotonic(), None
    for block in blocks:
        start, index, data = 0, 0, block.data
        while start < len(data):
            when, stop = stream.record_time(data, start), start + 4 * data[start]
            # What has no time, such as the beginning of a warm-up, does not wait for any; nor does what a symbol means,
            # which is of the file's beginning, hours before the first record that was asked for.
            if when < UNDEF_TIME and data[start + 1] != MAPPING:
                origin = when if origin is None else origin
                delay = (when - origin) / SECOND / speed - (time.monotonic() - begun)
                if delay > 0:
                    time.sleep(delay)
                reached = origin + int((time.monotonic() - begun) * speed * SECOND)
                stop = max(stream.first_from(data, start, max(reached, when) + GRAIN, False), stop)
            yield cut(block, start, stop, index)
            index += stream.count(data, start, stop)
            start = stop
