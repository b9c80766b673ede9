# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""Integers and letters of records as the wire has them."""

from __future__ import annotations

import cython

BUY, SELL = cython.declare(cython.int, 66), cython.declare(cython.int, 65)
UNSIGNED = 0xFFFFFFFFFFFFFFFF


@cython.ccall
def digits(value: cython.longlong) -> str:
    """A time or another integer in decimal."""
    return f"{value}"


@cython.ccall
def text_of(order_id: cython.longlong) -> str:
    """An order id: an unsigned 64-bit integer in decimal."""
    return f"{order_id}" if order_id >= 0 else str(order_id & UNSIGNED)


@cython.ccall
def side_name(side: cython.int) -> str:
    """DBN's letter of a side."""
    return "B" if side == BUY else "A" if side == SELL else "N"
