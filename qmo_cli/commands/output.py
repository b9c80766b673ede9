"""Writing to stdout: bytes as they come, each piece at once."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable

from ..errors import UsageError

LARGE_BLOCK = 31 << 20  # bytes; beyond 32 MiB glibc would not learn from it


def write_all(pieces: Iterable[bytes]) -> None:
    """Write every piece as soon as it is there: what a stage got in one read leaves in one write."""
    from ..ndjson import widen_pipe

    widen_pipe(1)
    suit_memory_to_streams()
    for piece in pieces:
        write(piece)


def suit_memory_to_streams() -> None:
    """Tell the interpreter that much is made and dropped, little kept, and nothing in cycles.

    The search for cyclic garbage took a tenth of a day's run. And the C library gave the pages of every large buffer
    back to the system, to ask for them again at the next read: two fifths of the time of a stage that reads lines.
    glibc learns to keep them from the first large block that is freed, this one, whose pages are never touched.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
    bytes(LARGE_BLOCK)


def write(piece: bytes) -> None:
    """Write one piece, all of it. Raises BrokenPipeError when nobody reads."""
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(1, rest):]


def refuse_binary_on_terminal() -> None:
    """Raise UsageError when DBN would be written onto a screen."""
    if sys.stdout.isatty():
        raise UsageError("DBN is binary and standard output is a terminal; write to a file or a pipe: > FILE")
