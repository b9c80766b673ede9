"""What is read of a packet: the few fields that are needed, so that a pipe decodes no more."""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct

from ...packets import ContextFact, Second

NO_FACTS = b'"context":null}'


class TradesSeen(Struct, frozen=True):
    """What is read of the packet's trades in a pipe."""

    seconds: list[Second] = []


class InputsSeen(Struct, frozen=True):
    """What is read of the packet's inputs in a pipe."""

    trades: TradesSeen | None = None
    context: list[ContextFact] | None = None


class BarsSeen(Struct, frozen=True):
    """What is read of the bars."""

    count: int = 0
    atr: float | None = None


def without_facts(inputs: Any) -> bool:
    """Whether a packet's inputs hold no facts; a line that ends as lines usually do need not be decoded to know."""
    return bytes(inputs).endswith(NO_FACTS) if type(inputs) is Raw else inputs.context is None
