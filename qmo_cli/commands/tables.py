"""Tables for a person, on stdout or stderr."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def table(rows: Iterable[Sequence[Any]], headers: Sequence[str]) -> str:
    """Rows in columns under headings; a value that is not known is an empty cell."""
    from tabulate import tabulate

    cells = [["" if cell is None else cell for cell in row] for row in rows]
    return str(tabulate(cells, headers=headers, tablefmt="simple"))
