"""Pictures one after another, as plain text: for files, mails, logs and whoever reads a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ..board import Board, Frame, History
from ..errors import QmoError
from ..signals import Signal
from ..tray import Packet
from .look import Look
from .screen import lines
from .sight import Sight

Decision = tuple[str, str | None]


@dataclass(slots=True)
class Printer:
    """Decides which moments are worth a picture, and draws them.

    These are changes of the decision, with ``every`` (ns of market time) also moments at that distance, and the end.
    """

    sight: Sight
    look: Look
    width: int
    height: int
    step: int
    once: bool = False
    every: int | None = None
    _decisions: dict[str, Decision] = field(default_factory=dict)
    _turns: dict[str, int] = field(default_factory=dict)
    _printed: dict[str, int] = field(default_factory=dict)

    def due(self, series: str, ts: int, signal: Signal | None) -> bool:
        """Whether the picture of a series is worth printing at a time, ns."""
        decision = self._decisions.get(series, ("HOLD", None))
        if signal is not None:
            self._decisions[series] = signal.signal.type, signal.signal.id
        turn = 0 if self.every is None else (ts - 1) // self.every
        before = self._turns.setdefault(series, turn)
        self._turns[series] = turn
        changed = signal is not None and self._decisions[series] != decision
        return not self.once and (changed or turn != before)

    def picture(self, series: str | None) -> Iterator[bytes]:
        """The picture of a series, unless it is the one printed last."""
        frame = self.sight.frame(series)
        key = frame.series or ""
        if frame.feed.state not in ("failed", "stale") and self._printed.get(key) == frame.seq:
            return
        first, self._printed[key] = not self._printed, frame.seq
        yield (("" if first else "\n") + self.text(frame, self.sight.history(series, self.step, self.width))).encode()

    def text(self, frame: Frame, history: History | None) -> str:
        """The picture without empty lines at its end."""
        rows = lines(frame, history, self.width, self.height, self.look)
        while rows and not rows[-1]:
            rows.pop()
        return "".join(f"{row}\n" for row in rows)


def of_packets(printer: Printer, board: Board, batches: Iterable[list[Packet]]) -> Iterator[bytes]:
    """The pictures of packets, and at their end one of each series. Raises what ended them once that is printed."""
    trouble: QmoError | None = None
    try:
        for batch in batches:
            for packet in batch:
                board.put([packet])
                if printer.due(packet.series, packet.ts, packet.read("signal", Signal)):
                    yield from printer.picture(packet.series)
    except QmoError as error:
        if not board.packets:
            raise
        trouble = error
        board.failed(str(error))
    for series in board.names():
        yield from printer.picture(series)
    if trouble is not None:
        raise trouble


def of_frames(printer: Printer, frames: Iterator[Frame]) -> Iterator[bytes]:
    """The pictures of a server's frames; with ``once`` the first one that shows something."""
    for frame in frames:
        if frame.series is None or frame.ts is None:
            continue
        if printer.once or printer.due(frame.series, int(frame.ts), frame.signal):
            yield from printer.picture(None)
        if printer.once:
            return


