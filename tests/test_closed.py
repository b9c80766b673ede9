"""Closed bars for the engines that count them: dirty ones are left out and told of, rolls move what was seen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmo_cli.engines.bars import Bar, BarsReading
from qmo_cli.engines.closed import GAP_UNKNOWN, ClosedBars, fault
from qmo_cli.packets import Notice
from qmo_cli.pipeline import Engines
from qmo_cli.tray import Packet

from .handmade import market, packet

MINUTE = 60 * 10**9
NOTHING: dict[str, Any] = dict.fromkeys(BarsReading.__struct_fields__)


class Log:
    """A study that only remembers what it was given."""

    def __init__(self, tick: float) -> None:
        self.tick, self.bars, self.gap = tick, [], 0

    def add(self, high: int, low: int, close: int, start: int = 0) -> None:
        self.bars.append((high, low, close, start // MINUTE))

    def shift(self, gap: int) -> None:
        self.gap += gap


def bar(minute: int, open_: float, high: float, low: float, close: float) -> Bar:
    return Bar(str(minute * MINUTE), 60, open_, high, low, close, 5, None, None, None)


def with_bars(*bars: Bar, tick: float | None = 0.1, instrument: int = 1, gap: float | None = None) -> Packet:
    """A packet in which these bars have closed."""
    found = packet(
        at=market(2000.0, tick=tick), bars=BarsReading(**{**NOTHING, "period": 60, "count": 9, "closed": list(bars)}),
        system=[] if gap is None else [Notice("roll", None, "rolled", None, gap)])
    found.instrument_id = instrument
    return found


def good(minute: int) -> Bar:
    return bar(minute, 2000.0, 2000.5, 1999.5, 2000.2)


def closed() -> ClosedBars[Log]:
    return ClosedBars("1m", Log)


def test_good_bars_come_in_ticks_oldest_first_and_once() -> None:
    bars = closed()
    assert bars.take(with_bars(good(1), good(2)))
    assert not bars.take(with_bars())
    assert bars.take(with_bars(good(3)))
    assert bars.study.bars == [(20005, 19995, 20002, minute) for minute in (1, 2, 3)]


@pytest.mark.parametrize(("dirty", "words"), [
    (bar(2, 2000.0, 1999.0, 2001.0, 2000.0), "high below its low"),
    (bar(2, 2002.0, 2001.0, 1999.0, 2000.0), "opens or closes outside"),
    (bar(2, 2000.0, 2001.0, 1999.0, 1998.0), "opens or closes outside"),
    (bar(2, float("nan"), 2001.0, 1999.0, 2000.0), "not a number"),
    (bar(1, 2000.0, 2001.0, 1999.0, 2000.0), "came twice"),
    (bar(0, 2000.0, 2001.0, 1999.0, 2000.0), "older than the one before"),
])
def test_a_dirty_bar_is_left_out_and_told_of_until_the_next_good_one(dirty: Bar, words: str) -> None:
    bars = closed()
    bars.take(with_bars(good(1)))
    bars.take(with_bars(dirty))
    assert words in bars.why_not
    assert len(bars.study.bars) == 1
    bars.take(with_bars(good(3)))
    assert bars.why_not == ""
    assert len(bars.study.bars) == 2


def test_a_roll_waits_for_its_gap_and_moves_the_study_by_it() -> None:
    bars = closed()
    bars.take(with_bars(good(1)))
    assert bars.take(with_bars(instrument=2))
    assert bars.why_not == GAP_UNKNOWN
    assert bars.take(with_bars(instrument=2, gap=30.25))
    assert (bars.why_not, bars.study.gap) == ("", 303)
    assert not bars.take(with_bars(instrument=2))


def test_where_nobody_tells_the_gap_the_study_begins_anew_with_the_new_contract() -> None:
    bars = closed()
    bars.take(with_bars(good(1)))
    rolled = with_bars(instrument=2)
    bars.take(rolled)
    later = rolled.ts // MINUTE + 1
    bars.take(with_bars(good(later), instrument=2))
    assert bars.study.bars == [(20005, 19995, 20002, later)]
    assert bars.why_not == ""


def test_another_price_step_begins_anew_and_an_unknown_one_only_waits() -> None:
    bars = closed()
    bars.take(with_bars(good(1)))
    bars.take(with_bars(tick=None))
    assert bars.blocked == "needs the contract's tick"
    bars.take(with_bars())
    assert (bars.blocked, len(bars.study.bars)) == ("", 1)
    bars.take(with_bars(good(2), tick=0.25))
    assert (bars.study.tick, bars.study.bars) == (0.25, [(8002, 7998, 8001, 2)])


PRICES = st.one_of(st.floats(1900, 2100), st.sampled_from([float("nan"), float("inf"), 0.0, -5.0]))


@st.composite
def dirty_bars(draw: st.DrawFn) -> list[Bar]:
    """Bars of which some are wrong in every way there is."""
    minute, close, found = 100, 20_000, []
    for _ in range(draw(st.integers(20, 60))):
        kind = draw(st.integers(0, 9))
        minute += draw(st.sampled_from([1, 1, 1, 1, 5, 3000])) if kind else draw(st.integers(-3, 0))
        close += draw(st.integers(-40, 40))
        price = close / 10
        if kind == 1:
            found.append(bar(minute, *draw(st.tuples(PRICES, PRICES, PRICES, PRICES))))
        else:
            found.append(bar(minute, price, price + draw(st.integers(0, 9)) / 10, price - 0.3, price))
    return found


@given(dirty_bars())
@settings(max_examples=25, deadline=None)
def test_no_dirty_bar_stops_an_engine_or_leaves_a_null_without_a_reason(bars: list[Bar]) -> None:
    engines = Engines(("gann", "cycle"), {"gann": {"bar": "1m", "k": 1.0}, "cycle": {"bar": "1m", "k": 1.0}})
    clean = Engines(("gann", "cycle"), {"gann": {"bar": "1m", "k": 1.0}, "cycle": {"bar": "1m", "k": 1.0}})
    start = -1
    for one in bars:
        found = with_bars(one)
        engines.update(found)
        words = fault(one, start)
        for name in ("gann", "cycle"):
            reading: Any = found.slots[name]
            assert (reading.score is None) == (f"{name}.score" in found.missing)
            assert not words or found.missing[f"{name}.score"] == words
            assert reading.score is None or 0 <= reading.score <= 1
        assert b"NaN" not in msgspec_bytes(found)
        if not words:
            start = int(one.start)
            same = with_bars(one)
            clean.update(same)  # which never sees a dirty bar
            assert found.slots["gann"] == same.slots["gann"]
            assert found.slots["cycle"] == same.slots["cycle"]


def msgspec_bytes(found: Packet) -> bytes:
    """The readings as they are written."""
    import msgspec

    return msgspec.json.encode([found.slots["gann"], found.slots["cycle"]])
