"""Packets for the tests of pictures: one of the simulator's, with its slots replaced by what a test needs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np

from qmo_cli.feeds.sim import SimOptions, simulate
from qmo_cli.plot import Collection, PlotOptions, Series
from qmo_cli.tray import Packet

from .laws import Setup, lines

SECOND = 1_000_000_000
START = 1_769_527_800_000_000_000  # 2026-01-27T15:30:00Z, a Tuesday within gold's day session
Json = dict[str, Any]


@cache
def simulated(minutes: float = 3.0, every: str = "1s") -> tuple[bytes, ...]:
    """Lines of packets of a simulated market, with all slots."""
    return tuple(lines(simulate(SimOptions(seed=9, minutes=minutes, rate=30.0, icebergs=0.05)), Setup(every=every)))


NEEDED = ("market", "health", "inputs", "system", "missing")  # slots of a packet with which any can be drawn


@cache
def _template() -> bytes:
    """A packet without what engines say: what a test does not give is not there."""
    given: Json = json.loads(simulated()[0])
    return json.dumps({name: value for name, value in given.items()
                       if not isinstance(value, dict) or name in NEEDED}).encode()


def line(second: int, price: float | None = 2500.0, **changes: Any) -> Json:
    """A packet's line as a dict: quiet, its frame ending so many seconds after START.

    ``trades``: contracts bought (or, negative, sold) at the price in the frame's second. ``market``, ``health`` and
    the names of slots replace parts of it.
    """
    given: Json = json.loads(_template())
    ts = START + second * SECOND
    given |= {"ts": str(ts), "series": "GC.v.0", "symbol": "GCG6", "price": price, "missing": {}, "system": []}
    given["market"] |= {
        "price": price, "bid": None if price is None else price - 0.1, "ask": None if price is None else price + 0.1,
        "quality": "replay", "source": "test", "tick": 0.1, **changes.pop("market", {})}
    given["health"] |= changes.pop("health", {})
    given["inputs"] = inputs(given["inputs"], START // SECOND + second - 1, price, changes.pop("trades", 0))
    for place, values in changes.pop("inputs", {}).items():
        given["inputs"][place] = None if values is None else {**(given["inputs"][place] or {}), **values}
    return {**given, **changes}


def inputs(given: Json, second: int, price: float | None, contracts: int) -> Json:
    """Inputs with one trade, or none."""
    buy, sell = max(contracts, 0), max(-contracts, 0)
    traded: Json = {"buy": buy, "sell": sell, "none": 0, "trades": int(contracts != 0), "seconds": [], "profile": [],
                    "prints": []}
    if contracts:
        traded["seconds"] = [[second, price, price, price, price, buy, sell, 0, 1]]
        traded["profile"] = [[price, buy, sell, 0]]
    empty: Json = {key: [] for key in ("sweeps",) if key in given["trades"]}
    depth = {**given["depth"], **({"sweeps": []} if "sweeps" in given["depth"] else {}), "hits": []}
    orders = {**given["orders"], "icebergs": [], "links": [], "stops": []}
    return {"trades": {**given["trades"], **traded, **empty}, "bars": None, "depth": depth, "orders": orders}


def place_of_sweeps() -> str:
    """The part of the inputs in which sweeps stand."""
    return "trades" if "sweeps" in json.loads(_template())["inputs"]["trades"] else "depth"


def sweep(second: float, side: str, start: float, end: float, size: int) -> Json:
    """One sweep."""
    return {"ts_event": str(START + round(second * SECOND)), "side": side, "start": start, "end": end, "levels": 3,
            "size": size, "aggressors": 1}


def stop(second: float, side: str, price: float, size: int) -> Json:
    """One stop that another order set off."""
    return {"ts_event": str(START + round(second * SECOND)), "side": side, "price": price, "size": size,
            "order_id": "1"}


def zone(name: str, side: str, low: float, high: float, state: str, weight: float, since: int, seen: int) -> Json:
    """One zone as engines publish them."""
    return {"id": name, "side": side, "low": low, "high": high, "state": state, "weight": weight,
            "first_seen": str(START + since * SECOND), "last_seen": str(START + seen * SECOND), "half_life": 1800.0,
            "confidence": 0.99, "strength": 5.0, "orders": 1, "defended": 0}


def flow(cvd: int, vwap: float, poc: float, low: float, high: float) -> Json:
    """A reading of order flow, as far as pictures need it."""
    return {"cvd": cvd, "anchor": "open of trade date 2026-01-27", "vwap": vwap, "poc": poc, "val": low, "vah": high}


def signal(kind: str, change: str | None, price: float, confidence: float = 0.8) -> Json:
    """A signal, as far as pictures need it."""
    return {"schema": "signal", "signal": {"type": kind, "confidence": confidence}, "change": change,
            "current_price": price, "entry": None}


def decoded(given: Json) -> Packet:
    """The packet of a line."""
    return Packet.decode(json.dumps(given).encode())


def collected(given: Iterable[Json], **options: Any) -> Series:
    """The series that the lines make."""
    collection = Collection(**options)
    collection.read([[decoded(one)] for one in given])
    return collection.choose()


def walk(length: int, every: int = 1, start: int = 0) -> list[Json]:
    """A market that goes up and down by ticks and trades in turn, so many seconds long."""
    prices = [round(2500 + 0.1 * ((index * 7919) % 41 - 20) + 0.002 * index, 1) for index in range(length)]
    return [line(start + 1 + index, price, trades=(1 + index % 5) * (1 if index % 3 else -1))
            for index, price in enumerate(prices) if index % every == 0]


def pixels(series: Series, **options: Any) -> np.ndarray[Any, Any]:
    """The picture of a series as rows of RGB, 0 to 255."""
    from matplotlib.image import imread

    from qmo_cli.plot.draw import picture

    data = picture(series, PlotOptions(**options))
    return np.round(np.asarray(imread(io.BytesIO(data)))[:, :, :3] * 255).astype(int)


def near(image: np.ndarray[Any, Any], colour: str, within: int = 6) -> int:
    """How many pixels have (almost) this colour, such as #3d9df2."""
    wanted = np.array([int(colour[place:place + 2], 16) for place in (1, 3, 5)])
    return int((np.abs(image - wanted).max(axis=2) <= within).sum())


def changed(one: Sequence[Any] | np.ndarray[Any, Any], other: Sequence[Any] | np.ndarray[Any, Any]) -> int:
    """In how many pixels two pictures differ."""
    return int((np.asarray(one) != np.asarray(other)).any(axis=2).sum())
