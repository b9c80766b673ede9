"""Builders of DBN version 3 records, for all tests."""

from __future__ import annotations

import itertools
import json
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from qmo_cli.blocks import (
    BBO_1M,
    BBO_1S,
    DEFINITION,
    F_LAST,
    MAPPING,
    MBO,
    MBP_1,
    MBP_10,
    OHLCV_1D,
    OHLCV_1H,
    OHLCV_1M,
    OHLCV_1S,
    PRICE_SCALE,
    SECOND,
    SYSTEM,
    TRADES,
    UNDEF_PRICE,
    UNDEF_TIME,
    Block,
)

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
START = 1_772_463_600 * SECOND  # 2026-03-02 15:00 UTC, a Monday within gold's day session

Quote = tuple[float | None, int, int]  # price, size, count of one level of one side

_HEAD = "<BBHIQ"
_MBO = struct.Struct(_HEAD + "QqIBBccQiI")
_TRADE = struct.Struct(_HEAD + "qIccBBQiI")
_BBO = struct.Struct(_HEAD + "qIBcBBQ4sI")
_LEVEL = struct.Struct("<qqIIII")
_OHLCV = struct.Struct(_HEAD + "qqqqQ")
_MAPPING = struct.Struct(_HEAD + "B71sB71sQQ")
_SYSTEM = struct.Struct(_HEAD + "303sB")


def nano(price: float | None) -> int:
    """DBN's integer of 1e-9 for a price in money; undefined for None."""
    return UNDEF_PRICE if price is None else round(price * PRICE_SCALE)


def defined(ts_recv: int | None) -> int:
    """A ts_recv as DBN writes it; undefined for None."""
    return UNDEF_TIME if ts_recv is None else ts_recv


def mbo(
    action: str, side: str = "N", price: float | None = None, size: int = 0, order_id: int = 0, *,
    ts_event: int, ts_recv: int | None, flags: int = F_LAST, instrument: int = 1, sequence: int = 0,
    publisher: int = 1, channel: int = 0, delta: int = 0,
) -> bytes:
    """One MBOMsg."""
    return _MBO.pack(
        _MBO.size // 4, MBO, publisher, instrument, ts_event, order_id, nano(price), size, flags, channel,
        action.encode(), side.encode(), defined(ts_recv), delta, sequence,
    )


def _trade_like(
    rtype: int, length: int, action: str, side: str, price: float | None, size: int, ts_event: int,
    ts_recv: int | None, flags: int, instrument: int, publisher: int,
) -> bytes:
    return _TRADE.pack(
        length // 4, rtype, publisher, instrument, ts_event, nano(price), size, action.encode(), side.encode(),
        flags, 0, defined(ts_recv), 0, 0,
    )


def trade(
    side: str, price: float, size: int, *, ts_event: int, ts_recv: int | None, flags: int = 0, instrument: int = 1,
    publisher: int = 1,
) -> bytes:
    """One TradeMsg."""
    return _trade_like(
        TRADES, _TRADE.size, "T", side, price, size, ts_event, ts_recv, flags, instrument, publisher)


def levels(bids: Sequence[Quote], asks: Sequence[Quote], depth: int) -> bytes:
    """The book part of mbp and bbo records: ``depth`` pairs, best first; what is missing is undefined."""
    absent: Quote = (None, 0, 0)
    parts = []
    for rank in range(depth):
        bid = bids[rank] if rank < len(bids) else absent
        ask = asks[rank] if rank < len(asks) else absent
        parts.append(_LEVEL.pack(nano(bid[0]), nano(ask[0]), bid[1], ask[1], bid[2], ask[2]))
    return b"".join(parts)


def mbp(
    depth: Literal[1, 10], action: str, side: str, price: float | None, size: int, bids: Sequence[Quote],
    asks: Sequence[Quote], *, ts_event: int, ts_recv: int | None, flags: int = F_LAST, instrument: int = 1,
    publisher: int = 1,
) -> bytes:
    """One MBP1Msg or MBP10Msg."""
    rtype, length = (MBP_1 if depth == 1 else MBP_10), _TRADE.size + depth * _LEVEL.size
    head = _trade_like(rtype, length, action, side, price, size, ts_event, ts_recv, flags, instrument, publisher)
    return head + levels(bids, asks, depth)


def mbp1(action: str, side: str, price: float | None, size: int, bid: Quote, ask: Quote, **rest: Any) -> bytes:
    """One MBP1Msg: the touch after the change."""
    return mbp(1, action, side, price, size, [bid], [ask], **rest)


