"""--stats: what went where, and what took how long; two tables on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Any

from ..router import Router
from ..tray import Packet
from .logs import tell
from .tables import table

# What the original description allows each part, in ms.
BUDGET = {"feed": "2-3", "iceberg": "10-20", "orderflow": "3-5", "score": "2-4", "signal": "1-2", "all": "28-59"}
GOES_TO = {
    "mbo": ("trades", "depth", "orders"), "mbp-10": ("trades", "depth"), "mbp-1": ("trades", "quote"),
    "tbbo": ("trades", "quote"), "trades": ("trades",), "bbo": ("quote",), "ohlcv": ("bars",),
    "definition": ("tick and point value",),
}
OTHERS = {"type 22": "symbol mapping", "type 23": "system, and ours"}
CAPPED: dict[str, set[str]] = {"l1": {"depth", "orders"}, "l2": {"orders"}, "l3": set()}


@dataclass(slots=True)
class Stopwatch:
    """Time by stage and the number of packets. Nothing is wrapped, and nothing costs, unless ``wanted``."""

    wanted: bool
    packets: int = 0
    nanoseconds: dict[str, int] = field(default_factory=dict)

    def iterate(self, name: str, pieces: Iterator[Any], inside: str = "") -> Iterator[Any]:
        """The same pieces; the time to make them counts for ``name``, less what ``inside`` took of it."""
        return self._iterate(name, pieces, inside) if self.wanted else pieces

    def _iterate(self, name: str, pieces: Iterator[Any], inside: str) -> Iterator[Any]:
        times, done = self.nanoseconds, object()
        times[name] = 0
        while True:
            start, before = perf_counter_ns(), times.get(inside, 0)
            piece = next(pieces, done)
            times[name] += perf_counter_ns() - start - (times.get(inside, 0) - before)
            if piece is done:
                return
            yield piece

    def timed(self, name: str, function: Callable[[Packet], Any]) -> Callable[[Packet], Any]:
        """The same function; its time counts for ``name``."""
        return self._timed(name, function) if self.wanted else function

    def _timed(self, name: str, function: Callable[[Packet], Any]) -> Callable[[Packet], Any]:
        self.nanoseconds[name] = 0

        def call(packet: Packet) -> Any:
            start = perf_counter_ns()
            result = function(packet)
            self.nanoseconds[name] += perf_counter_ns() - start
            return result

        return call

    def count(self, batches: Iterator[list[Packet]]) -> Iterator[list[Packet]]:
        """The same batches; their packets are counted."""
        for batch in batches:
            self.packets += len(batch)
            yield batch

    def show(self, router: Router | None = None, engines: dict[str, int] | None = None) -> None:
        """Print the tables, if somebody wants them."""
        if not self.wanted:
            return
        if router is not None and router.counts:
            show_routes(router)
        times = {**self.nanoseconds, **(engines or {})}
        show_times({name: times[name] for name in sorted(times, key=_place)}, self.packets)


def _place(name: str) -> int:
    """Stages in pipeline order, engines between route and score."""
    return {"feed": 0, "read": 0, "route": 1, "score": 3, "signal": 4}.get(name, 2)


def show_routes(router: Router) -> None:
    """How many records of each schema there were, and which inputs they fed."""
    access = router.options.access
    rows = [
        (OTHERS.get(schema, schema), count, "packets as a whole" if schema in OTHERS else goes_to(schema, access))
        for schema, count in sorted(router.counts.items()) if schema != "skipped"
    ]
    tell(table(rows, ("schema", "records", "goes to")) + "\n", "records by schema", records=objects(
        rows, ("schema", "records", "goes_to")))


def goes_to(schema: str, access: str) -> str:
    """The inputs that records of a schema feed under an access level."""
    family = schema if schema in GOES_TO else schema.partition("-")[0]
    allowed = [name for name in GOES_TO.get(family, ()) if name not in CAPPED[access]]
    return ", ".join(allowed) if allowed else "nowhere"


def show_times(nanoseconds: dict[str, int], packets: int) -> None:
    """Time by stage and engine, beside the original's budget."""
    shown = {**nanoseconds, "all": sum(nanoseconds.values())}
    rows = [
        (name, spent / 1e6, spent / 1e3 / packets if packets else None, BUDGET.get(name))
        for name, spent in shown.items()
    ]
    headers = ("stage", "total ms", "us per packet", "budget ms")
    tell(f"{packets} packets\n\n{table(rows, headers)}", "time by stage", packets=packets, stages=objects(
        rows, [name.replace(" ", "_") for name in headers]))


def objects(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a table for a program."""
    return [dict(zip(names, row, strict=True)) for row in rows]
