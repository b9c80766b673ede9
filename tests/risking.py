"""What the tests of capital protection share: streams of trades and own records, and the packets they make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qmo_cli.engines.risk.reading import Guard, RiskReading
from qmo_cli.pipeline import Engines
from qmo_cli.records import Account, Fill, Kill, to_dbn
from qmo_cli.router import RouteOptions, Router
from qmo_cli.tray import Packet

from .support import START, bbo, blocks, mapping, trade

NAMED = mapping("GC.v.0", "GCJ6")
SECOND = 1_000_000_000


def at(seconds: float) -> int:
    """ns of a number of seconds after the start."""
    return START + round(seconds * SECOND)


def traded(seconds: float, price: float, instrument: int = 1) -> bytes:
    return trade("B", price, 1, ts_event=at(seconds), ts_recv=at(seconds), instrument=instrument)


def quoted(seconds: float, bid: float, ask: float) -> bytes:
    return bbo((bid, 5, 1), (ask, 5, 1), ts_event=at(seconds), ts_recv=at(seconds))


def fill(seconds: float, side: str, size: int, price: float, **more: Any) -> bytes:
    fields: dict[str, Any] = {"side": side, "size": size, "price": price, **more}
    return to_dbn(Fill(ts_event=str(at(seconds)), **fields))


def account(seconds: float, balance: float, **more: Any) -> bytes:
    return to_dbn(Account(ts_event=str(at(seconds)), balance=balance, **more))


def kill(seconds: float, *, active: bool = True, detail: str = "") -> bytes:
    return to_dbn(Kill(ts_event=str(at(seconds)), active=active, detail=detail))


def packets(records: Sequence[bytes], every: str = "1s") -> list[Packet]:
    """The packets of a stream."""
    router = Router(RouteOptions(every=every))
    return [packet for block in blocks(records) for packet in router.read(block)] + router.finish()


def readings(records: Sequence[bytes], every: str = "1s", **risk: Any) -> list[RiskReading]:
    """What the engine says of each packet."""
    engines = Engines(("bars", "risk"), {"risk": risk, "bars": {"period": "1s", "atr_period": "1s"}})
    found = []
    for packet in packets(records, every):
        engines.update(packet)
        found.append(packet.slots["risk"])
    engines.close()
    return found


def last(records: Sequence[bytes], **risk: Any) -> RiskReading:
    """What it says at the end."""
    return readings([NAMED, *records], **risk)[-1]


def guard(reading: RiskReading, name: str) -> Guard:
    """One guard of a reading."""
    return next(found for found in reading.guards if found.name == name)
