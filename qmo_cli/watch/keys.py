"""Keys, out of the bytes that a terminal sends."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Control sequences (arrows, function keys, answers), those of older keypads, and Escape with a letter.
KEY = re.compile(rb"\x1b\[[0-9;?<]*[ -/]*[@-~]|\x1bO.|\x1b.?|.", re.DOTALL)
NAMES = {
    b"q": "quit", b"Q": "quit", b"s": "step", b"S": "step", b"\t": "next", b"\x1b[Z": "previous", b" ": "pause",
    b"?": "help", b"h": "help", b"\x0c": "redraw",
}


def keys(data: bytes) -> Iterator[str]:
    """What is to be done for these bytes; ``other`` for keys that mean nothing.

    >>> list(keys(b"s\\x1b[A\\t\\x1b[Zq"))
    ['step', 'other', 'next', 'previous', 'quit']
    """
    for match in KEY.finditer(data):
        yield NAMES.get(match[0], "other")
