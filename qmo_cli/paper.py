"""Paper trading: what the signals' orders would have become, by what traded afterwards, told as fill records.

Pessimistic, second by second: an order sees only seconds that begin after its signal; a limit fills at the limit, a
market order at the second's worst price; where a second touches the stop and a target the stop was first. Half is taken
at the first target and the stop goes to the entry, then trails by its first distance. One trade at a time; an order
whose episode ends unfilled is withdrawn. Nothing is closed at the end of the input.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from .blocks import PRICE_SCALE, SECOND
from .engines.risk.holdings import Holding, amount, money
from .errors import BadData, UsageError
from .instruments import spec_of
from .packets import FillFact, Second, fixed
from .records import Account, Fill
from .tray import Packet


class DecisionSeen(Struct, frozen=True):
    """What is read of a signal's decision."""

    type: str
    id: str | None


class EntrySeen(Struct, frozen=True):
    """What is read of its entry."""

    type: str
    limit_price: float | None
    target: float
    stop: float


class PositionSeen(Struct, frozen=True):
    """What is read of its position."""

    contract: str | None
    contracts: int
    first_target: float
    trail_distance: float


class SignalSeen(Struct, frozen=True):
    """What is read of a packet's signal."""

    signal: DecisionSeen
    entry: EntrySeen | None
    position: PositionSeen | None


class TradesSeen(Struct, frozen=True):
    """What is read of a packet's trades."""

    seconds: list[Second] = []


class InputsSeen(Struct, frozen=True):
    """What is read of a packet's inputs."""

    trades: TradesSeen | None = None


@dataclass(frozen=True, slots=True)
class PaperOptions:
    """The paper account."""

    account: float | None = field(default=None, metadata={
        "help": "Balance to begin with; account records are printed after each trade then."})
    costs: float = field(default=0.0, metadata={"help": "Costs per contract and round turn, half of them a fill."})

    def __post_init__(self) -> None:
        if not self.costs >= 0:
            raise UsageError(f"--costs {self.costs:g}: costs must be 0 or more")


@dataclass(slots=True)
class Bar:
    """A second of trades, mirrored for a sale: ``low`` is always the side that hurts. Prices in 1e-9."""

    second: int
    open: int
    high: int
    low: int

    @classmethod
    def of(cls, row: Second, sign: int) -> Bar:
        """The second as a trade of this side sees it."""
        prices = sign * fixed(row.high), sign * fixed(row.low)
        return cls(row.second, sign * fixed(row.open), max(prices), min(prices))


