"""The laws for bars of every kind, and for the volatility of each: the other tests of the laws see time bars alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import settings as options

from qmo_cli.blocks import OHLCV_1D, OHLCV_1S

from .laws import Setup, engine_orders, lines, piped
from .laws_streams import Case, cases
from .streams_exchange import TICK
from .test_laws import few
from .test_laws_frames import differences, readings, timed

BARS: tuple[dict[str, Any], ...] = (
    {"kind": "tick", "size": 5}, {"kind": "volume", "size": 30}, {"kind": "dollar", "size": 5e6},
    {"kind": "range", "size": 3}, {"kind": "imbalance", "size": 6}, {"period": "2s", "atr_period": "5s"},
    {"period": "1d"},
)
kinds = pytest.mark.parametrize("bars", BARS, ids=lambda bars: bars.get("kind") or bars["period"])


def setup(bars: dict[str, Any], every: str = "1s") -> Setup:
    return Setup(every, tick=TICK, settings={"bars": bars, "volatility": {"window": 2, "history": 20}})


@kinds
@options(few, max_examples=6)
@given(case=cases(2500))
def test_bars_of_no_kind_depend_on_the_length_of_the_frame(bars: dict[str, Any], case: Case) -> None:
    assume(not any(OHLCV_1S <= record[1] <= OHLCV_1D for record in case.records))
    assume("rename" not in case.story)  # within a second the packets of both names come in either order
    one, other = (readings(timed(case), setup(bars, every)) for every in ("5s", "1s"))
    assert differences("bars", one, other) == ""
    assert differences("volatility", one, other) == ""


@kinds
@options(few, max_examples=4)
@given(case=cases(2500))
def test_bars_of_every_kind_are_the_same_cut_and_piped(bars: dict[str, Any], case: Case) -> None:
    once = lines(case.blocks(), setup(bars))
    assert lines(case.blocks([len(case.records) // 2]), setup(bars)) == once
    assert piped(case.blocks(), setup(bars), "ndjson", engine_orders()[-1]) == once
