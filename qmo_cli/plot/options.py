"""What a picture is to look like, checked before hours of input are read."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from errno import EISDIR, ENOENT
from importlib.util import find_spec
from typing import Literal
from zoneinfo import ZoneInfo

from ..errors import ConfigurationError, UsageError

Format = Literal["png", "svg", "pdf"]
FORMATS: tuple[Format, ...] = ("png", "svg", "pdf")
STDOUT = "-"
SMALLEST, LARGEST = (480, 320), 10_000  # pixels: what fits all panels, and what Agg can draw


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotOptions:
    """The picture: where it goes, how large it is, how it looks."""

    out: str = field(default=STDOUT, metadata={
        "help": "The picture's file; its ending says the format: .png, .svg or .pdf. - is standard output.",
        "metavar": "FILE"})
    format: Format | None = field(default=None, metadata={
        "help": "The format, where the file's ending does not say it; on standard output png unless given."})
    size: str = field(default="1600x900", metadata={"help": "Width and height in pixels.", "metavar": "WxH"})
    theme: Literal["dark", "light"] = field(default="dark", metadata={"help": "Light on dark, or dark on light."})
    timezone: str = field(default="UTC", metadata={
        "help": "Zone of the times on the axis, such as America/Chicago.", "metavar": "ZONE"})
    until: int | None = field(default=None, metadata={"help": "Leave out frames that end after this time."})

    def __post_init__(self) -> None:
        self.pixels()
        self.zone()
        self.kind()

    def pixels(self) -> tuple[int, int]:
        """Width and height. Raises UsageError.

        >>> PlotOptions(size="800x500").pixels()
        (800, 500)
        """
        match = re.fullmatch(r"(\d{1,6})x(\d{1,6})", self.size)
        if not match:
            raise UsageError(f"size {self.size!r} is not WIDTHxHEIGHT in pixels, such as 1600x900")
        width, height = int(match[1]), int(match[2])
        if width < SMALLEST[0] or height < SMALLEST[1] or max(width, height) > LARGEST:
            raise UsageError(f"size {self.size}: from {SMALLEST[0]}x{SMALLEST[1]} to {LARGEST}x{LARGEST} can be drawn")
        return width, height

    def zone(self) -> ZoneInfo:
        """The time zone. Raises UsageError."""
        try:
            return ZoneInfo(self.timezone)
        except (OSError, ValueError) as error:  # ZoneInfoNotFoundError is a KeyError where tzdata lacks it
            raise self._no_zone() from error
        except KeyError as error:
            raise self._no_zone() from error

    def _no_zone(self) -> UsageError:
        return UsageError(f"there is no time zone {self.timezone!r}; write UTC, or one such as America/Chicago")

    def kind(self) -> Format:
        """The format of the file. Raises UsageError where nothing says it."""
        if self.format is not None:
            return self.format
        ending = os.path.splitext(self.out)[1].lower().lstrip(".")
        if self.out == STDOUT:
            return "png"
        for known in FORMATS:
            if ending == known:
                return known
        raise UsageError(f"{self.out}: the ending says no format; write .png, .svg or .pdf, or give --format")


def check(options: PlotOptions) -> None:
    """Whether the picture can be made and has a place to go. Raises ConfigurationError or OSError."""
    if find_spec("matplotlib") is None:
        raise ConfigurationError("pictures need matplotlib, which is not installed: pip install 'qmo-cli[plot]'")
    if options.out == STDOUT:
        return
    if os.path.isdir(options.out):
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), options.out)
    folder = os.path.dirname(options.out) or os.curdir
    if not os.path.isdir(folder):
        raise FileNotFoundError(ENOENT, os.strerror(ENOENT), folder)
