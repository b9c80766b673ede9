"""A small gateway that speaks Databento's live protocol and replays any source: for tests and rehearsals."""

from __future__ import annotations

from .faults import Fault, parse_fault
from .options import GatewayOptions
from .server import Gateway

__all__ = ["Fault", "Gateway", "GatewayOptions", "parse_fault"]
