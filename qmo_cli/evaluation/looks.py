"""What the flags of every pillar have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .series import Series, Swings, Whole

Bits = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Flag:
    """One thing that is claimed, bar by bar."""

    name: str
    known: Bits                          # whether it could be told
    fired: Bits
    side: Whole                          # the direction it claims: +1, -1; 0 none


class Rules(NamedTuple):
    """Parameters of the rules."""

    k: float
    unit: float                          # ticks: price unit of the Square of Nine


class Look(NamedTuple):
    """What a pillar's flags are made of."""

    series: Series
    swings: Swings
    rules: Rules
