"""Every engine, in the order in which they run: an engine may read what stands above it.

A new engine is one module (or folder), one line here and one golden case.
"""

from __future__ import annotations

from .absorption.engine import AbsorptionEngine
from .astro.engine import Astro
from .bars import Bars
from .base import Engine
from .cycle.engine import Cycle
from .gann.engine import Gann
from .iceberg.engine import IcebergEngine
from .liquidity.engine import Liquidity
from .memory.engine import Memory
from .mentor.engine import Mentor
from .news.engine import News
from .orderflow.engine import Orderflow
from .risk.engine import Risk
from .session.engine import SessionEngine
from .volatility.engine import Volatility

ENGINES: dict[str, type[Engine]] = {engine.name: engine for engine in (
    Bars,
    SessionEngine,
    Volatility,
    IcebergEngine,
    Memory,
    AbsorptionEngine,
    Orderflow,
    Liquidity,
    Gann,
    Astro,
    Cycle,
    News,
    Risk,
    Mentor,
)}
