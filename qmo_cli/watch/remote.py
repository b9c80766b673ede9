"""A board behind a server, seen through its WebSocket: frames as they come, and the history that they go on with."""

from __future__ import annotations

import json
import logging
import os
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from msgspec.structs import replace

from ..board import Feed, Frame, History
from ..board.board import usable
from ..board.frame import MOST_MARKS, STEPS, Candle, State, empty
from ..errors import BadData, ConfigurationError, NotEntitled, QmoError, SourceUnavailable, UsageError
from ..feeds.keys import read_private
from ..serve.options import TOKEN_VARIABLE

logger = logging.getLogger(__name__)

SILENCE = 5.0            # s without a frame after which the connection counts as dead: one comes every second
PATIENCE = 10.0          # s for an answer
WAITS = (0.5, 1.0, 2.0, 5.0)     # s before each attempt to connect again, the last one for ever
MINUTES = 24 * 60        # of history asked for: 288 candles of 5 minutes
KEPT = 2000              # candles of a step
LARGEST = 8 << 20        # bytes of an answer or a frame
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
SCHEMES = {"http": "ws", "https": "wss"}


class Address(NamedTuple):
    """Where a server is."""

    scheme: str              # http or https
    host: str
    port: int
    path: str                # in front of /api, without a slash at its end

    @property
    def netloc(self) -> str:
        """Host and port, as a URL has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def socket(self, series: str | None) -> str:
        """The URL of the stream."""
        query = "" if series is None else f"?series={quote(series, safe='')}"
        return f"{SCHEMES[self.scheme]}://{self.netloc}{self.path}/api/v1/stream{query}"


def find_token(file: str | None) -> str | None:
    """The token to show: from a file that only its owner may read, else from the environment."""
    if file is not None:
        return read_private(Path(file))
    return os.environ.get(TOKEN_VARIABLE, "").strip() or None


def is_url(name: str) -> bool:
    """Whether a source is a server's address.

    >>> is_url("http://127.0.0.1:8750"), is_url("today.ndjson")
    (True, False)
    """
    return name.startswith(("http://", "https://"))


def address_of(url: str) -> Address:
    """The parts of a server's address. Raises UsageError for one that is none, or that has a secret in it.

    >>> address_of("http://127.0.0.1:8750/")
    Address(scheme='http', host='127.0.0.1', port=8750, path='')
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"this is no address of a server: {error}") from None
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError("an address has host and port only; the token goes into QMO_TOKEN or --token-file")
    if not parts.hostname:
        raise UsageError(f"{url}: write http://HOST:PORT")
    usual = 443 if parts.scheme == "https" else 80
    return Address(parts.scheme, parts.hostname, port or usual, parts.path.rstrip("/"))


