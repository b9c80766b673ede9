"""How a screen is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..errors import UsageError
from ..times import SECOND, duration

STEP_SECONDS = {"15s": 15, "1m": 60, "5m": 300}
WIDTH, HEIGHT = 80, 24           # of a picture that no terminal shows


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """How a screen is drawn, and when where there is none."""

    step: Literal["15s", "1m", "5m"] = field(default="1m", metadata={
        "help": "Length of a candle; the key s changes it."})
    once: bool = field(default=False, metadata={
        "help": "Print one picture, at the end of the input or of what a server has now, and leave."})
    interval: str | None = field(default=None, metadata={
        "help": "Where the output is no terminal: print a picture each so much market time as well (15m).",
        "metavar": "SPAN"})
    width: int | None = field(default=None, metadata={
        "help": "Columns; else those of the terminal, $COLUMNS, or 80.", "metavar": "N"})
    height: int | None = field(default=None, metadata={
        "help": "Rows; else those of the terminal, $LINES, or 24.", "metavar": "N"})
    ascii: bool = field(default=False, metadata={"help": "Draw with ASCII characters, whatever the locale says."})
    token_file: str | None = field(default=None, metadata={
        "help": "File (mode 600) with the token of the server that is looked at; or set QMO_TOKEN.",
        "metavar": "FILE"})

    def __post_init__(self) -> None:
        for name, size in (("width", self.width), ("height", self.height)):
            if size is not None and not 1 <= size <= 1000:
                raise UsageError(f"--{name} {size}: from 1 to 1000")
        self.every()

    def seconds(self) -> int:
        """The length of a candle."""
        return STEP_SECONDS[self.step]

    def every(self) -> int | None:
        """ns of market time between two pictures; None: no matter how long it takes."""
        if self.interval is None:
            return None
        span = duration(self.interval)
        if span < SECOND:
            raise UsageError(f"--interval {self.interval}: at least 1s")
        return span
