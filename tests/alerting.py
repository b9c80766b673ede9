"""What the tests of alerts share: signals by hand, clocks that stand still, receivers that listen on this machine."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from qmo_cli.alerts.alert import Alert
from qmo_cli.alerts.clock import Clock
from qmo_cli.times import SECOND

NOW = 1_791_211_200 * SECOND     # 2026-10-05 14:40:00 UTC
PATIENCE = 20.0                  # s, before something that should have happened counts as hanging


@dataclass
class Hands:
    """Clocks that are moved by hand."""

    wall: int = NOW
    steady: float = 0.0

    def clock(self) -> Clock:
        return Clock(lambda: self.wall, lambda: self.steady)

    def pass_by(self, seconds: float) -> None:
        self.wall += round(seconds * SECOND)
        self.steady += seconds


def signal_line(
    kind: str = "HOLD", name: str | None = None, *, ts: int = NOW, quality: str = "real-time", status: str = "hold",
    change: str | None = None, source: str = "GLBX.MDP3", series: str = "GC.v.0", **more: Any,
) -> bytes:
    """A signal with what alerts read of it, and something that they do not read."""
    entry = {"price": 2567.5, "type": "limit", "limit_price": 2568.0, "target": 2587.5, "stop": 2557.5}
    position = {"contract": "MGC", "contracts": 4, "capital_required": 1.0}
    return json.dumps({
        "schema": "signal", "v": 1, "ts": str(ts), "series": series, "status": status, "symbol": "GCZ6",
        "current_price": 2567.5,
        "signal": {"type": kind, "confidence": 0.87, "id": name, "since": "2026-10-05T14:40:00Z" if name else None,
                   "rationale": ["first", "Buyers swept 3 levels up."]},
        "entry": entry if name else None, "position": position if name else None,
        "market_context": {"quality": quality, "source": source, "session": "new york"},
        "reasons": ["score 0.5 is neither"], "valid_until": "2026-10-05T14:41:00Z" if name else None,
        "change": change, **more,
    }, ensure_ascii=False, separators=(",", ":")).encode()


def alert(number: int = 1, *, kind: str = "opened", topic: str = "decision", ts: int = NOW, label: str = "") -> Alert:
    """An alert by hand."""
    return Alert(f"live|GC.v.0|{topic}|{kind}|{number}", topic, kind, str(number), "live", "GC.v.0", "GCZ6", ts,
                 "BUY", 2567.5, "real-time", label, f"words {number}", f'{{"line":{number}}}')


def eventually(condition: Callable[[], Any], what: str) -> Any:
    """What the condition gives once it gives something; the test fails, instead of hanging, where it never does."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.005)
    raise AssertionError(f"{what}: not within {PATIENCE:g} s")


@dataclass
class Receiver:
    """Answers each request with the next of ``answers`` (the last one again and again), and keeps what came."""

    answers: list[tuple[int, dict[str, str]]] = field(default_factory=lambda: [(200, {})])
    delay: Callable[[], None] = lambda: None
    bodies: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    port: int = 0

    def answer(self) -> tuple[int, dict[str, str]]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def texts(self) -> list[str]:
        return [body["text"] for body in self.bodies]

    def url(self, path: str = "/hook/s3cret?token=t0ken") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def receiving(receiver: Receiver, wrap: Callable[[Any], Any] | None = None) -> Iterator[Receiver]:
    """A receiver that listens on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        timeout = PATIENCE

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.times.append(time.monotonic())
            receiver.paths.append(self.path)
            receiver.delay()
            status, headers = receiver.answer()
            receiver.bodies.append(json.loads(body))
            try:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "6")
                self.end_headers()
                self.wfile.write(b"secret")
            except OSError:
                return  # the client had no patience

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if wrap is not None:
        server.socket = wrap(server.socket)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)
