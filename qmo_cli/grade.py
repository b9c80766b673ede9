"""How good the records of a stream are, by what befell it."""

from __future__ import annotations

from dataclasses import dataclass

BEGINS = {"warmup": "warmup", "live": "real-time"}       # kinds of system records from which records have a grade
HEARD_AGAIN = frozenset({"reconnect", "gap"})            # kinds that end what ``stale`` began


@dataclass(slots=True)
class Grade:
    """``now`` is what prices are worth: None, where they are only read from a file, until a record says more."""

    now: str | None = None
    usual: str | None = None    # while the stream is heard

    def happened(self, kind: str) -> bool:
        """Take note of a system record; whether the grade is to be given anew."""
        if kind in BEGINS:
            self.usual = BEGINS[kind]
        elif kind != "stale" and kind not in HEARD_AGAIN:
            return False
        self.now = "stale" if kind == "stale" else self.usual
        return True
