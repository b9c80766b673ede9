"""Bars of all kinds, and the series of time bars that other engines make for themselves."""

from .bar import Bar, BarsReading
from .engine import Bars
from .timebars import TimeBars

__all__ = ["Bar", "Bars", "BarsReading", "TimeBars"]
