"""What ``qmo evaluate bars`` says, line by line."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from ..packets import OPTIONAL


class BarsSummary(Struct, frozen=True, gc=False):
    """What was measured on."""

    schema: Literal["evaluation-bars"]
    source: str
    bars: int
    first: str                           # ISO, open of the first bar
    last: str
    interval: int                        # s, the usual one
    pivots: int
    lag: Annotated[float | None, OPTIONAL]   # median bars from an extreme to its confirmation; null: no pivots
    late: Annotated[float | None, OPTIONAL]  # share of pivots confirmed too late for a count of 21
    shuffles: int
    block: int


class Dirt(Struct, frozen=True, gc=False):
    """Lines of one kind that were left out; of kind gap: that came after a gap, and were not."""

    schema: Literal["evaluation-dirt"]
    kind: str
    count: int
    lines: list[int]                     # the first few


class Frequency(Struct, frozen=True, gc=False):
    """How often one flag fires."""

    schema: Literal["evaluation-flag"]
    flag: str
    bars: int                            # on which it could be told
    fired: int
    rate: float
    chance: float                        # mean rate on shuffled bars
    p: float                             # two-sided
    holm: float                          # p corrected for the number of flags


class Direction(Struct, frozen=True, gc=False):
    """Whether price goes where one flag says, over one span."""

    schema: Literal["evaluation-claim"]
    flag: str
    horizon: int                         # bars
    claims: int
    right: Annotated[float | None, OPTIONAL]   # share that went the way; null: it claimed nothing
    move: Annotated[float | None, OPTIONAL]    # mean move that way, in ATR
    chance: Annotated[float | None, OPTIONAL]  # the same on shuffled bars
    p: Annotated[float | None, OPTIONAL]       # one-sided: shuffled bars moved as far that way
    holm: Annotated[float | None, OPTIONAL]    # p corrected for the number of flags and spans


LINES: dict[str, type[Struct]] = {
    "evaluation-bars": BarsSummary, "evaluation-dirt": Dirt, "evaluation-flag": Frequency,
    "evaluation-claim": Direction,
}
