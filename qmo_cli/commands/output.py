"""Writing to stdout: bytes as they come, each piece at once."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable

from ..errors import UsageError


def write_all(pieces: Iterable[bytes]) -> None:
    """Write every piece as soon as it is there: what a stage got in one read leaves in one write."""
    from ..ndjson import widen_pipe

    widen_pipe(1)
    calm_collector()
    for piece in pieces:
        write(piece)


def calm_collector() -> None:
    """Look for cyclic garbage less often: packets hold none, but their lists made the search a tenth of all work."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def write(piece: bytes) -> None:
    """Write one piece, all of it. Raises BrokenPipeError when nobody reads."""
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(1, rest):]


def refuse_binary_on_terminal() -> None:
    """Raise UsageError when DBN would be written onto a screen."""
    if sys.stdout.isatty():
        raise UsageError("DBN is binary and standard output is a terminal; write to a file or a pipe: > FILE")