class Remote:
    """The board of a server: one thread reads it, another looks at it."""

    def __init__(self, address: Address, token: str | None, heard: Callable[[], None] = lambda: None) -> None:
        self.address = address
        self.heard = heard
        self.wanted: str | None = None       # the series that is looked at
        self.trouble: str | None = None      # why nothing comes; None while it does
        self._token = token
        self._frames: dict[str | None, Frame] = {}
        self._histories: dict[tuple[str, int], History] = {}
        self._arrived = time.monotonic()
        if token and address.scheme == "http" and address.host not in LOCAL:
            logger.warning("the token goes to %s in clear: use https there", address.netloc)

    # ---- for the thread that looks

    def frame(self, series: str | None) -> Frame:
        """The newest frame, as old as it is."""
        self.wanted = series
        frame = self._frames.get(series)
        if frame is None:
            names = next((known.all_series for known in self._frames.values()), [])
            state: State = "starting" if self.trouble is None else "stale"
            return replace(empty(Feed(state, self.trouble, None, "", None, None, None), names), series=series)
        return aged(frame, time.monotonic() - self._arrived, self.trouble)

    def history(self, series: str | None, step: int, candles: int) -> History | None:
        """The newest candles."""
        frame = self._frames.get(series)
        found = None if frame is None or frame.series is None else self._histories.get((frame.series, step))
        return None if found is None else replace(found, candles=found.candles[-candles:])

    # ---- for the thread that reads

    def follow(self, left: Callable[[], bool]) -> Iterator[Frame]:
        """Frames as they come, for ever: a connection that breaks is made again, and the frames say so meanwhile.

        Raises what keeps the first connection from being made, and a refusal whenever it comes.
        """
        check_installed()
        failures, seen = 0, False
        while not left():
            try:
                for frame in self._connected(left):
                    failures, seen = 0, True
                    yield frame
            except SourceUnavailable as error:
                if not seen:
                    raise
                self.trouble = str(error)
                self.heard()
                wait(WAITS[min(failures, len(WAITS) - 1)], left)
                failures += 1

    def _connected(self, left: Callable[[], bool]) -> Iterator[Frame]:
        """The frames of one connection, until another series is wanted."""
        from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
        from websockets.sync.client import connect

        series, direct = self.wanted, self.address.host in LOCAL
        try:
            with connect(
                self.address.socket(series), additional_headers=self._headers(), compression=None, max_size=LARGEST,
                open_timeout=PATIENCE, close_timeout=0.5, proxy=None if direct else True, max_queue=2,
            ) as socket:
                self._histories.clear()          # it may be another server by now
                while not left() and series == self.wanted:
                    yield self._take(series, socket.recv(timeout=SILENCE))
        except InvalidStatus as error:
            raise refusal(self.address, error.response.status_code, bytes(error.response.body or b"")) from None
        except TimeoutError:
            raise SourceUnavailable(f"{self.address.netloc}: nothing heard for {SILENCE:.0f} s") from None
        except ConnectionClosed:
            raise SourceUnavailable(f"{self.address.netloc}: the connection was closed") from None
        except (OSError, InvalidHandshake) as error:
            raise SourceUnavailable(f"{self.address.netloc}: {getattr(error, 'strerror', None) or error}") from None

    def _headers(self) -> dict[str, str]:
        return {} if self._token is None else {"Authorization": f"Bearer {self._token}"}

    def _take(self, series: str | None, text: str | bytes) -> Frame:
        """A frame that came."""
        try:
            frame = msgspec.json.decode(text, type=Frame)
        except msgspec.MsgspecError as error:
            raise BadData(f"{self.address.netloc} sends what this qmo cannot read: {error}") from None
        self._extend(frame)
        self._frames[series] = self._frames[frame.series] = frame
        self._arrived, self.trouble = time.monotonic(), None
        self.heard()
        return frame

    def _extend(self, frame: Frame) -> None:
        """Go on with the history of the frame's series; ask for it where candles are missing in between."""
        if frame.series is None:
            return
        for step in STEPS:
            known, newer = self._histories.get((frame.series, step)), frame.candles.get(str(step), [])
            if known is None or lacks(known, newer) or unseen(known, frame):
                known = self._fetched(frame.series, step) or History(frame.v, frame.series, step, [], [])
            marks = {mark.id: mark for mark in (*known.marks, *frame.marks)}
            self._histories[frame.series, step] = replace(
                known, candles=joined(known.candles, newer), marks=list(marks.values())[-KEPT:])

    def _fetched(self, series: str, step: int) -> History | None:
        """The history of a series; None before there is any."""
        query = urlencode({"minutes": MINUTES, "step": step, "series": series})
        kind = HTTPSConnection if self.address.scheme == "https" else HTTPConnection
        connection = kind(self.address.host, self.address.port, timeout=PATIENCE)
        try:
            connection.request("GET", f"{self.address.path}/api/v1/history?{query}", headers=self._headers())
            answer = connection.getresponse()
            body = bytes(answer.read(LARGEST))
        except HTTPException as error:
            raise SourceUnavailable(f"{self.address.netloc}: {error}") from None
        finally:
            connection.close()
        if answer.status in (404, 503):
            return None
        if answer.status != 200:
            raise refusal(self.address, answer.status, body)
        return msgspec.json.decode(body, type=History)


def lacks(known: History, newer: list[Candle]) -> bool:
    """Whether there may be candles between those known and these."""
    return bool(newer) and (not known.candles or newer[0].time > known.candles[-1].time) and (
        len(newer) > 1 or bool(known.candles))


def unseen(known: History, frame: Frame) -> bool:
    """Whether there may be marks before those of the frame, which has only the last ones, that are not known."""
    return len(frame.marks) >= MOST_MARKS and frame.marks[0].id not in {mark.id for mark in known.marks}


def joined(known: list[Candle], newer: list[Candle]) -> list[Candle]:
    """Candles, those from the time of the newer ones on replaced by these."""
    kept = known[:bisect_left(known, newer[0].time, key=attrgetter("time"))] if newer else known
    return [*kept, *newer][-KEPT:]


def aged(frame: Frame, seconds: float, trouble: str | None) -> Frame:
    """The frame as it is so many seconds after it came, stale where the connection is broken."""
    feed = frame.feed
    if feed.age is not None:
        feed = replace(feed, age=feed.age + seconds)
    if trouble is not None or seconds > SILENCE:
        feed = replace(feed, state="stale", detail=trouble or f"no frame for {seconds:.0f} s")
    return replace(frame, feed=feed, signal=usable(frame.signal, feed))


def refusal(address: Address, status: int, body: bytes) -> QmoError:
    """What a server's answer means for the person who asked."""
    words = f"{address.netloc} answers {status}"
    with suppress(ValueError, KeyError, TypeError):
        words += f": {json.loads(body)['error']['message']}"
    if status in (401, 403):
        return NotEntitled(f"{words}; set QMO_TOKEN, or name a file with --token-file")
    return SourceUnavailable(words)


def check_installed() -> None:
    """Raise ConfigurationError, saying what to do, where there is no library for WebSockets."""
    try:
        import websockets  # noqa: F401
    except ImportError as error:
        raise ConfigurationError(f"{error.name} is not installed; run: pip install 'qmo-cli[serve]'") from error


def wait(seconds: float, left: Callable[[], bool]) -> None:
    """Sleep, unless nobody looks any more."""
    until = time.monotonic() + seconds
    while not left() and time.monotonic() < until:
        time.sleep(0.1)
