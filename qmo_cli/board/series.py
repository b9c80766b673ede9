"""One series on the board: its newest packet, and what is kept of those before."""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from ..engines.session.reading import SessionReading
from ..packets import WIRE_VERSION, Health, Inputs, Market, Notice
from ..score import Score
from ..signals import Signal
from ..times import SECOND, iso
from ..tray import Packet
from .candles import CandleBook
from .frame import MOST_MARKS, MOST_SYSTEM, Feed, Frame, History, Latency, ShownFlow, ShownMark, ShownNotice
from .marks import marks
from .zones import Standing

KEPT_MARKS = 400
KEPT_NOTICES = 50
SILENT = frozenset({"clock"})        # notices that tell nobody anything
# A reason is shown where what it explains is: whole slots, and the leaves of these.
SHOWN_SLOTS = ("market.", "health.", "session.", "score.")


class FlowSlot(Struct, frozen=True, gc=False):
    """Of the order flow reading what a screen shows, as it stands on the wire."""

    bias: str | None = None
    delta: int | None = None
    volume: int | None = None
    cvd: int | None = None
    anchor: str | None = None
    heat: float | None = None
    vwap: float | None = None
    poc: float | None = None
    vah: float | None = None
    val: float | None = None


class SeriesBoard:
    """What a screen shows of one series. Not thread-safe: the board that holds it has the lock."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seq = 0
        self.packet: Packet | None = None
        self.signal: Signal | None = None
        self.candles = CandleBook()
        self.zones = Standing()
        self.marks: deque[ShownMark] = deque(maxlen=KEPT_MARKS)
        self.notices: deque[ShownNotice] = deque(maxlen=KEPT_NOTICES)
        self.happened: dict[str, int] = {}       # notices so far, by kind

    def put(self, packet: Packet) -> None:
        """The next packet; with nothing but a signal in it where the input holds signals alone."""
        self.seq += 1
        self.packet = packet
        self.signal = packet.read("signal", Signal)
        market, inputs = packet.read("market", Market), packet.read("inputs", Inputs)
        tick = None if market is None else market.tick
        self.marks.extend(sorted(marks(packet, inputs, self.signal, tick), key=lambda mark: int(mark.ts)))
        self._notice(packet)
        if inputs is not None:
            self.candles.trade(inputs)
        flow, score = self._flow(), packet.read("score", Score)
        self.candles.stand(packet.ts, None if flow is None else flow.cvd, None if score is None else score.total)
        self.zones.take(packet)

    def _notice(self, packet: Packet) -> None:
        notices: list[Notice] = packet.read("system", list[Notice]) or []
        for notice in notices:
            self.happened[notice.kind] = self.happened.get(notice.kind, 0) + 1
            if notice.kind not in SILENT:
                self.notices.append(ShownNotice(notice.ts_event or str(packet.ts), notice.kind, notice.detail))

    def _flow(self) -> ShownFlow | None:
        assert self.packet is not None
        flow = self.packet.read("orderflow", FlowSlot)
        if flow is None:
            return None
        return ShownFlow(flow.bias, flow.delta, flow.volume, flow.cvd, flow.anchor, flow.heat, flow.vwap, flow.poc,
                         flow.vah, flow.val)

    @property
    def market(self) -> Market | None:
        """Of the newest packet; None where there is none in it."""
        market: Market | None = None if self.packet is None else self.packet.read("market", Market)
        return market

    @property
    def quality(self) -> str | None:
        """Of the newest packet, or of the signal where it is all there is."""
        market = self.market
        if market is not None:
            return market.quality
        return None if self.signal is None else self.signal.market_context.quality

    def frame(self, feed: Feed, all_series: list[str], signal: Signal | None, latency: Latency | None) -> Frame:
        """All of it now, as a line of its own. ``signal`` is the newest one as it may be shown."""
        packet, market = self.packet, self.market
        assert packet is not None
        price = packet.price if market is None else market.price
        return Frame(
            v=WIRE_VERSION, seq=self.seq, ts=str(packet.ts), timestamp=iso(packet.ts), series=self.name,
            symbol=packet.symbol, all_series=all_series, feed=feed, market=market,
            health=packet.read("health", Health), session=packet.read("session", SessionReading), flow=self._flow(),
            zones=self.zones.near(price), score=packet.read("score", Score), signal=signal,
            candles=self.candles.newest(), marks=list(self.marks)[-MOST_MARKS:], latency=latency,
            system=list(self.notices)[-MOST_SYSTEM:], missing=reasons(packet),
        )

    def history(self, seconds: int, step: int) -> History:
        """Candles of the last so many seconds, and the marks of that time."""
        assert self.packet is not None
        start = self.packet.ts // SECOND - seconds
        recent = [mark for mark in self.marks if int(mark.ts) >= start * SECOND]
        return History(WIRE_VERSION, self.name, step, self.candles.by_step[step].since(start), recent)


def reasons(packet: Packet) -> dict[str, str]:
    """Why what a frame shows is null: by slot, and by leaf where leaves are shown."""
    found = {}
    for path, reason in packet.missing.items():
        if "." not in path or path.startswith(SHOWN_SLOTS):
            found[path] = reason
        elif path.startswith("orderflow."):
            found["flow." + path.removeprefix("orderflow.")] = reason
    return dict(sorted(found.items()))
