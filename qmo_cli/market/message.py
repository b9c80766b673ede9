# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""One market record, taken apart: the fields that the reader uses, whatever the schema."""

from __future__ import annotations

from struct import Struct

import cython

UNDEFINED_TIME = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
SECOND = cython.declare(cython.longlong, 1_000_000_000)

MboRecord = cython.struct(
    length=cython.uchar, rtype=cython.uchar, publisher_id=cython.ushort, instrument_id=cython.uint,
    ts_event=cython.ulonglong, order_id=cython.longlong, price=cython.longlong, size=cython.uint,
    flags=cython.uchar, channel_id=cython.uchar, action=cython.uchar, side=cython.uchar,
    ts_recv=cython.ulonglong, ts_in_delta=cython.int, sequence=cython.uint,
)
TradeRecord = cython.struct(
    length=cython.uchar, rtype=cython.uchar, publisher_id=cython.ushort, instrument_id=cython.uint,
    ts_event=cython.ulonglong, price=cython.longlong, size=cython.uint, action=cython.uchar, side=cython.uchar,
    flags=cython.uchar, depth=cython.uchar, ts_recv=cython.ulonglong, ts_in_delta=cython.int, sequence=cython.uint,
)
BarRecord = cython.struct(
    length=cython.uchar, rtype=cython.uchar, publisher_id=cython.ushort, instrument_id=cython.uint,
    ts_event=cython.ulonglong, open=cython.longlong, high=cython.longlong, low=cython.longlong,
    close=cython.longlong, volume=cython.ulonglong,
)
LevelPair = cython.struct(
    bid_px=cython.longlong, ask_px=cython.longlong, bid_sz=cython.uint, ask_sz=cython.uint,
    bid_ct=cython.uint, ask_ct=cython.uint,
)

HEAD_LAYOUT = Struct("<BBHI")
MBO_LAYOUT = Struct("<8xQqqIBBBBQ")
TRADE_LAYOUT = Struct("<8xQqIBBBxQ")
BAR_LAYOUT = Struct("<8xQqqqqQ")
PAIR_LAYOUT = Struct("<qqIIII")

# Record types, as C constants
OHLCV_1S = cython.declare(cython.int, 32)
OHLCV_1D = cython.declare(cython.int, 35)
MBO = cython.declare(cython.int, 160)

F_SNAPSHOT = cython.declare(cython.int, 32)


@cython.final
@cython.cclass
class Message:
    """The record at one place of a buffer. Prices are integers of 1e-9, times ns since 1970, sizes contracts.

    ``load`` fills the fields of the record's own schema and leaves the others as they were.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.order_id = self.action = self.side = 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def load(self, at: cython.Py_ssize_t) -> cython.void:
        self.bytes = 4 * self.data[at]
        self.rtype = self.data[at + 1]
        if self.rtype == MBO:
            self.load_mbo(at)
        elif OHLCV_1S <= self.rtype <= OHLCV_1D:
            self.load_bar(at)
        else:
            self.load_trade(at)

    @cython.cfunc
    @cython.exceptval(check=False)
    def in_snapshot(self) -> cython.bint:
        """Whether the record is an order of a snapshot."""
        return self.rtype == MBO and self.flags & F_SNAPSHOT != 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def load_mbo(self, at: cython.Py_ssize_t) -> cython.void:
        ts_recv: cython.ulonglong
        if cython.compiled:
            record = cython.cast(cython.pointer(MboRecord), cython.address(self.data[at]))
            self.publisher_id = record.publisher_id
            self.instrument_id = record.instrument_id
            self.ts_event = record.ts_event
            self.order_id = record.order_id
            self.price = record.price
            self.size = record.size
            self.flags = record.flags
            self.action = record.action
            self.side = record.side
            ts_recv = record.ts_recv
        else:
            _, _, self.publisher_id, self.instrument_id = HEAD_LAYOUT.unpack_from(self.data, at)
            (self.ts_event, self.order_id, self.price, self.size, self.flags, _, self.action, self.side,
             ts_recv) = MBO_LAYOUT.unpack_from(self.data, at)
        self.time = self.ts_event if ts_recv == UNDEFINED_TIME else ts_recv

    @cython.cfunc
    @cython.exceptval(check=False)
    def load_trade(self, at: cython.Py_ssize_t) -> cython.void:
        """trades, tbbo, mbp-1, mbp-10 and bbo share this beginning (bbo has no action)."""
        ts_recv: cython.ulonglong
        if cython.compiled:
            record = cython.cast(cython.pointer(TradeRecord), cython.address(self.data[at]))
            self.publisher_id = record.publisher_id
            self.instrument_id = record.instrument_id
            self.ts_event = record.ts_event
            self.price = record.price
            self.size = record.size
            self.action = record.action
            self.side = record.side
            self.flags = record.flags
            ts_recv = record.ts_recv
        else:
            _, _, self.publisher_id, self.instrument_id = HEAD_LAYOUT.unpack_from(self.data, at)
            (self.ts_event, self.price, self.size, self.action, self.side, self.flags,
             ts_recv) = TRADE_LAYOUT.unpack_from(self.data, at)
        self.order_id = 0
        self.time = self.ts_event if ts_recv == UNDEFINED_TIME else ts_recv

    @cython.cfunc
    @cython.exceptval(check=False)
    def load_bar(self, at: cython.Py_ssize_t) -> cython.void:
        """A bar's time is its end: ts_event is the bar's open."""
        if cython.compiled:
            record = cython.cast(cython.pointer(BarRecord), cython.address(self.data[at]))
            self.publisher_id = record.publisher_id
            self.instrument_id = record.instrument_id
            self.ts_event = record.ts_event
            self.open = record.open
            self.high = record.high
            self.low = record.low
            self.price = record.close
            self.size = record.volume
        else:
            _, _, self.publisher_id, self.instrument_id = HEAD_LAYOUT.unpack_from(self.data, at)
            (self.ts_event, self.open, self.high, self.low, self.price,
             self.size) = BAR_LAYOUT.unpack_from(self.data, at)
        self.flags = 0
        self.interval = 1 if self.rtype == 32 else 60 if self.rtype == 33 else 3600 if self.rtype == 34 else 86_400
        self.time = self.ts_event + self.interval * SECOND

    @cython.cfunc
    @cython.exceptval(check=False)
    def load_pair(self, at: cython.Py_ssize_t) -> cython.void:
        """One rank of the displayed book: a bid and an ask level."""
        if cython.compiled:
            pair = cython.cast(cython.pointer(LevelPair), cython.address(self.data[at]))
            self.bid_price = pair.bid_px
            self.ask_price = pair.ask_px
            self.bid_size = pair.bid_sz
            self.ask_size = pair.ask_sz
            self.bid_count = pair.bid_ct
            self.ask_count = pair.ask_ct
        else:
            (self.bid_price, self.ask_price, self.bid_size, self.ask_size, self.bid_count,
             self.ask_count) = PAIR_LAYOUT.unpack_from(self.data, at)
