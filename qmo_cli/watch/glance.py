"""What one person at a keyboard looks at: which series, which candles, now or held still."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.structs import replace

from ..board import Frame, History
from ..board.frame import STEPS
from .look import Look
from .screen import View, lines
from .sight import Sight
from .terminal import Terminal


@dataclass(slots=True)
class Glance:
    """A way to look at something that goes on."""

    sight: Sight
    look: Look
    step: int = 60                       # s, length of a candle
    series: str | None = None            # None: the first
    keyboard: bool = True
    help: bool = False
    _held: tuple[Frame, dict[int, History | None]] | None = field(default=None, init=False)
    _columns: int = field(default=80, init=False)

    def picture(self, width: int, height: int) -> list[str]:
        """The lines of the picture in a size."""
        self._columns = width
        held = self._held
        frame = self.sight.frame(self.series) if held is None else held[0]
        history = self.history(self.step) if held is None else held[1][self.step]
        paused = None if held is None else (frame.timestamp or "")[11:19]
        if held is not None:
            frame = replace(frame, feed=self.sight.frame(self.series).feed)
        return lines(frame, history, width, height, self.look, View(self.keyboard, self.help, paused))

    def history(self, step: int) -> History | None:
        """As many candles as there can be columns."""
        return self.sight.history(self.series, step, self._columns)

    def last(self, terminal: Terminal) -> list[str]:
        """What stays on the screen when all is over: the last picture, where nobody could look at it for longer."""
        if self.keyboard:
            return []
        columns, rows = terminal.size()
        return self.picture(columns, rows - 1)

    def press(self, key: str) -> bool:
        """Do what a key asks for; any leaves the page of help. False: quit."""
        if key == "quit":
            return False
        if self.help or key == "help":
            self.help = not self.help
        elif key == "step":
            self.step = STEPS[(STEPS.index(self.step) + 1) % len(STEPS)]
        elif key in ("next", "previous"):
            self.choose(1 if key == "next" else -1)
        elif key == "pause":
            self.hold()
        return True

    def hold(self) -> None:
        """Hold the picture still, or let it go on."""
        if self._held is not None:
            self._held = None
        else:
            self._held = self.sight.frame(self.series), {step: self.history(step) for step in STEPS}

    def choose(self, way: int) -> None:
        """Look at another series."""
        frame = self.sight.frame(self.series)
        names = frame.all_series
        if frame.series in names and len(names) > 1:
            self.series, self._held = names[(names.index(frame.series) + way) % len(names)], None
