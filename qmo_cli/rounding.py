# cython: language_level=3, auto_pickle=False
"""Rounding, once for all: fast enough to be done for every number of every packet."""

from __future__ import annotations

import cython
from cython.cimports.libc.math import floor


@cython.ccall
@cython.exceptval(check=False)
def to_six(value: cython.double) -> cython.double:
    """The value with six decimals, halves away from zero; for values below 9 million million.

    >>> to_six(0.84020000001), to_six(-1.5)
    (0.8402, -1.5)
    """
    return nearest(value * 1e6) / 1e6


@cython.ccall
@cython.exceptval(check=False)
def nearest(value: cython.double) -> cython.longlong:
    """The nearest whole number, halves away from zero, so that what mirrors each other stays so.

    >>> nearest(2567.3 / 0.1), nearest(-2.6), nearest(-0.5)
    (25673, -3, -1)
    """
    if value < 0:
        return -cython.cast(cython.longlong, floor(0.5 - value))
    return cython.cast(cython.longlong, floor(value + 0.5))


def number(value: float) -> str:
    """A number as a person writes it.

    >>> number(4810.25), number(2567.0), number(12837.5)
    ('4810.25', '2567', '12837.5')
    """
    return f"{value:.10g}"
