"""Stage 1: sources of records. Every source ends in blocks of DBN version 3 records."""

from __future__ import annotations

from .files import open_source, open_stdin, read_source
from .merge import merge
from .pace import pace
from .select import Selection

__all__ = ["Selection", "merge", "open_source", "open_stdin", "pace", "read_source"]
