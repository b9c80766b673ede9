"""What an engine is: a dataclass whose fields are its parameters, updated once per packet."""

from __future__ import annotations

from typing import ClassVar, Protocol, Self, runtime_checkable

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


@runtime_checkable
class Keeper(Protocol):
    """An engine that keeps something beyond the run, in a store that its instances share.

    What it reads there is what was there when the store was opened: before any data, and once for all series.
    """

    def sibling(self) -> Self:
        """The same engine for another series, on the same store."""
        ...

    def close(self) -> None:
        """The end of the run, however it came: write what waits and let the store go. More than once does no harm."""
        ...
