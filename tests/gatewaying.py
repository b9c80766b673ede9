"""A client of the gateway that sees every byte, and sources for it."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import databento_dbn as vendor

from qmo_cli.blocks import ERROR, MAPPING, SYSTEM, Block
from qmo_cli.feeds.sim import SimOptions, simulate
from qmo_cli.gateway import Gateway, GatewayOptions, parse_fault
from qmo_cli.records.layout import read_mapping

from .samples import records

KEY = "db-rehearsal0000000000000000abcde"
PATIENCE = 10.0                       # seconds: more is a hang
SMALL = SimOptions(seed=3, minutes=1)
GATEWAYS_OWN = (ERROR, MAPPING, SYSTEM)
SECOND, HOUR = 1_000_000_000, 3_600_000_000_000


def at(record: bytes, offset: int) -> int:
    """An unsigned 64-bit field."""
    return int.from_bytes(record[offset:offset + 8], "little")


def instruments(found: list[bytes]) -> list[tuple[int, str, str | None]]:
    """What the mapping records say."""
    return [read_mapping(record, 0) for record in found if record[1] == MAPPING]


def sim() -> Iterator[Block]:
    """A minute of a market."""
    return simulate(SMALL)


def market(blocks: Iterator[Block] | None = None) -> list[bytes]:
    """The market records of a source."""
    return [record for record in records(blocks or sim()) if record[1] not in GATEWAYS_OWN]


def serving(*faults: str, source: Callable[[], Iterator[Block]] = sim, **changes: Any) -> Gateway:
    """A gateway that sends all it has, then closes; unless told otherwise."""
    options = {"port": 0, "speed": 0.0, "end": "fin", **changes}
    return Gateway(source, GatewayOptions(faults=tuple(map(parse_fault, faults)), **options))


def blocks_of(*data: bytes, schema: str | None = None) -> Callable[[], Iterator[Block]]:
    """A source of these records, each piece a block."""
    return lambda: iter([Block(piece, "made", schema=schema) for piece in data])


def answer(challenge: str, key: str = KEY) -> str:
    """What a client answers to a challenge."""
    return f"{hashlib.sha256(f'{challenge}|{key}'.encode()).hexdigest()}-{key[-5:]}"


def never(_: list[bytes]) -> bool:
    """Whether there is enough: read on until the gateway closes."""
    return False


@dataclass
class Client:
    """Speaks the protocol over a plain socket."""

    port: int
    socket: socket.socket = field(init=False)
    data: bytes = b""
    header: Any = None
    ts_out: bool = False

    def __post_init__(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def line(self) -> str:
        """One line of the gateway; nothing when it closed."""
        while b"\n" not in self.data and (piece := self.socket.recv(65_536)):
            self.data += piece
        line, _, self.data = self.data.partition(b"\n")
        return line.decode()

    def say(self, *lines: str) -> None:
        """Send lines."""
        self.socket.sendall("".join(f"{line}\n" for line in lines).encode())

    def login(self, key: str = KEY, more: str = "|ts_out=0|compression=none|heartbeat_interval_s=30") -> str:
        """Greet and authenticate; the gateway's verdict."""
        assert self.line() == "lsg_version=0.8.0"
        challenge = self.line().removeprefix("cram=")
        assert len(challenge) == 32
        self.ts_out = "ts_out=1" in more
        self.say(f"auth={answer(challenge, key)}|dataset=GLBX.MDP3|encoding=dbn{more}")
        return self.line()

    def ask(self, schema: str = "mbo", symbols: str = "GC.v.0", stype: str = "continuous", **more: Any) -> None:
        """Subscribe."""
        rest = "".join(f"|{name}={value}" for name, value in more.items())
        self.say(f"schema={schema}|stype_in={stype}|symbols={symbols}{rest}|id=7")

    def read(self, enough: Callable[[list[bytes]], bool] = never) -> list[bytes]:
        """Whole records, until the gateway closes or there are enough."""
        found: list[bytes] = []
        while not enough(found):
            found += self._whole()
            if enough(found):
                break
            piece = self.socket.recv(1 << 20)
            if not piece:
                break
            self.data += piece
        return found

    def _whole(self) -> list[bytes]:
        if self.header is None:
            size = 8 + int.from_bytes(self.data[4:8], "little")
            if len(self.data) < max(size, 9):
                return []
            self.header, self.data = vendor.Metadata.decode(self.data[:size]), self.data[size:]
        found, at = [], 0
        while at < len(self.data) and 4 <= self.data[at] * 4 <= len(self.data) - at:
            found.append(self.data[at:at + 4 * self.data[at]])
            at += 4 * self.data[at]
        self.data = self.data[at:]
        return found


def session(gateway: Gateway, schema: str = "mbo", **more: Any) -> list[bytes]:
    """All records of a session with one subscription, until the gateway closes it."""
    with Client(gateway.port) as client:
        assert client.login().startswith("success=1|session_id=")
        client.ask(schema, **more)
        client.say("start_session=0")
        return client.read()


def of_market(found: list[bytes]) -> list[bytes]:
    """The market's records of some."""
    return [record for record in found if record[1] not in GATEWAYS_OWN]


def told(found: list[bytes]) -> list[tuple[int, str]]:
    """Code and text of the gateway's system and error messages; errors as negative codes."""
    decoded = [vendor.DBNDecoder(has_metadata=False, input_version=3).write_and_decode(record)[0]
               for record in found if record[1] in (ERROR, SYSTEM)]
    return [(-int(each.code), each.err) if isinstance(each, vendor.ErrorMsg) else (int(each.code), each.msg)
            for each in decoded]
