"""Packets of all kinds for properties of what comes after the engines, and options to decide with."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from qmo_cli.packets import Level
from qmo_cli.signals import SignalOptions
from qmo_cli.tray import Packet
from qmo_cli.views import (
    DisplayedView,
    IcebergView,
    InputsView,
    MentorView,
    NewsView,
    OrderflowView,
    RiskView,
    SessionView,
)

from .handmade import CLOSED, NEW_YORK, SECOND, market, opinion, orderflow, packet, zone

scores = st.one_of(st.none(), st.integers(0, 100).map(lambda n: n / 100), st.sampled_from([0.1, 0.9]))
qualities = st.sampled_from(
    ["real-time", "cached", "delayed", "stale", "replay", "warmup", "simulated", "doubtful"])


@st.composite
def markets(draw: st.DrawFn) -> dict[str, Any]:
    price = draw(st.one_of(st.none(), st.integers(25000, 26000).map(lambda n: n / 10)))
    age = draw(st.sampled_from([0, 1, 59, 61, 1000]))
    return {
        "price": price, "price_ts": None if price is None else str(NEW_YORK - age * SECOND),
        "quality": draw(qualities), "tick": draw(st.sampled_from([None, 0.1])),
        "point_value": draw(st.sampled_from([None, 100.0])), "spread": draw(st.sampled_from([None, 0.4, -0.1])),
        "ask": draw(st.sampled_from([None, 2567.7])), "bid": draw(st.sampled_from([None, 2567.3])),
    }


@st.composite
def surroundings(draw: st.DrawFn) -> dict[str, Any]:
    """Engines that may stand behind the others; those that are left out have not run."""
    depth = DisplayedView([Level(2567.3, 1, 1), Level(2567.2, 9, 1)], [Level(2567.7, 1, 1), Level(2568.5, 9, 1)])
    slots = {
        "session": st.sampled_from([None, SessionView(2580.0, 2551.5, 2570.0, 2560.0)]),
        "news": st.sampled_from([None, NewsView(3, blackout=True), NewsView(90, blackout=False)]),
        "risk": st.sampled_from([
            None, RiskView(), RiskView(allowed=False, reasons=["kill switch"]), RiskView(allowed=True, balance=9300.0),
            RiskView(allowed=True, size_factor=0.5)]),
        "mentor": st.sampled_from([None, MentorView("5 minutes to payrolls"), MentorView(None, ["trend up"])]),
    }
    chosen = {name: draw(readings) for name, readings in slots.items() if draw(st.booleans())}
    return {**chosen, "inputs": InputsView(draw(st.sampled_from([None, depth])))}


@st.composite
def scenes(draw: st.DrawFn) -> Packet:
    flow, ice = draw(scores), draw(scores)
    zones = draw(st.lists(st.builds(
        zone, st.sampled_from("BA"), st.integers(25500, 25800).map(lambda n: n / 10)), max_size=4))
    symbol = draw(st.sampled_from([None, "GCG6", "XYZ6", "ESH6"]))
    return packet(
        ts=draw(st.sampled_from([NEW_YORK, CLOSED])), at=market(**draw(markets())), symbol=symbol,
        series=draw(st.sampled_from(["GC.v.0", "XY"])), atr=draw(st.sampled_from([None, 0.0, 4.0, 8.0, 20.0])),
        orderflow=draw(st.sampled_from([None, orderflow(flow), OrderflowView(score=flow, active=True)])),
        iceberg=None if ice is None else IcebergView(score=ice, active=True, zones=zones),
        liquidity=draw(st.sampled_from([None, opinion("liquidity", 0.9)])), **draw(surroundings()),
    )


options_of = st.builds(
    SignalOptions, entry=st.sampled_from(["limit", "market"]), stop=st.sampled_from([None, "10", "atr:1.5", "0.1"]),
    margin=st.sampled_from([None, 0.1]), risk=st.sampled_from([5.0, 500.0]),
)
