"""The machine's clocks: alerts are for people, who live by them. Tests bring clocks of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """``wall`` in ns since 1970, ``steady`` in s since anything."""

    wall: Callable[[], int] = time.time_ns
    steady: Callable[[], float] = time.monotonic
