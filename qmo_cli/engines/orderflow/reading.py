"""What the engine orderflow says."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from qmo_cli.packets import Print, ScoredReading


class Imbalance(Struct, frozen=True, gc=False, array_like=True):
    """One side outweighs the other across one tick of the profile."""

    price: float
    side: Literal["B", "A"]              # the aggressor that outweighs


class Stack(Struct, frozen=True, gc=False, array_like=True):
    """Imbalances of one side on consecutive ticks."""

    low: float
    high: float
    side: Literal["B", "A"]


class Cluster(Struct, frozen=True, gc=False, array_like=True):
    """Adjacent prices that traded unusually much."""

    low: float
    high: float
    volume: int


class OrderflowReading(ScoredReading, frozen=True):
    """Numbers of the last 60 s (delta, ofi), the last 300 s, and the trade date so far (cvd, vwap, profile).

    The score is that of flow alone, its deviation from ..5 x (1 - absorbed share of the side it leans to).
    """

    delta: int                           # contracts bought - sold by aggressors, last 60 s
    volume: int                          # all contracts, last 60 s
    delta_long: int                      # last 300 s
    volume_long: int
    volume_n: int                        # without an aggressor side, last 60 s
    cvd: int                             # delta since the anchor
    anchor: str                          # what cvd, vwap and profile count from
    bias: Literal["BUY", "SELL", "NEUTRAL"]
    heat: float | None                   # 0-100: how rare |delta| is among the minutes of the last 23 h
    vwap: float
    vwap_sd: float                       # standard deviation of volume around it, points
    vwap_bands: list[float]              # vwap - 2 sd, - 1 sd, + 1 sd, + 2 sd
    poc: float | None                    # price of most volume
    vah: float | None                    # value area: 70 % of the volume
    val: float | None
    ofi: int | None                      # order flow imbalance at the touch, last 60 s (Cont, Kukanov, Stoikov 2014)
    mlofi: list[int] | None              # the same by rank of the book, as many as the source shows
    vpin: float | None                   # 0-1: one-sidedness of the last 50 volume buckets (see engines/vpin.py)
    absorbed_buy: int | None             # contracts bought in the last 60 s and absorbed: taken out of the score
    absorbed_sell: int | None
    weighted_mid: float | None           # (ask x bid size + bid x ask size) / (bid size + ask size)
    large: list[Print]                   # prints of this frame that stand out
    imbalances: list[Imbalance]          # of the profile, as of the last whole minute, as the next two
    stacked: list[Stack]
    clusters: list[Cluster]
