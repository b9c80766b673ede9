"""What the API answers, as bytes: made when asked for, and kept while nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import msgspec
from msgspec import Struct

from ..board import Board
from ..board.frame import Feed, ShownZone
from ..packets import WIRE_VERSION
from ..signals import Signal

FRESH = 0.2             # s that an answer may be kept: it says how old the newest packet is
MOST_MINUTES = 7 * 24 * 60

_encode = msgspec.json.Encoder().encode


class Zones(Struct, frozen=True, tag_field="schema", tag="zones"):
    """The zones of a series that stand now, nearest the price first."""

    v: int
    series: str | None
    price: float | None
    feed: Feed
    zones: list[ShownZone]


class Health(Struct, frozen=True):
    """Whether the newest packet is of now."""

    status: Literal["ok", "unavailable"]
    state: str
    detail: str | None
    age: float | None                    # s since the newest packet came


class ServedSignal(Signal, frozen=True, gc=False, tag_field="schema", tag="signal", kw_only=True):
    """A signal line, and how its feed stands."""

    feed: Feed


@dataclass(slots=True)
class Kept:
    """An answer, and what it was made of."""

    packets: int
    made: float
    body: bytes | None


@dataclass(slots=True)
class Answers:
    """Answers of one board. Of series that were not seen KeyError is raised."""

    board: Board
    _kept: dict[tuple[str, str | None], Kept] = field(default_factory=dict)

    def signal(self, series: str | None) -> bytes | None:
        """The newest signal as it may be used now; None before there is one."""
        return self._get("signal", series, self._signal)

    def _signal(self, series: str | None) -> bytes | None:
        signal, feed = self.board.signal(series)
        return None if signal is None else with_feed(_encode(signal), feed)

    def frame(self, series: str | None) -> bytes | None:
        """The frame that the stream would send now."""
        return self._get("frame", series, lambda name: _encode(self.board.frame(name)))

    def packet(self, series: str | None) -> bytes | None:
        """The newest packet's line; None where there is none."""
        return self._get("packet", series, self.board.packet)

    def zones(self, series: str | None) -> bytes | None:
        """All zones that stand."""
        return self._get("zones", series, self._zones)

    def _zones(self, series: str | None) -> bytes:
        frame = self.board.frame(series)
        price = None if frame.market is None else frame.market.price
        return _encode(Zones(WIRE_VERSION, frame.series, price, frame.feed, self.board.zones(series)))

    def history(self, series: str | None, minutes: int, step: int) -> bytes | None:
        """Candles and marks; None before any packet came."""
        history = self.board.history(series, minutes * 60, step)
        return None if history is None else _encode(history)

    def health(self) -> tuple[bool, bytes]:
        """Whether the feed is live, and how it stands."""
        feed = self.board.feed()
        good = feed.state == "live"
        return good, _encode(Health("ok" if good else "unavailable", feed.state, feed.detail, feed.age))

    def _get(self, name: str, series: str | None, make: Callable[[str | None], bytes | None]) -> bytes | None:
        kept, now = self._kept.get((name, series)), self.board.clock.steady()
        if kept is not None and kept.packets == self.board.version and now - kept.made < FRESH:
            return kept.body
        packets = self.board.version
        body = make(series)
        self._kept[name, series] = Kept(packets, now, body)
        return body


def with_feed(line: bytes, feed: Feed) -> bytes:
    """A line of JSON with one more field at its end."""
    return b'%b,"feed":%b}' % (line[:-1], _encode(feed))