@dataclass(slots=True)
class Trade:
    """An order, and the position that it becomes. Prices in 1e-9, mirrored for a sale as those of Bar are."""

    id: str
    sign: int
    since: int                           # ns: seconds from here on count
    contract: str
    left: int                            # contracts
    limit: int | None                    # None: a market order
    stop: int
    first: int
    target: int
    distance: int
    entry: int | None = None
    half: bool = False                   # was taken at the first target
    best: int = 0

    def step(self, bar: Bar) -> list[tuple[int, int]]:
        """What a second does to it: contracts bought (negative: sold) in its own direction, and the price."""
        if bar.second * SECOND < self.since:
            return []
        if self.entry is None:
            return self._enter(bar)
        if bar.low <= self.stop:
            return [self._leave(self.left, min(self.stop, bar.open))]
        return self._profit(bar)

    def _enter(self, bar: Bar) -> list[tuple[int, int]]:
        """A limit fills where it is touched. The stop may be hit in the same second, a target not."""
        if self.limit is not None and bar.low > self.limit:
            return []
        self.entry = bar.high if self.limit is None else self.limit
        found = [(self.left, self.entry)]
        return [*found, self._leave(self.left, self.stop)] if bar.low <= self.stop else found

    def _profit(self, bar: Bar) -> list[tuple[int, int]]:
        assert self.entry is not None
        found = []
        if not self.half and bar.high >= self.first:
            self.half, self.stop, self.best = True, max(self.stop, self.entry), bar.high
            if self.left > 1:
                found.append(self._leave(self.left // 2, self.first))
            if bar.low <= self.stop:
                return [*found, self._leave(self.left, self.stop)]
        if bar.high >= self.target:
            found.append(self._leave(self.left, self.target))
        elif self.half:
            self.best = max(self.best, bar.high)
            self.stop = max(self.stop, self.best - self.distance)
        return found

    def _leave(self, contracts: int, price: int) -> tuple[int, int]:
        self.left -= contracts
        return -contracts, price


def trade_of(seen: SignalSeen, ts: int) -> Trade | None:
    """The order of a signal; None where it has none."""
    entry, position, name = seen.entry, seen.position, seen.signal.id
    if entry is None or position is None or not position.contracts or position.contract is None or name is None:
        return None
    sign = 1 if seen.signal.type == "BUY" else -1
    limit = None if entry.type == "market" or entry.limit_price is None else sign * fixed(entry.limit_price)
    return Trade(name, sign, ts, position.contract, position.contracts, limit, sign * fixed(entry.stop),
                 sign * fixed(position.first_target), sign * fixed(entry.target), fixed(position.trail_distance))


@dataclass(slots=True)
class Desk:
    """The paper account of one series."""

    options: PaperOptions
    trade: Trade | None = None
    done: str = ""                       # id of the episode that was traded last
    row: Second | None = None            # the second that is not over
    last: Second | None = None           # the newest one
    balance: int = 0                     # 1e-18
    holding: Holding | None = None
    instrument_id: int = -1

    def update(self, packet: Packet) -> list[Any]:
        """The records that a packet brings about: first what traded, then the signal that it led to."""
        found = self._begin(packet)
        inputs: InputsSeen = packet.read("inputs", InputsSeen)
        for row in inputs.trades.seconds if inputs.trades is not None else ():
            found += self._take(packet, row)
        if packet.closed:
            found += self._finish(packet, packet.ts)
            self._follow(packet)
        return found

    def _begin(self, packet: Packet) -> list[Any]:
        """The first packet opens the account; another contract ends what was traded in the one before."""
        if packet.instrument_id == self.instrument_id:
            return []
        first, self.instrument_id = self.instrument_id < 0, packet.instrument_id
        if first:
            self.balance = money(self.options.account or 0.0)
            return self._account(packet, packet.ts)
        found, row, trade = self._finish(packet, packet.ts), self.last, self.trade
        if trade is not None and trade.entry is not None and row is not None:
            done, trade.left = trade.left, 0
            found += self._fills(packet, row.second, [(-done, Bar.of(row, trade.sign).low)])
        self.row = self.last = self.trade = None
        return found

    def _take(self, packet: Packet, row: Second) -> list[Any]:
        """A second of trades, or the part of it that lies in the frame."""
        found = self._finish(packet, row.second * SECOND)
        known = self.row
        if known is not None and known.second >= row.second:
            row = Second(known.second, known.open, max(known.high, row.high), min(known.low, row.low), row.close,
                         known.buy + row.buy, known.sell + row.sell, known.none + row.none, known.trades + row.trades)
        self.row = self.last = row
        return found

    def _finish(self, packet: Packet, ts: int) -> list[Any]:
        """Let the trade see the second that is over."""
        row = self.row
        if row is None or (row.second + 1) * SECOND > ts or self.trade is None:
            return []
        self.row = None
        return self._fills(packet, row.second, self.trade.step(Bar.of(row, self.trade.sign)))

    def _follow(self, packet: Packet) -> None:
        """A new episode is a new order; one that ended before its order filled takes it back."""
        seen: SignalSeen = packet.read("signal", SignalSeen)
        trade = self.trade
        if trade is not None and trade.entry is None and seen.signal.id != trade.id:
            self.trade = trade = None
        if trade is None and seen.signal.id not in (None, self.done):
            self.trade = trade_of(seen, packet.ts)
            if self.trade is not None:
                self.done = self.trade.id
                spec = spec_of(self.trade.contract)
                value = None if spec is None or spec.point_value is None else fixed(spec.point_value)
                self.holding = Holding(value, packet.instrument_id)

    # --- records

    def _fills(self, packet: Packet, second: int, done: list[tuple[int, int]]) -> list[Any]:
        """Records of what was bought and sold; they are known when the second is over."""
        trade, ts = self.trade, (second + 1) * SECOND
        found: list[Any] = []
        for contracts, price in done if trade is not None else ():
            assert trade is not None
            found.append(self._fill(packet, trade, ts, contracts * trade.sign, price * trade.sign))
        if trade is not None and trade.left == 0:
            self.trade = None
            found += self._account(packet, ts)
        return found

    def _fill(self, packet: Packet, trade: Trade, ts: int, contracts: int, price: int) -> Fill:
        size, fees = abs(contracts), round(self.options.costs * abs(contracts) / 2, 6)
        fill = Fill(
            series=packet.series, symbol=trade.contract, ts_event=str(ts), side="B" if contracts > 0 else "A",
            price=price / PRICE_SCALE, size=size, order_id=f"paper-{trade.id}", fees=fees,
        )
        assert self.holding is not None
        fact = FillFact(str(ts), fill.symbol, fill.side, fill.price, size, None, fees)
        self.balance += self.holding.take(fact).realised or 0
        return fill

    def _account(self, packet: Packet, ts: int) -> list[Any]:
        """The account's record, where there is an account whose money is known."""
        known = self.holding is None or self.holding.value is not None
        if self.options.account is None or not known:
            return []
        return [Account(series=packet.series, ts_event=str(ts), balance=amount(self.balance), position=0)]


class Paper:
    """Paper accounts, one for each series."""

    def __init__(self, options: PaperOptions | None = None) -> None:
        self.options = options or PaperOptions()
        self.desks: dict[str, Desk] = {}

    def update(self, packet: Packet) -> list[Any]:
        """Fill and account records that a packet brings about. Raises BadData for a packet without a signal."""
        if packet.slots.get("signal") is None:
            raise BadData("these packets have no signal; put `qmo signal --full` before `qmo paper`")
        return self.desks.setdefault(packet.series, Desk(self.options)).update(packet)
