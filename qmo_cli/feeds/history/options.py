"""What of the vendor's history to get, and what it may cost."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from ...errors import UsageError
from ..live.request import DATASET, SERIES

URL = "QMO_HISTORY_URL"            # a server that stands in for the vendor's, for rehearsal
SCHEMA = "mbo"
SYMBOL = SERIES


def server() -> str | None:
    """Where to ask instead of at the vendor's; None: at the vendor's."""
    return os.environ.get(URL) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryOptions:
    """Where history comes from, and what it may cost."""

    dataset: str = field(default=DATASET, metadata={"help": "The vendor's dataset.", "metavar": "NAME"})
    max_cost: float = field(default=1.0, metadata={
        "help": "US dollars that a download may cost without a question; what is in the cache costs nothing.",
        "metavar": "DOLLARS"})
    yes: bool = field(default=False, metadata={"help": "Download whatever it costs, without a question."})
    dry_run: bool = field(default=False, metadata={"help": "Show what the download would cost, and end there."})
    cache_dir: str | None = field(default=None, metadata={
        "help": "Keep downloads here; without it in $XDG_CACHE_HOME/qmo/history.", "metavar": "FOLDER"})
    url: str | None = field(default_factory=server)

    def __post_init__(self) -> None:
        """Refuse what cannot be a limit."""
        if not 0 <= self.max_cost < float("inf"):
            raise UsageError(f"--max-cost {self.max_cost:g}: write an amount of US dollars, 0 or more")
