"""Hypothesis strategies: streams of records of a small exchange."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from qmo_cli.records import Account, Fill, Kill, News, to_dbn

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


def fact(ts: int) -> bytes:
    """News, or a record of the trader's own: of everything, or of one series, contract or id. The time decides."""
    kind, rest = ts // 1_000_000 % 6, ts // 6_000_000
    whom: dict[str, Any] = (
        {}, {}, {"series": SERIES[rest % 3]}, {"symbol": SERIES[rest % 3]}, {"instrument_id": 10},
    )[rest % 5]
    head = {"ts_event": str(ts), **whom}
    at = round(2000 + rest % 9 / 10, 1)
    return to_dbn((
        News(**head, headline="Rates held", impact="high"),
        Fill(**head, side=("B", "A")[rest % 2], price=at, size=1 + rest % 3, fees=1.25),
        Fill(**head, side="A", price=at, size=1, order_id=str(rest % 99)),
        Account(**head, balance=100_000.0 + rest % 99, position=rest % 3 - 1),
        Account(**head, balance=99_000.5, equity=99_100.25),
        Kill(**head, active=rest % 2 == 0, detail="by hand"),
    )[kind])


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
            script.raw(fact(script.now - script.now // 1_000_000 % 3 * 30_000_000))
    return Stream(script.captured())


def bytes_of(least: int, most: int) -> st.SearchStrategy[bytes]:
    """Drive for an exchange."""
    return st.binary(min_size=least, max_size=most)


@st.composite
def mbo_streams(draw: st.DrawFn, least: int = 400, most: int = 3000) -> list[bytes]:
    """MBO records of one to three instruments, about one event for seven bytes."""
    start = draw(st.sampled_from(["snapshot", "clear", "middle"]))
    return mbo_records(draw(bytes_of(least, most)), draw(st.integers(1, 3)), start=start, clocks=draw(st.booleans()))
