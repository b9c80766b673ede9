"""How the live stream is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...errors import UsageError
from ...records.layout import layout
from ...times import duration
from ..symbology import stype_of
from .cursor import OVERLAP, Cursor
from .request import DATASET, HEARTBEAT, PORT, SERIES, Request, Subscription, address_of

FRAME = 50_000_000              # ns, length of a live frame unless another is asked for
BEST_FIRST = ("mbo", "mbp-10", "tbbo")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """Where the live stream comes from, and what is done with it on the way."""

    gateway: str | None = field(default=None, metadata={
        "help": "Connect to this gateway instead of the vendor's, such as that of qmo gateway.",
        "metavar": "HOST:PORT"})
    dataset: str = field(default=DATASET, metadata={"help": "The vendor's dataset."})
    record: str | None = field(default=None, metadata={
        "help": "Write the stream to this file as it comes, in DBN; a file that is there is gone on with. "
                "{date} in its name is the trade date.",
        "metavar": "FILE"})
    warmup: str | None = field(default=None, metadata={
        "help": "Put so much history (30d, 8h) ahead of the live stream, marked, so that engines are ready at once.",
        "metavar": "SPAN"})
    clock: str | None = field(default=None, metadata={
        "help": "While nothing comes, say at the end of each such span that it is over; else of a frame, or 50ms.",
        "metavar": "SPAN"})

    def address(self) -> tuple[str | None, int]:
        """Host (None: the vendor's) and port."""
        return (None, PORT) if self.gateway is None else address_of(self.gateway)

    def grain(self) -> int:
        """ns between clock marks."""
        span = FRAME if self.clock is None else duration(self.clock)
        if span <= 0:
            raise UsageError(f"--clock {self.clock}: a span of time longer than nothing, such as 50ms")
        return span


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is subscribed to."""

    schemas: tuple[str, ...] = ()   # empty: the best that the key is entitled to
    symbols: tuple[str, ...] = (SERIES,)

    def __post_init__(self) -> None:
        if "tbbo" in self.schemas and "mbp-1" in self.schemas:
            raise UsageError("tbbo and mbp-1 cannot be told apart in one session; ask for one of them")

    def subscriptions(
        self, schemas: tuple[str, ...], cursor: Cursor, start: int | None = None, settled: int = 0,
    ) -> tuple[Subscription, ...]:
        """What to ask for: from where each schema has come to, else from ``start`` (ns), else from now.

        A schema without a snapshot of which nothing came yet is asked for from where the others have come to. What
        lies before ``settled`` (ns) is not asked for again: the vendor does not replay all the days of a silence.
        """
        kinds: dict[str, list[str]] = {}
        for symbol in self.symbols:
            kinds.setdefault(stype_of(symbol), []).append(symbol)
        return tuple(
            subscription(schema, tuple(symbols), stype, place(schema, cursor, start, settled))
            for schema in schemas for stype, symbols in kinds.items())

    @property
    def rolls(self) -> bool:
        """Whether a symbol can come to mean another contract."""
        return any(stype_of(symbol) == "continuous" for symbol in self.symbols)


def place(schema: str, cursor: Cursor, start: int | None, settled: int) -> int | None:
    """From which ts_event (ns) a schema is asked for; None: from now on."""
    reached = cursor.start(layout(schema).rtype)
    if reached is None and start is None and schema != "mbo":
        reached = cursor.latest
    if reached is None:
        return start
    return reached if schema.startswith("ohlcv") else max(reached, settled - OVERLAP)  # bars have the time they open


def subscription(schema: str, symbols: tuple[str, ...], stype: str, start: int | None) -> Subscription:
    """With the resting orders first, where the stream of orders begins now."""
    return Subscription(schema, symbols, stype, start, snapshot=schema == "mbo" and start is None)


def request(options: LiveOptions, subscriptions: tuple[Subscription, ...], heartbeat: int = HEARTBEAT) -> Request:
    """The request to the gateway of the options."""
    host, port = options.address()
    return Request(subscriptions, options.dataset, host, port, heartbeat)
