"""What an engine is: a dataclass whose fields are its parameters, updated once per packet."""

from __future__ import annotations

from typing import ClassVar, Protocol, runtime_checkable

from ..packets import Missing, Reading
from ..tray import Packet


@runtime_checkable
class Engine(Protocol):
    """One view of the market. One instance per series; it knows nothing but the packets it was given.

    ``reasons`` says why leaves of the last reading are null: field name -> words. Fields with ``init=False``
    are state; all others are parameters, with ``metadata={"help": ...}``.
    """

    name: ClassVar[str]
    needs: ClassVar[frozenset[str]]        # "trades", "depth", "orders" and other engines' slots
    reading: ClassVar[type[Reading]]       # what it gives
    reasons: dict[str, str]

    def update(self, packet: Packet) -> Reading | Missing: ...
