"""Independent answers for the engines: the definitions worked out on plain lists of trades, with pandas or by hand.

Nothing here comes from the engines. Prices are whole ticks of 0.1, times ns since 1970.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import floor, sqrt
from statistics import median
from typing import Any, NamedTuple

import pandas as pd

from qmo_cli.pipeline import Engines
from qmo_cli.router import RouteOptions, Router
from qmo_cli.tray import Packet

from .dice import Dice
from .scripts import Part, Script, added, cancelled, cleared, filled, modified, traded
from .support import START, blocks, mapping, trade

SECOND = 10**9
MINUTE = 60 * SECOND
TICK = 0.1
GAPS = (0, 1_000_000, 200_000_000, SECOND, 3 * SECOND, 9 * SECOND, 31 * SECOND, 70 * SECOND)
LONG_GAPS = (20 * MINUTE, 5 * 3600 * SECOND, 24 * 3600 * SECOND, 3 * 86_400 * SECOND)


class Trade(NamedTuple):
    """One trade; ``side`` is the aggressor's."""

    ts: int
    side: str
    ticks: int
    size: int


def tape(data: bytes, *, long_gaps: bool = True) -> list[Trade]:
    """The trades that these bytes describe: a walk with quiet and busy times, sizes up to 39, sides of all kinds."""
    dice, now, ticks, trades = Dice(data), START, 20_000, []
    while not dice.empty:
        now += GAPS[dice.below(8)]
        if long_gaps and dice.chance(3):
            now += LONG_GAPS[dice.below(4)]
        ticks += dice.below(5) - 2
        size = 1 + dice.below(6) if not dice.chance(40) else 10 + dice.below(30)
        trades.append(Trade(now, "BBBBBAAAAAN"[dice.below(11)], ticks, size))
    return trades


def records_of(trades: Iterable[Trade], symbol: str = "GCJ6", instrument: int = 1) -> list[bytes]:
    """The trades as DBN records, after the mapping that names the contract."""
    return [
        mapping(symbol, symbol, instrument=instrument),
        *(trade(one.side, price(one.ticks), one.size, ts_event=one.ts, ts_recv=None, instrument=instrument)
          for one in trades),
    ]


def price(ticks: int) -> float:
    """The price of a number of ticks."""
    return round(ticks * TICK, 1)


def run(
    records: Sequence[bytes], every: str = "1s", names: Sequence[str] = ("all",), cuts: Sequence[int] = (),
    **settings: dict[str, Any],
) -> list[Packet]:
    """Packets with the readings of engines, through the real router."""
    router, engines = Router(RouteOptions(every=every)), Engines(names, settings)
    packets = [packet for block in blocks(records, cuts) for packet in router.read(block)]
    packets += router.finish()
    for packet in packets:
        engines.update(packet)
    return packets


def before(trades: Sequence[Trade], ts: int) -> list[Trade]:
    """Trades older than a time."""
    return [one for one in trades if one.ts < ts]


# ---- bars


def bars(trades: Sequence[Trade], seconds: int) -> pd.DataFrame:
    """Open, high, low, close and volumes of the intervals that traded, by pandas; the index is the start in ns."""
    table = pd.DataFrame(trades, columns=["ts", "side", "ticks", "size"])
    table["start"] = table.ts // (seconds * SECOND) * (seconds * SECOND)
    for side, name in (("B", "buy"), ("A", "sell")):
        table[name] = table["size"].where(table.side == side, 0)
    groups = table.groupby("start")
    found = groups.ticks.agg(open="first", high="max", low="min", close="last")
    return found.join(groups[["size", "buy", "sell"]].sum()).join(groups.size().rename("trades"))


def wilder(highs: Sequence[float], lows: Sequence[float], closes: Sequence[float], number: int = 14) -> float | None:
    """Average true range: the mean of the first ``number`` true ranges, then ((n - 1) ATR' + TR) / n."""
    ranges = [
        max(high - low, abs(high - close), abs(low - close))
        for high, low, close in zip(highs[1:], lows[1:], closes, strict=False)
    ]
    if len(ranges) < number:
        return None
    average = sum(ranges[:number]) / number
    for true_range in ranges[number:]:
        average = ((number - 1) * average + true_range) / number
    return average


# ---- windows and minutes