def mbp10(
    action: str, side: str, price: float | None, size: int, bids: Sequence[Quote], asks: Sequence[Quote],
    **rest: Any,
) -> bytes:
    """One MBP10Msg: ten levels after the change."""
    return mbp(10, action, side, price, size, bids, asks, **rest)


def tbbo(side: str, price: float, size: int, bid: Quote, ask: Quote, **rest: Any) -> bytes:
    """One TBBOMsg: a trade with the quote before it (the same layout as mbp-1)."""
    return mbp(1, "T", side, price, size, [bid], [ask], **rest)


def bbo(
    bid: Quote, ask: Quote, *, ts_event: int, ts_recv: int | None, price: float | None = None, size: int = 0,
    side: str = "N", interval: Literal["1s", "1m"] = "1s", flags: int = F_LAST, instrument: int = 1,
    publisher: int = 1,
) -> bytes:
    """One BBOMsg: the quote at the interval's end, and the last trade."""
    rtype = BBO_1S if interval == "1s" else BBO_1M
    head = _BBO.pack(
        (_BBO.size + _LEVEL.size) // 4, rtype, publisher, instrument, ts_event, nano(price), size, 0, side.encode(),
        flags, 0, defined(ts_recv), b"", 0,
    )
    return head + levels([bid], [ask], 1)


OHLCV_TYPES = {"1s": OHLCV_1S, "1m": OHLCV_1M, "1h": OHLCV_1H, "1d": OHLCV_1D}


def ohlcv(
    prices: tuple[float, float, float, float], volume: int, *, ts_event: int, interval: str = "1s",
    instrument: int = 1, publisher: int = 1,
) -> bytes:
    """One OHLCVMsg; ``ts_event`` is the bar's open, ``prices`` are open, high, low, close."""
    body = [nano(price) for price in prices]
    return _OHLCV.pack(_OHLCV.size // 4, OHLCV_TYPES[interval], publisher, instrument, ts_event, *body, volume)


def mapping(series: str, symbol: str, *, instrument: int = 1, ts_event: int = START, publisher: int = 1) -> bytes:
    """One SymbolMappingMsg: the series that was asked for and the raw symbol behind it."""
    return _MAPPING.pack(
        _MAPPING.size // 4, MAPPING, publisher, instrument, ts_event, 0, series.encode(), 1, symbol.encode(),
        ts_event, UNDEF_TIME,
    )


def system(
    text: str | dict[str, Any], *, ts_event: int, code: int = 255, instrument: int = 0, publisher: int = 0,
) -> bytes:
    """One SystemMsg; a dict becomes compact JSON."""
    words = text if isinstance(text, str) else json.dumps(text, separators=(",", ":"))
    return _SYSTEM.pack(_SYSTEM.size // 4, SYSTEM, publisher, instrument, ts_event, words.encode(), code)


def definition(symbol: str, tick: float, *, ts_event: int = START, instrument: int = 1, publisher: int = 1) -> bytes:
    """One InstrumentDefMsg with symbol and tick; everything else is empty."""
    record = bytearray(520)
    struct.pack_into(_HEAD + "Qq", record, 0, 130, DEFINITION, publisher, instrument, ts_event, ts_event, nano(tick))
    record[238:238 + len(symbol)] = symbol.encode()
    return bytes(record)


def split(data: bytes) -> list[bytes]:
    """The records of a run of DBN bytes, by their length bytes."""
    records, position = [], 0
    while position < len(data):
        length = data[position] * 4
        records.append(data[position:position + length])
        position += length
    return records


def blocks(records: Iterable[bytes], cuts: Sequence[int] = (), schema: str | None = None) -> list[Block]:
    """The records as blocks, cut before the records with these indices."""
    every = list(records)
    edges = sorted({0, len(every), *(cut for cut in cuts if 0 < cut < len(every))})
    pairs = itertools.pairwise(edges)
    return [Block(b"".join(every[low:high]), "test", low + 1, schema=schema) for low, high in pairs]


def read_dbn(path: Path) -> list[bytes]:
    """The records of a real DBN file (zstd or plain, any version) as version 3 records, by the vendor's decoder."""
    import databento_dbn
    import zstandard

    data = path.read_bytes()
    if path.suffix == ".zst":
        data = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
    upgrade: Any = databento_dbn.VersionUpgradePolicy.UPGRADE_TO_V3  # the stub calls its members int
    decoder = databento_dbn.DBNDecoder(upgrade_policy=upgrade)
    decoder.write(data)
    return [bytes(record) for record in decoder.decode()[1:]]
