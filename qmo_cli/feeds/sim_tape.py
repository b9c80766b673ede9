# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The simulated exchange's output: MBO records in the layout of DBN version 3."""

from __future__ import annotations

from array import array

import cython

# An MBO record is seven 64-bit little-endian words.
WORDS = cython.declare(cython.Py_ssize_t, 7)
HEAD = cython.declare(cython.Py_ssize_t, 0)      # length, type, publisher, instrument
TS_EVENT = cython.declare(cython.Py_ssize_t, 1)
ORDER_ID = cython.declare(cython.Py_ssize_t, 2)
PRICE = cython.declare(cython.Py_ssize_t, 3)     # 1e-9
DETAIL = cython.declare(cython.Py_ssize_t, 4)    # size, flags, channel, action, side
TS_RECV = cython.declare(cython.Py_ssize_t, 5)
ORIGIN = cython.declare(cython.Py_ssize_t, 6)    # ts_in_delta, sequence

FLAGS_AT = cython.declare(cython.int, 32)        # bit offsets inside DETAIL
ACTION_AT = cython.declare(cython.int, 48)
SIDE_AT = cython.declare(cython.int, 56)

LAST = cython.declare(cython.longlong, 128)      # F_LAST


@cython.cclass
class Tape:
    """Records written since the last ``cut``, and what the records of one exchange event have in common."""

    def __init__(self, instrument_id: int, publisher_id: int, capacity: int) -> None:
        self.head = 14 | 160 << 8 | publisher_id << 16 | instrument_id << 32  # 14 words of 4 bytes, type MBO
        self.store = array("Q", bytes(8 * 7 * capacity))
        self.words = self.store
        self.count = 0
        self.sequence = 0
        self.ts_event = 0
        self.ts_recv = 0
        self.ts_in_delta = 0
        self.flags = 0       # that every record has for the time being

    @cython.cfunc
    @cython.exceptval(check=False)
    def stamp(self, ts_event: cython.longlong, delay: cython.longlong) -> cython.void:
        """Begin an event: its time at the exchange, and its way to the capture host, whose time never goes back."""
        self.ts_event = ts_event
        self.ts_recv = max(self.ts_recv, ts_event + delay)
        self.ts_in_delta = delay >> 4

    @cython.cfunc
    @cython.exceptval(check=False)
    def write(self, action: cython.longlong, side: cython.longlong, order_id: cython.longlong,
              price: cython.longlong, size: cython.longlong, flags: cython.longlong) -> cython.Py_ssize_t:
        """Append one record and say which one it is, for ``enlarge``. Action and side are ASCII codes."""
        row: cython.Py_ssize_t = self.count * WORDS
        self.sequence += 1
        self.words[row + HEAD] = self.head
        self.words[row + TS_EVENT] = self.ts_event
        self.words[row + ORDER_ID] = order_id
        self.words[row + PRICE] = price
        self.words[row + DETAIL] = size | (flags | self.flags) << FLAGS_AT | action << ACTION_AT | side << SIDE_AT
        self.words[row + TS_RECV] = self.ts_recv
        self.words[row + ORIGIN] = self.ts_in_delta | (self.sequence & 0xFFFFFFFF) << 32
        self.count += 1
        return self.count - 1

    @cython.cfunc
    @cython.exceptval(check=False)
    def enlarge(self, record: cython.Py_ssize_t, lots: cython.longlong) -> cython.void:
        """Add lots to a record that was written before its size was known."""
        self.words[record * WORDS + DETAIL] += lots

    @cython.cfunc
    @cython.exceptval(check=False)
    def end(self) -> cython.void:
        """Mark the newest record as the last of its event."""
        self.words[(self.count - 1) * WORDS + DETAIL] |= LAST << FLAGS_AT

    @cython.cfunc
    @cython.exceptval(check=False)
    def lose(self, count: cython.Py_ssize_t) -> cython.void:
        """Let all records but the first ``count`` be lost on their way; their sequence numbers stay used."""
        self.count = count

    @cython.cfunc
    def cut(self) -> bytes:
        """The records written so far; the tape is empty again."""
        data: bytes = memoryview(self.store)[: self.count * WORDS].tobytes()
        self.count = 0
        return data
