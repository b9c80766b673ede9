"""Every engine, in the order in which they run: an engine may read what stands above it.

A new engine is one module, one line here and one golden case.
"""

from __future__ import annotations

from .absorption import AbsorptionEngine
from .bars import Bars
from .base import Engine
from .iceberg import IcebergEngine
from .orderflow import Orderflow

ENGINES: dict[str, type[Engine]] = {engine.name: engine for engine in (
    Bars, IcebergEngine, AbsorptionEngine, Orderflow,
)}
