"""What ``qmo feed --list`` prints: every source in one place."""

from __future__ import annotations

from .tables import table

# name, what it gives, what it needs, an example
SOURCES = (
    ("FILE", "what it holds: DBN, JSON lines, CSV", "", "qmo feed day.dbn.zst"),
    ("-", "the same, from standard input", "", "zstdcat day.dbn.zst | qmo feed -"),
    ("sim", "a simulated market: mbo (L3), or --schema", "", "qmo feed sim --minutes 10"),
    ("live", "mbo (L3), else mbp-10 (L2), else tbbo (L1)", "key, network", "qmo feed live --record today.dbn"),
    ("history", "any schema of the past; costs money", "key, network", "qmo feed history --start -2d"),
    ("yahoo", "ohlcv-1d, ohlcv-1h or ohlcv-1m, delayed", "network", "qmo feed yahoo --start -30d"),
    ("quotes", "quote: one price every 15 s", "network (key)", "qmo feed quotes --poll 15s"),
    ("news", "news: the latest headlines", "network", "qmo feed news GC=F"),
)


def source_table() -> str:
    """All sources: name, gives, needs, example."""
    return table(SOURCES, ("source", "gives", "needs", "example"))
