# cython: language_level=3
"""What was really planted in the simulated market, one JSON object a line; it never enters the stream."""

from __future__ import annotations

import json
from typing import Any

import cython


@cython.cclass
class Truth:
    """Lines since the last ``cut``. Times are ns as text, prices numbers, sizes whole numbers.

    ``blind``: records are being lost, or the book is doubtful until the next snapshot: nothing is evidence then.
    ``lost``: the records of the present event do not reach the stream at all.
    """

    def __init__(self, lowest: int, on: bool) -> None:
        self.on = on
        self.lowest = lowest
        self.lines: list[str] = []
        self.blind = False
        self.lost = False

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def price(self, tick: cython.longlong) -> cython.double:
        """The price of a tick."""
        return (self.lowest + tick) / 10.0

    @cython.cfunc
    def decoy(self, name: str, ts: cython.longlong, order_id: cython.longlong, side: cython.longlong,
              tick: cython.longlong) -> object:
        """Something that looks like an iceberg's work and is none; order id, side or tick 0: none in particular."""
        if self.on and not self.lost:
            order = f'"{order_id}"' if order_id else "null"
            letter = ('"B"' if side > 0 else '"A"') if side else "null"
            price = self.price(tick) if tick else "null"
            self.lines.append(f'{{"schema":"truth","kind":"decoy","decoy":"{name}","ts_event":"{ts}",'
                              f'"order_id":{order},"side":{letter},"price":{price}}}\n')
        return None

    def write(self, kind: str, fields: dict[str, Any]) -> None:
        """Any other line."""
        if self.on:
            self.lines.append(json.dumps({"schema": "truth", "kind": kind, **fields}, separators=(",", ":")) + "\n")

    def cut(self) -> str:
        """The lines so far; there are none any more."""
        lines = "".join(self.lines)
        self.lines.clear()
        return lines


def letter(side: int) -> str:
    """The side as it stands in the file: +1 buys."""
    return "B" if side > 0 else "A"


def time_text(ts: int) -> str | None:
    """A time as it stands in the file; 0 is a time that never came."""
    return str(ts) if ts else None
