"""The vendor's history as a source: the cost first, nothing paid twice."""

from __future__ import annotations

from .options import HistoryOptions
from .source import history

__all__ = ["HistoryOptions", "history"]
