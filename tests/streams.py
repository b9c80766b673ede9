"""Hypothesis strategies: streams of records of a small exchange."""

from __future__ import annotations

from hypothesis import strategies as st

from .dice import Dice
from .reference_records import describe
from .scripts import Script, added, cleared
from .streams_exchange import Exchange, act
from .support import mapping, system


class Stream(list[bytes]):
    """Records that a failed test can show."""

    def __repr__(self) -> str:
        return "\n".join(["a stream of", *map(describe, self)])


def clock(ts: int) -> bytes:
    """Our record that says how late it is."""
    return system({"schema": "system", "kind": "clock"}, ts_event=ts)


def gap(ts: int) -> bytes:
    """Our record that says that something is missing."""
    return system({"schema": "system", "kind": "gap", "detail": "lost 3 records", "count": 3}, ts_event=ts)


MARGIN = 200_000_000  # ns from the names of the instruments to what goes back in time

SERIES = ("GCJ6", "GCM6", "MGCJ6")


def mbo_records(data: bytes, instruments: int, *, start: str = "snapshot", clocks: bool = False) -> list[bytes]:
    """The stream that these bytes describe. ``start``: snapshot, clear, or middle (orders are unknown at first)."""
    dice, script = Dice(data), Script()
    exchanges = [Exchange(dice, script, 10 + index) for index in range(instruments)]
    for exchange, series in zip(exchanges, SERIES, strict=False):
        script.raw(mapping(series, series, instrument=exchange.instrument))
        if start == "snapshot":
            script.snapshot(cleared(), added(exchange.fresh(), "B", 1990.0, 3), instrument=exchange.instrument)
        elif start == "clear":
            script.event(cleared(), instrument=exchange.instrument)
    script.wait(MARGIN)
    while not dice.empty:
        exchange = exchanges[dice.below(instruments)] if instruments > 1 else exchanges[0]
        act(exchange)
        if dice.chance(60):
            script.wait(dice.below(256) * 1_000_000)
        if clocks and dice.chance(12):
            script.raw((gap if dice.chance(40) else clock)(script.now - dice.below(3) * 40_000_000))
    return Stream(script.captured())


def bytes_of(least: int, most: int) -> st.SearchStrategy[bytes]:
    """Drive for an exchange."""
    return st.binary(min_size=least, max_size=most)


@st.composite
def mbo_streams(draw: st.DrawFn, least: int = 400, most: int = 3000) -> list[bytes]:
    """MBO records of one to three instruments, about one event for seven bytes."""
    start = draw(st.sampled_from(["snapshot", "clear", "middle"]))
    return mbo_records(draw(bytes_of(least, most)), draw(st.integers(1, 3)), start=start, clocks=draw(st.booleans()))
