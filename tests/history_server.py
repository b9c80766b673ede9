"""A server that stands in for the vendor's historical service, with an archive made by the tests, and faults."""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import trustme
import zstandard
from databento_dbn import Metadata, Schema, SType

from .support import SECOND

KEY = "db-rehearsal-key-12345"
DOLLARS_PER_BYTE = 0.001
DAY = 86_400 * SECOND
SIZES = {"mbo": 56, "trades": 48, "tbbo": 80, "ohlcv-1m": 56, "ohlcv-1d": 56, "mbp-10": 368}

Fault = Callable[["Answer", bytes], None]   # sends something else than the answer


@dataclass
class Archive:
    """What the vendor has."""

    records: dict[tuple[str, str], list[tuple[int, bytes]]] = field(default_factory=dict)  # with index times, sorted
    names: dict[str, list[tuple[date, date, int]]] = field(default_factory=dict)           # symbol -> instruments
    conditions: dict[str, str] = field(default_factory=dict)                               # by date
    first: str = "2020-01-01T00:00:00.000000000Z"
    last: str = "2026-03-10T00:00:00.000000000Z"

    def select(self, query: dict[str, str]) -> list[bytes]:
        """The records that a request means."""
        start, end = int(query["start"]), int(query["end"])
        held = self.records.get((query["symbols"], query["schema"]), [])
        return [record for ts, record in held if start <= ts < end]

    def file(self, query: dict[str, str]) -> bytes:
        """A DBN file as the vendor sends it."""
        records = self.select(query)
        return zstandard.ZstdCompressor().compress(self.header(query) + b"".join(records))

    def header(self, query: dict[str, str]) -> bytes:
        """The header with the mappings of the days that a request touches."""
        symbol, start, end = query["symbols"], int(query["start"]), int(query["end"])
        first, last = day_of(start), day_of(end - 1) + timedelta(days=1)
        intervals = [SimpleNamespace(start_date=max(d0, first), end_date=min(d1, last), symbol=str(number))
                     for d0, d1, number in self.names.get(symbol, []) if d0 < last and d1 > first]
        metadata = Metadata(
            dataset=query["dataset"], start=start, end=end, schema=Schema(query["schema"]),
            stype_in=SType(query["stype_in"]), stype_out=SType("instrument_id"), symbols=[symbol], partial=[],
            not_found=[], mappings=[SimpleNamespace(raw_symbol=symbol, intervals=intervals)],  # type: ignore[list-item]
        )
        return metadata.encode()


