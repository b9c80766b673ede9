"""What the tests of the laws share: the chain in one process, the same chain stage by stage, and cut inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import msgspec

from qmo_cli.blocks import Block
from qmo_cli.engines import ENGINES
from qmo_cli.feeds.files import open_source
from qmo_cli.feeds.inputs import READ_SIZE, Source
from qmo_cli.ndjson import DbnWriter, LineWriter, read_packets
from qmo_cli.pipeline import Engines, routed
from qmo_cli.router import RouteOptions, Router
from qmo_cli.score import Scorer
from qmo_cli.signals import Signal, Signaler
from qmo_cli.tray import Packet

Encoding = Literal["ndjson", "dbn"]
ENCODINGS: tuple[Encoding, ...] = ("ndjson", "dbn")
Settings = dict[str, dict[str, Any]]
Step = Callable[[Packet], object]
Cutter = Callable[[bytes], list[bytes]]

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Setup:
    """How the chain is run."""

    every: str = "1s"
    access: str = "l3"
    settings: Settings = field(default_factory=dict)
    tick: float | None = None

    def router(self) -> Router:
        return Router(RouteOptions(every=self.every, access=self.access, tick=self.tick))

    def at(self, every: str) -> Setup:
        """The same with frames of another length."""
        return replace(self, every=every)


def put_signal(signaler: Signaler) -> Step:
    """The last stage: a packet's signal goes into its slot, as ``signal --full`` prints it."""

    def step(packet: Packet) -> None:
        packet.slots["signal"] = signaler.update(packet)

    return step


def steps(setup: Setup, names: Sequence[str] = ("all",)) -> list[Step]:
    """The stages after route, in one process."""
    return [Engines(names, setup.settings).update, Scorer().update, put_signal(Signaler())]


def packets(blocks: Iterable[Block], setup: Setup) -> Iterator[Packet]:
    """Packets with all their slots, from one process."""
    stages = steps(setup)
    for batch in routed(setup.router(), blocks):
        for packet in batch:
            for step in stages:
                step(packet)
            yield packet


def lines(blocks: Iterable[Block], setup: Setup) -> list[bytes]:
    """What one process prints: a packet and its signal on each line."""
    return [packet.encode() for packet in packets(blocks, setup)]


def unfinished(blocks: Iterable[Block], setup: Setup) -> list[bytes]:
    """What is printed while more input may still come."""
    router, stages, printed = setup.router(), steps(setup), []
    for block in blocks:
        for packet in router.read(block):
            for step in stages:
                step(packet)
            printed.append(packet.encode())
    return printed


# --- the same through bytes


class Pieces(Source):
    """An input whose bytes come in these pieces."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        super().__init__("-", -1)
        self.pieces = iter(pieces)

    def read(self, size: int = READ_SIZE) -> bytes:
        if self.head:
            data, self.head = self.head, b""
            return data
        data = next(self.pieces, b"")
        self.ended = not data
        return data


def whole(data: bytes) -> list[bytes]:
    """Bytes that come in one piece."""
    return [data] if data else []


def every(size: int) -> Cutter:
    """Bytes that come in pieces of one size, as from a pipe."""
    return lambda data: [data[at:at + size] for at in range(0, len(data), size)]


def written(blocks: Iterable[Block], encoding: Encoding) -> bytes:
    """What ``feed`` writes."""
    return b"".join(map(DbnWriter().encode if encoding == "dbn" else LineWriter().lines, blocks))


def read_back(data: bytes, cutter: Cutter = whole) -> list[Block]:
    """What a stage that reads records makes of its standard input."""
    return list(open_source(["-"], stdin=Pieces(cutter(data))))


def stage(text: bytes, step: Step, cutter: Cutter = whole) -> bytes:
    """One stage on the lines of the one before it."""
    printed = []
    for batch in read_packets(Pieces(cutter(text))):
        for packet in batch:
            step(packet)
            printed.append(packet.encode() + b"\n")
    return b"".join(printed)


def route_lines(blocks: Iterable[Block], setup: Setup, encoding: Encoding, cutter: Cutter = whole) -> bytes:
    """What ``route`` prints when it reads what ``feed`` wrote."""
    return b"".join(
        packet.encode() + b"\n" for batch in routed(setup.router(), read_back(written(blocks, encoding), cutter))
        for packet in batch)


def staged(text: bytes, setup: Setup, order: Sequence[Sequence[str]] = (("all",),), cutter: Cutter = whole) -> bytes:
    """What the stages after ``route`` print when each reads what the one before it wrote."""
    stages = [Engines(names, setup.settings).update for names in order]
    for step in (*stages, Scorer().update, put_signal(Signaler())):
        text = stage(text, step, cutter)
    return text


def piped(
    blocks: Iterable[Block], setup: Setup, encoding: Encoding, order: Sequence[Sequence[str]] = (("all",),),
    cutter: Cutter = whole,
) -> list[bytes]:
    """What all stages print. ``order``: engines of each engine stage."""
    return staged(route_lines(blocks, setup, encoding, cutter), setup, order, cutter).splitlines()


def engine_orders() -> list[list[tuple[str, ...]]]:
    """One engine per stage, each behind the engines that it needs: in the table's order, and far from it."""
    names = list(ENGINES)
    return [
        [(name,) for name in ordered(wish)]
        for wish in (names, names[1::2] + names[::2], names[len(names) // 2:] + names, names[::-1])
    ]


def ordered(wish: Sequence[str]) -> list[str]:
    """All engines, always the first of the wish whose needs stand already."""
    order: list[str] = []
    while len(order) < len(ENGINES):
        order.append(next(
            name for name in wish
            if name not in order and ENGINES[name].needs.intersection(ENGINES) <= set(order)))
    return order


def raw_slots(line: bytes) -> dict[str, bytes]:
    """The slots of a line, byte by byte as they stand there."""
    return {name: bytes(raw) for name, raw in msgspec.json.decode(line, type=dict[str, msgspec.Raw]).items()}


def signal_of(packet: Packet) -> Signal:
    """The signal that the chain put into a packet."""
    signal: Signal = packet.slots["signal"]
    return signal


def signal_line(signal: Signal) -> bytes:
    """What ``signal`` prints."""
    return _encode(signal)
