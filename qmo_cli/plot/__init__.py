"""A picture of what qmo saw: packets are collected into arrays, and these are drawn.

Nothing here imports matplotlib before a picture is drawn.
"""

from __future__ import annotations

from .collect import Collection
from .options import PlotOptions, check
from .series import Series

__all__ = ["Collection", "PlotOptions", "Series", "check"]
