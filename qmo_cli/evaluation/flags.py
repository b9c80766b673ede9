"""The flags of classical analysis that are measured on bars."""

from __future__ import annotations

from collections.abc import Callable

from .cycleflags import cycle_flags
from .gannflags import gann_flags
from .looks import Flag, Look
from .skyflags import astro_flags

PILLARS: tuple[Callable[[Look], list[Flag]], ...] = (gann_flags, astro_flags, cycle_flags)


def flags(look: Look) -> list[Flag]:
    """Every flag of every pillar. Another pillar is one more function in the table."""
    return [flag for pillar in PILLARS for flag in pillar(look)]
