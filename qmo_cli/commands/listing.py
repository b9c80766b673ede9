"""What ``qmo feed --list`` prints: every source in one place."""

from __future__ import annotations

from .tables import table

# name, what it gives, what it needs, an example
SOURCES = (
    ("FILE", "whatever it holds: DBN, lines of JSON, CSV, also compressed", "nothing", "qmo feed day.dbn.zst"),
    ("-", "the same from standard input", "nothing", "cat day.dbn | qmo feed -"),
    ("sim", "a simulated market: mbo (L3), or what is derived of it", "nothing", "qmo feed sim --minutes 10"),
    ("quotes", "quote: a price every 15 s; Databento's, else Yahoo's", "network; key, or Yahoo's delay",
     "qmo feed quotes --poll 15s"),
    ("news", "news: Yahoo's latest headlines", "network", "qmo feed news GC=F"),
)


def source_table() -> str:
    """All sources: name, gives, needs, example."""
    return table(SOURCES, ("source", "gives", "needs", "example"))
