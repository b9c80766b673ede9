# cython: language_level=3, auto_pickle=False
"""Rounding, once for all: fast enough to be done for every number of every packet."""

from __future__ import annotations

import cython
from cython.cimports.libc.math import floor


@cython.ccall
@cython.exceptval(check=False)
def to_six(value: cython.double) -> cython.double:
    """The value with six decimals, halves up.

    >>> to_six(0.84020000001), to_six(-1.5)
    (0.8402, -1.5)
    """
    return floor(value * 1e6 + 0.5) / 1e6


@cython.ccall
@cython.exceptval(check=False)
def nearest(value: cython.double) -> cython.longlong:
    """The nearest whole number, halves up; for what is whole but for the rounding of floats.

    >>> nearest(2567.3 / 0.1), nearest(-2.6)
    (25673, -3)
    """
    return cython.cast(cython.longlong, floor(value + 0.5))
