"""Many WebSocket clients in one process, as cheap as can be.

``python -m tests.bench_listeners HOST PORT CLIENTS SECONDS`` prints a line once all are connected, and at the end what
they were sent, as JSON.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from dataclasses import dataclass, field

REQUEST = (
    b"GET /api/v1/stream HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
SERVED = b'"served":"'
SHARES = (0.5, 0.99, 0.999)
PONG = b"\x8a\x84\0\0\0\0"


@dataclass(slots=True)
class Client:
    """One connection."""

    socket: socket.socket
    pending: bytes = b""

    def frames(self) -> list[bytes]:
        """Texts of the whole frames that have come; pings are answered."""
        data, found = self.pending + self.socket.recv(1 << 18), []
        while (cut := measured(data)) is not None:
            begin, end = cut
            if data[0] == 0x89:
                self.socket.send(PONG + data[begin:end])
            elif data[0] == 0x81:
                found.append(data[begin:end])
            data = data[end:]
        self.pending = data
        return found


def measured(data: bytes) -> tuple[int, int] | None:
    """Where the text of the first frame begins and ends; None where it is not whole."""
    if len(data) < 4:
        return None
    begin, size = 2, data[1]
    if size == 126:
        begin, size = 4, int.from_bytes(data[2:4])
    elif size == 127:
        begin, size = 10, int.from_bytes(data[2:10])
    return (begin, begin + size) if len(data) >= begin + size else None


@dataclass(slots=True)
class Crowd:
    """All of them, and what they were sent."""

    clients: dict[int, Client] = field(default_factory=dict)
    first: dict[bytes, float] = field(default_factory=dict)      # s, the first arrival of each frame at any client
    spreads: list[float] = field(default_factory=list)           # ms, from that to the arrival at each
    bytes: int = 0

    def join(self, host: str, port: int, number: int) -> None:
        """Connect so many."""
        for _ in range(number):
            client = socket.create_connection((host, port), 10)
            client.sendall(REQUEST)
            if not client.recv(4096, socket.MSG_PEEK).startswith(b"HTTP/1.1 101"):
                raise SystemExit(f"refused: {client.recv(4096)!r}")
            top = client.recv(4096, socket.MSG_PEEK).index(b"\r\n\r\n") + 4
            client.recv(top)
            self.clients[client.fileno()] = Client(client)

    def listen(self, seconds: float, *, counted: bool = True) -> None:
        """Read for so long."""
        poll = select.epoll()
        for number in self.clients:
            poll.register(number, select.EPOLLIN)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for number, _ in poll.poll(left):
                texts, now = self.clients[number].frames(), time.monotonic()
                if counted:
                    self.note(texts, now)
        poll.close()

    def note(self, texts: list[bytes], now: float) -> None:
        """What has come to one of them."""
        for text in texts:
            begin = text.find(SERVED) + len(SERVED)
            self.bytes += len(text)
            self.spreads.append(1e3 * (now - self.first.setdefault(text[begin:begin + 24], now)))


def main() -> None:
    """Connect, wait until all have settled, measure."""
    host, port, number, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    crowd = Crowd()
    crowd.join(host, port, number)
    crowd.listen(2, counted=False)
    print("ready", flush=True)
    cpu = time.process_time()
    crowd.listen(seconds)
    busy = (time.process_time() - cpu) / seconds
    spreads = sorted(crowd.spreads)
    found = {
        "made": len(crowd.first) / seconds, "delivered": len(spreads) / seconds, "size": crowd.bytes / len(spreads),
        "spread": [spreads[int(len(spreads) * share)] for share in SHARES] + spreads[-1:], "generator": busy,
    }
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
