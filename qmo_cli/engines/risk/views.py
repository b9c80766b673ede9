"""The account as of the end of an input: one line for each series, for people and programs."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from typing import Any, Literal

from msgspec import Struct

from ...packets import OptionalStr
from ...times import iso
from ...tray import Packet
from .reading import Guard, RiskReading

WIDTH = 80
ACCOUNT = ("balance", "realised", "open", "drawdown", "position", "trades", "losses", "size_factor")


class RiskState(Struct, frozen=True):
    """What capital protection says of a series at the end of an input."""

    schema: Literal["risk"]
    timestamp: str                       # ISO, end of the last frame
    ts: str                              # ns
    series: str
    symbol: OptionalStr
    risk: RiskReading


LINES = {"risk": RiskState}


def states(batches: Iterable[list[Packet]], update: Callable[[Packet], Any]) -> list[RiskState]:
    """The last reading of each series; packets that risk has not read are given to ``update`` first."""
    found: dict[str, Packet] = {}
    for batch in batches:
        for packet in batch:
            if packet.slots.get("risk") is None:
                update(packet)
            found[packet.series] = packet
    return [state_of(packet) for packet in found.values()]


def state_of(packet: Packet) -> RiskState:
    """A packet's reading as a line of its own."""
    return RiskState("risk", iso(packet.ts), str(packet.ts), packet.series, packet.symbol,
                     packet.read("risk", RiskReading))


def heading(state: RiskState) -> str:
    """Of what and when, and the decision with its reasons."""
    reading = state.risk
    verdict = "a trade is allowed" if reading.allowed else "no trade is allowed"
    name = state.series if state.symbol in (None, state.series) else f"{state.series} ({state.symbol})"
    lines = [f"{name} at {state.timestamp}: {verdict}"]
    lines += [textwrap.fill(reason, WIDTH, initial_indent="- ", subsequent_indent="  ") for reason in reading.reasons]
    return "\n".join(lines)


def guard_rows(reading: RiskReading) -> list[list[Any]]:
    """Name, limit, value and state of every guard, those that are off too."""
    rows: list[list[Any]]
    rows = [[guard.name, guard.limit, guard.value, verdict_of(guard)] for guard in reading.guards]
    return rows + [[name, None, None, "off"] for name in reading.guards_off]


def verdict_of(guard: Guard) -> str:
    """What a guard says, in a word."""
    return "ok" if guard.ok else "not known" if guard.limit is not None and guard.value is None else "CLOSED"


def account_rows(reading: RiskReading) -> list[list[Any]]:
    """What is known of the account, name by name."""
    rows = [[name.replace("_", " "), getattr(reading, name)] for name in ACCOUNT]
    return [[f"{name} ({reading.currency})" if name == "balance" and reading.currency else name,
             "not told" if value is None else value] for name, value in rows]