def within(trades: Sequence[Trade], ts: int, seconds: int) -> list[Trade]:
    """Trades of the last whole seconds before a time (a second that has begun counts)."""
    newest = (ts - 1) // SECOND
    return [one for one in trades if one.ts < ts and one.ts // SECOND > newest - seconds]


def delta(trades: Iterable[Trade]) -> int:
    """Contracts bought less contracts sold by aggressors."""
    return sum(one.size if one.side == "B" else -one.size if one.side == "A" else 0 for one in trades)


def volume(trades: Iterable[Trade]) -> int:
    """All contracts."""
    return sum(one.size for one in trades)


def minutes(trades: Sequence[Trade], ts: int) -> tuple[list[int], list[int]]:
    """Volumes and |delta| of the minutes of the 23 h before this one that traded."""
    now = ts // MINUTE
    groups: dict[int, list[Trade]] = {}
    for one in trades:
        if now - 23 * 60 <= one.ts // MINUTE < now:
            groups.setdefault(one.ts // MINUTE, []).append(one)
    return [volume(group) for group in groups.values()], [abs(delta(group)) for group in groups.values()]


def usual_volume(volumes: Sequence[int]) -> float:
    """V0."""
    return median(volumes) if len(volumes) >= 20 else 100.0


def heat(value: int, deltas: Sequence[int]) -> float | None:
    """Mid-rank percentile."""
    if len(deltas) < 30:
        return None
    less, same = sum(one < value for one in deltas), sum(one == value for one in deltas)
    return 100 * (less + same / 2) / len(deltas)


def flow_score(trades: Sequence[Trade], ts: int) -> float:
    """The score of order flow at a time, straight from its definition."""
    short, long = within(trades, ts, 60), within(trades, ts, 300)
    volumes, deltas = minutes(before(trades, ts), ts)
    usual, rare = usual_volume(volumes), heat(abs(delta(short)), deltas)
    lean = 0.6 * delta(short) / (volume(short) + usual) + 0.4 * delta(long) / (volume(long) + 5 * usual)
    return 0.5 + 0.5 * min(1.0, max(-1.0, 2 * lean)) * (0.5 if rare is None else rare / 100)


# ---- since the trade date opened


def trade_date(ts: int) -> pd.Timestamp:
    """CME's trade date by pandas: it begins at 17:00 in Chicago; the weekend belongs to Friday."""
    clock = pd.Timestamp(ts, tz="UTC").tz_convert("America/Chicago").tz_localize(None)
    day = (clock + pd.Timedelta(hours=7)).normalize()
    return day - pd.Timedelta(days=max(0, day.weekday() - 4))


def anchored(trades: Sequence[Trade]) -> list[Trade]:
    """Trades of the trade date of the last one."""
    return [one for one in trades if trade_date(one.ts) == trade_date(trades[-1].ts)] if trades else []


def vwap(trades: Sequence[Trade]) -> tuple[float, float]:
    """Mean price by volume and the deviation around it, exact."""
    total = volume(trades)
    mean = Fraction(sum(one.ticks * one.size for one in trades), total)
    variance = sum(one.size * (one.ticks - mean) ** 2 for one in trades) / total
    return float(mean) * TICK, sqrt(variance) * TICK


def at_price(trades: Iterable[Trade], side: str | None = None) -> Counter[int]:
    """Volume by ticks, of one side or of all."""
    found: Counter[int] = Counter()
    for one in trades:
        if side in (None, one.side):
            found[one.ticks] += one.size
    return found


def point_of_control(volumes: Counter[int]) -> int:
    """The price of most volume; of equals the one nearest the middle of the range, then the lower."""
    most, centre = max(volumes.values()), Fraction(min(volumes) + max(volumes), 2)
    return min((tick for tick in volumes if volumes[tick] == most), key=lambda tick: (abs(tick - centre), tick))


def value_area(volumes: Counter[int], share: Fraction = Fraction(7, 10)) -> tuple[int, int, int]:
    """(low, poc, high): the pair above or below with more volume is added until the share is reached."""
    bottom, top = min(volumes), max(volumes)
    poc = low = high = point_of_control(volumes)
    while sum(volumes[tick] for tick in range(low, high + 1)) < share * volumes.total():
        above, below = volumes[high + 1] + volumes[high + 2], volumes[low - 1] + volumes[low - 2]
        if low == bottom or (high < top and above >= below):
            high = min(high + 2, top)
        else:
            low = max(low - 2, bottom)
    return low, poc, high


def imbalances(trades: Sequence[Trade], ratio: int = 4, least: int = 10) -> set[tuple[int, str]]:
    """Prices where buyers outweigh the sellers a tick below, or sellers the buyers a tick above."""
    bought, sold = at_price(trades, "B"), at_price(trades, "A")
    buy = {(tick, "B") for tick in bought if bought[tick] >= max(least, ratio * max(1, sold[tick - 1]))}
    return buy | {(tick, "A") for tick in sold if sold[tick] >= max(least, ratio * max(1, bought[tick + 1]))}


def runs(ticks: Iterable[int], least: int) -> list[tuple[int, int]]:
    """(low, high) of ``least`` or more adjacent ticks."""
    left, found = set(ticks), []
    for tick in sorted(left):
        if tick - 1 not in left:
            end = tick
            while end + 1 in left:
                end += 1
            if end - tick + 1 >= least:
                found.append((tick, end))
    return found


def stacks(places: set[tuple[int, str]]) -> set[tuple[int, int, str]]:
    """Three or more imbalances of one side in a row."""
    return {(low, high, side) for side in "BA" for low, high in runs([tick for tick, one in places if one == side], 3)}


def clusters(volumes: Counter[int]) -> set[tuple[int, int, int]]:
    """Two or more adjacent prices with more volume than median + 3 x 1.4826 MAD of the prices that traded."""
    if not volumes:
        return set()
    middle = median(volumes.values())
    limit = middle + 3 * 1.4826 * median([abs(one - middle) for one in volumes.values()])
    heavy = [tick for tick, one in volumes.items() if one > limit]
    return {(low, high, sum(volumes[tick] for tick in range(low, high + 1))) for low, high in runs(heavy, 2)}


def in_ticks(value: float) -> int:
    """A price as whole ticks."""
    return floor(value / TICK + 0.5)


# ---- a market of icebergs

Event = tuple[int, list[Part]]  # ns of silence before it, its records


@dataclass(slots=True)
class Hidden:
    """An iceberg as its owner knows it."""

    side: str
    ticks: int
    peak: int
    shown: int
    left: int  # behind what is shown


@dataclass(slots=True)
class IcebergMarket:
    """Writes events in which icebergs are placed, hit, refreshed, moved and cancelled while price walks about."""

    dice: Dice
    ticks: int = 20_000
    orders: dict[int, Hidden] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    next_id: int = 100

    def fresh(self) -> int:
        self.next_id += 1
        return self.next_id

    def emit(self, *parts: Part) -> None:
        silence = (0, 7, 40, 300, 2_000, 30_000, 200_000, 1_200_000)[self.dice.below(8)] * 1_000_000
        self.events.append((silence, list(parts)))

    def place(self) -> None:
        side, peak = "BA"[self.dice.below(2)], 1 + self.dice.below(9)
        ticks = self.ticks + (-1 if side == "B" else 1) * (1 + self.dice.below(6))
        shown = peak if self.dice.chance(180) else 1 + self.dice.below(peak)
        order_id = self.fresh()
        self.orders[order_id] = Hidden(side, ticks, peak, shown, peak * self.dice.below(6) + self.dice.below(peak))
        self.emit(added(order_id, side, price(ticks), shown))

    def hit(self) -> None:
        """An aggressor takes some of an iceberg; with luck the rest of a tranche shows."""
        if not self.orders:
            return
        order_id = list(self.orders)[self.dice.below(len(self.orders))]
        order = self.orders[order_id]
        size, displayed = min(1 + self.dice.below(12), order.shown + order.left), order.shown
        beyond = max(0, size - order.shown)
        order.shown, order.left = max(0, order.shown - size), order.left - beyond
        if not order.shown and order.left:
            order.shown = min(order.left, order.peak - beyond % order.peak)
            order.left -= order.shown
        at, taker = price(order.ticks), "A" if order.side == "B" else "B"
        self.ticks = order.ticks
        rest = modified(order_id, order.side, at, order.shown) if order.shown else cancelled(
            order_id, order.side, at, displayed)
        self.emit(traded(taker, at, size, self.fresh()), filled(order_id, order.side, at, size), rest)
        if not order.shown:
            del self.orders[order_id]

    def walk(self) -> None:
        """A trade elsewhere, against implied liquidity."""
        self.ticks += self.dice.below(15) - 7
        self.emit(traded("BA"[self.dice.below(2)], price(self.ticks), 1 + self.dice.below(9), self.fresh()))

    def leave(self) -> None:
        """An iceberg is cancelled or moved."""
        if not self.orders:
            return
        order_id = list(self.orders)[self.dice.below(len(self.orders))]
        order = self.orders[order_id]
        if self.dice.chance(128):
            order.ticks += self.dice.below(5) - 2
            self.emit(modified(order_id, order.side, price(order.ticks), order.shown))
        else:
            del self.orders[order_id]
            self.emit(cancelled(order_id, order.side, price(order.ticks), order.shown))


def iceberg_events(data: bytes) -> list[Event]:
    """The events that these bytes describe."""
    market = IcebergMarket(Dice(data))
    deeds = (market.place, market.place, market.hit, market.hit, market.hit, market.hit, market.walk, market.leave)
    while not market.dice.empty:
        deeds[market.dice.below(8)]()
    return market.events


def mirrored(events: Sequence[Event]) -> list[Event]:
    """The same events with buyers and sellers changed over, and prices turned upside down about 2000."""
    other = {"B": "A", "A": "B", "N": "N"}
    return [
        (silence, [replace(part, side=other[part.side], price=None if part.price is None else price(
            40_000 - in_ticks(part.price))) for part in parts])
        for silence, parts in events
    ]


def as_records(events: Iterable[Event]) -> list[bytes]:
    """The events as MBO records, after a mapping and an empty book."""
    script = Script().raw(mapping("GCJ6", "GCJ6")).event(cleared())
    for silence, parts in events:
        script.wait(silence).event(*parts)
    return script.records
