"""Yahoo as a source, through yfinance: the delayed price, bars, headlines. Without a key, and without a promise."""

from __future__ import annotations

from .ask import GOLD, SYMBOLS
from .prices import price

__all__ = ["GOLD", "SYMBOLS", "price"]