def day_of(ts: int) -> date:
    """UTC date of ns."""
    return datetime.fromtimestamp(ts // SECOND, UTC).date()


class Answer(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Service
    protocol_version = "HTTP/1.1"
    timeout = 10                                # s: the vendor's client leaves connections open

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.reply(url.path, {name: values[0] for name, values in parse_qs(url.query).items()})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.reply(self.path, {name: values[0] for name, values in parse_qs(body).items()})

    def reply(self, path: str, query: dict[str, str]) -> None:
        """The answer, or what a fault makes of it."""
        endpoint = path.removeprefix("/v0/")
        self.server.note(endpoint, query)
        if self.headers["Authorization"] != "Basic " + base64.b64encode(f"{KEY}:".encode()).decode():
            refuse(401, {"case": "auth_authentication_failed", "message": "Authentication failed."})(self, b"")
        else:
            faults = self.server.faults.get(endpoint, [])
            fault = faults.pop(0) if faults else None
            (fault or send)(self, self.server.body(endpoint, query))
        self.close_connection = True

    def log_message(self, *args: Any) -> None:
        pass


def send(answer: Answer, body: bytes, status: int = 200, **headers: str) -> None:
    """The answer as it should be, unless told otherwise."""
    answer.send_response(status)
    for name, value in headers.items():
        answer.send_header(name.replace("_", "-"), value)
    answer.send_header("Content-Length", str(len(body)))
    answer.end_headers()
    answer.wfile.write(body)


def refuse(status: int, detail: Any, **headers: str) -> Fault:
    """An error as the vendor sends it."""
    def fault(answer: Answer, body: bytes) -> None:
        whole = {"docs": "https://docs", "status_code": status, **detail} if isinstance(detail, dict) else detail
        send(answer, json.dumps({"detail": whole}).encode(), status, **headers)
    return fault


def cut(share: float) -> Fault:
    """The connection ends when a share of the body has been sent."""
    def fault(answer: Answer, body: bytes) -> None:
        answer.send_response(200)
        answer.send_header("Content-Length", str(len(body)))
        answer.end_headers()
        answer.wfile.write(body[:int(len(body) * share)])
        answer.close_connection = True
    return fault


def shortened(answer: Answer, body: bytes) -> None:
    """A body that is cut, and nothing in HTTP that says so."""
    send(answer, body[:-10])


def hang_up(answer: Answer, body: bytes) -> None:
    """No answer at all."""
    answer.close_connection = True


def instead(text: bytes) -> Fault:
    """Another body."""
    return lambda answer, _: send(answer, text)


def warned(words: str) -> Fault:
    """The answer with a warning of the vendor's."""
    return lambda answer, body: send(answer, body, X_Warning=json.dumps([words]))


def slow(pause: float) -> Fault:
    """The answer after a while."""
    def fault(answer: Answer, body: bytes) -> None:
        time.sleep(pause)
        send(answer, body)
    return fault


class Service(ThreadingHTTPServer):
    """The server: it counts what it is asked, and what is paid."""

    daemon_threads = False

    def __init__(self, archive: Archive, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        authority = trustme.CA()
        self.bundle = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.bundle))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.archive = archive
        self.asked: Counter[str] = Counter()
        self.queries: list[tuple[str, dict[str, str]]] = []
        self.faults: dict[str, list[Fault | None]] = {}
        self.guard = threading.Lock()
        self.thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self.thread.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"https://127.0.0.1:{self.server_address[1]}"

    @property
    def paid(self) -> list[tuple[str, str, int, int]]:
        """Symbol, schema, start and end of every download that was asked for."""
        return [(query["symbols"], query["schema"], int(query["start"]), int(query["end"]))
                for endpoint, query in self.queries if endpoint == "timeseries.get_range"]

    def note(self, endpoint: str, query: dict[str, str]) -> None:
        """Remember a request."""
        with self.guard:
            self.asked[endpoint] += 1
            self.queries.append((endpoint, query))

    def body(self, endpoint: str, query: dict[str, str]) -> bytes:
        """What the vendor would answer."""
        answers: dict[str, Callable[[dict[str, str]], Any]] = {
            "metadata.get_dataset_range": self.range, "metadata.get_dataset_condition": self.condition,
            "metadata.get_cost": lambda query: self.size(query) * DOLLARS_PER_BYTE,
            "metadata.get_billable_size": self.size, "symbology.resolve": self.resolve,
        }
        if endpoint == "timeseries.get_range":
            return self.archive.file(query)
        return json.dumps(answers[endpoint](query)).encode()

    def range(self, query: dict[str, str]) -> Any:
        span = {"start": self.archive.first, "end": self.archive.last}
        return {**span, "schema": {"mbo": span, "trades": span}}

    def condition(self, query: dict[str, str]) -> Any:
        first, last = query["start_date"], query.get("end_date", "9999-12-31")
        rows = {day: {"date": day, "condition": condition, "last_modified_date": None}
                for day, condition in self.archive.conditions.items() if first <= day <= last}
        return [{"date": first, "condition": "available", "last_modified_date": "2026-03-01"}, *rows.values()]

    def size(self, query: dict[str, str]) -> int:
        return sum(map(len, self.archive.select(query)))

    def resolve(self, query: dict[str, str]) -> Any:
        first, last = query["start_date"], query["end_date"]
        names = self.archive.names.get(query["symbols"], [])
        spans = [{"d0": max(str(d0), first), "d1": min(str(d1), last), "s": str(number)}
                 for d0, d1, number in names if str(d0) < last and str(d1) > first]
        found = {query["symbols"]: spans} if spans else {}
        return {"result": found, "symbols": [query["symbols"]], "partial": [], "message": "OK", "status": 0,
                "not_found": [] if spans else [query["symbols"]]}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves early is part of the tests."""

    def close(self) -> None:
        """Answer no more."""
        self.shutdown()
        self.server_close()
        self.thread.join()


def spread(records: Sequence[bytes], times: Sequence[int]) -> list[tuple[int, bytes]]:
    """Records with their index times, in order."""
    return sorted(zip(times, records, strict=True), key=lambda pair: pair[0])
