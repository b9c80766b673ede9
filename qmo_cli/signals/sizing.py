"""Entry, stop, targets and size, in integers of 1e-9: no contract is lost or gained by floats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Literal, NamedTuple

from msgspec import Struct

from ..blocks import PRICE_SCALE
from ..errors import UsageError
from ..instruments import Spec, spec_of
from ..packets import OptionalFloat, OptionalInt, OptionalStr, fixed
from .margin import margin_rate

Direction = Literal["BUY", "SELL"]

DEFAULT_STOP = 10.0        # points
MIN_STOP_TICKS = 2
TRAIL_RULE = "half off at the first target, stop to entry, then trail by the initial distance"


@dataclass(frozen=True, slots=True)
class SignalOptions:
    """What the trader wants: money, entry, stop, and what is not in the data. None: not given."""

    account: float = field(default=100_000.0, metadata={"help": "Account balance."})
    risk: float = field(default=500.0, metadata={"help": "Most that one trade may lose."})
    risk_from: Literal["limit", "price"] = field(
        default="limit", metadata={"help": "Size from the worst fill, or from the price as the original did."})
    entry: Literal["limit", "market"] = field(default="limit", metadata={"help": "Order type."})
    limit_offset: float = field(default=0.5, metadata={"help": "Points a limit may cross; slippage of a market order."})
    stop: str | None = field(default=None, metadata={"help": "Stop in points (10), or in ATR (atr:1.5)."})
    target_ratio: float = field(default=2.0, metadata={"help": "Target, in stop distances."})
    first_ratio: float = field(default=0.5, metadata={"help": "First target, in stop distances."})
    costs: float | None = field(default=None, metadata={"help": "Costs per contract and round turn."})
    margin: float | None = field(default=None, metadata={"help": "Margin as a share of notional, for every date."})
    margin_share: float = field(default=0.5, metadata={"help": "Share of the account that margin may take."})
    max_slippage: float = field(default=3.0, metadata={"help": "Hold when the displayed book would cost more ticks."})
    close_guard: float = field(default=5.0, metadata={"help": "No size in the last minutes before the close."})
    tick: float | None = field(default=None, metadata={"help": "Smallest price step of the instrument."})
    point_value: float | None = field(default=None, metadata={"help": "Money per point and contract."})

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if isinstance(value, float | int) and not _allowed(setting.name, value):
                raise UsageError(f"{setting.name} {value} makes no sense: it must be a positive number")
        if self.risk_from not in ("limit", "price") or self.entry not in ("limit", "market"):
            raise UsageError("risk_from is limit or price, entry is limit or market")
        stop_of(self.stop)


def _allowed(name: str, value: float) -> bool:
    zero_is_fine = name in ("limit_offset", "costs", "max_slippage", "close_guard")
    return math.isfinite(value) and (value >= 0 if zero_is_fine else value > 0)


def stop_of(text: str | None) -> tuple[bool, float]:
    """Whether a stop is in ATR, and how much. Raises UsageError.

    >>> stop_of(None), stop_of("8"), stop_of("atr:1.5")
    ((False, 10.0), (False, 8.0), (True, 1.5))
    """
    if text is None:
        return False, DEFAULT_STOP
    in_atr, number = text.startswith("atr:"), text.removeprefix("atr:")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{text!r} is not a stop; write points, such as 10, or ATRs, such as atr:1.5")
    return in_atr, value


class Entry(Struct, frozen=True, gc=False):
    """Where to get in and out. Prices are whole ticks of the contract named in the position."""

    price: float                         # the current price, not rounded
    type: Literal["limit", "market"]
    limit_price: OptionalFloat           # null for a market order
    target: float
    stop: float
    risk_reward: str                     # "1:2"
    risk_reward_ratio: float             # from the price: target distance / stop distance
    stop_atr: float | None               # the stop's distance from the price, in ATR(14) of 15-minute bars


class Position(Struct, frozen=True, gc=False):
    """How much."""

    contract: str | None                 # root of the contract; null when the size is 0
    contracts: int
    capital_required: float | None       # margin
    margin_rate: float | None            # share of notional
    margin_since: OptionalStr            # date of that setting; null: the user's
    max_loss: float                      # at the stop, after the worst fill
    costs_included: bool
    expected_slippage: float | None      # ticks from the touch, of this size walked through the displayed book
    queue_ahead: OptionalInt             # contracts displayed ahead of the limit on its own side; null: not known
    first_target: float
    trail_stop: bool
    trail_distance: float                # points
    trail_rule: str


class Levels(NamedTuple):
    """Prices of one trade in 1e-9, rounded to one contract's tick."""

    price: int
    worst: int                           # the worst fill
    limit: int
    stop: int
    target: int
    first: int

    def rounded(self, step: int, sign: int) -> Levels:
        """The limit rounded toward safety, the stop away from entry, targets toward it; the worst fill from these.

        All of these go down for a buy (sign 1) and up for a sell (-1), as division by a negative step does. Off the
        grid the limit can so pass the price itself: it fills no worse than at the price.
        """
        grid = sign * step
        at, worst, limit, stop, target, first = self
        limit = limit // grid * grid
        worst = max(at, worst, limit) if sign > 0 else min(at, worst, limit)
        return Levels(at, worst, limit, stop // grid * grid, target // grid * grid, first // grid * grid)

    def sound(self, sign: int) -> bool:
        """Whether stop, price, worst fill and targets lie in the order that a trade needs."""
        return sign * self.stop < sign * self.price <= sign * self.worst < sign * self.first <= sign * self.target


class Trade(NamedTuple):
    """What is about to be sized."""

    direction: Direction
    price: float
    far_side: float | None               # ask for a buy, bid for a sell
    distance: float                      # of the stop, points
    trade_date: str
    account: float | None = None         # balance; None: the options'
    factor: float = 1.0                  # share of the risk per trade that may be used

    @property
    def sign(self) -> int:
        return 1 if self.direction == "BUY" else -1


class Size(NamedTuple):
    """How many of which contract, and what that costs in 1e-9 of money. ``why`` says what keeps it at 0."""

    spec: Spec
    at: Levels
    contracts: int
    max_loss: int
    capital: int | None
    rate: float | None
    rate_since: str | None
    rate_unknown: str | None
    why: str | None


class Rung:
    """One contract with its specification in integers of 1e-9."""

    __slots__ = ("spec", "step", "value")

    def __init__(self, spec: Spec) -> None:
        if spec.tick is None or spec.point_value is None:
            raise ValueError(f"{spec.root} cannot be sized: its tick or point value is not known")
        self.spec = spec
        self.step = fixed(spec.tick)
        self.value = fixed(spec.point_value)


def ladder(spec: Spec) -> list[Rung]:
    """The contract and its smaller sisters, largest first. Raises ValueError without a tick or a point value."""
    sisters = (spec_of(root) for root in spec.ladder if root != spec.root)
    return [Rung(spec), *(Rung(sister) for sister in sisters if sister is not None)]


class Sizer:
    """Levels and sizes by one trader's options, which it keeps in integers of 1e-9."""

    def __init__(self, options: SignalOptions) -> None:
        self.options = options
        self._offset = fixed(options.limit_offset)
        self._costs = fixed(options.costs or 0.0)

    def size(self, trade: Trade, rungs: Sequence[Rung]) -> Size:
        """The first contract of the ladder of which at least one fits; else none, on the terms of the smallest."""
        raw = self._raw(trade)
        for rung in rungs:
            sized = self._size(trade, rung, raw.rounded(rung.step, trade.sign))
            if sized.contracts:
                break
        return sized

    def levels(self, trade: Trade, step: int) -> Levels:
        """Levels of a trade on a grid of ``step``.

        A market order's worst fill is the limit's, or the far side of the quote if that is worse.
        """
        return self._raw(trade).rounded(step, trade.sign)

    def _raw(self, trade: Trade) -> Levels:
        sign, at, away, options = trade.sign, fixed(trade.price), fixed(trade.distance), self.options
        far_side = trade.far_side if options.entry == "market" else None
        return Levels(
            at, at if far_side is None else fixed(far_side), at + sign * self._offset, at - sign * away,
            at + sign * round(away * options.target_ratio), at + sign * round(away * options.first_ratio),
        )

    def _size(self, trade: Trade, rung: Rung, at: Levels) -> Size:
        """floor(risk / risk per contract), and not more than floor(margin share x account / margin)."""
        spec, value = rung.spec, rung.value
        filled = at.worst if self.options.risk_from == "limit" else at.price
        loss = abs(filled - at.stop) * value // PRICE_SCALE + self._costs
        by_risk = fixed(self.options.risk * trade.factor) // loss if loss else 0
        rate, note = self._rate(spec, trade.trade_date)
        margin = None if rate is None or at.price <= 0 else at.price * value * fixed(rate) // PRICE_SCALE**2
        by_margin = by_risk if not margin else self._room(trade) // margin
        contracts = min(by_risk, by_margin)
        return Size(
            spec, at, contracts, contracts * loss, None if margin is None else contracts * margin, rate,
            (note or None) if rate is not None else None, _unknown(rate, note, at),
            _why(spec, loss, by_risk, by_margin),
        )

    def _room(self, trade: Trade) -> int:
        """Money for margin, in 1e-9."""
        account = self.options.account if trade.account is None else trade.account
        return max(0, fixed(account * self.options.margin_share))

    def _rate(self, spec: Spec, trade_date: str) -> tuple[float | None, str]:
        """Margin as a share of notional, and its date or the reason why it is unknown."""
        return margin_rate(spec.root, trade_date) if self.options.margin is None else (self.options.margin, "")


def _unknown(rate: float | None, note: str, at: Levels) -> str | None:
    if rate is None:
        return note
    return None if at.price > 0 else "a share of a price that is not positive is no margin"


def _why(spec: Spec, loss: int, by_risk: int, by_margin: int) -> str | None:
    if not by_risk:
        return f"one {spec.root} would risk {loss / PRICE_SCALE:.10g}, more than a trade may"
    return None if by_margin else f"the margin of one {spec.root} is more than the account allows"


def entry_of(trade: Trade, sized: Size, options: SignalOptions, stop_atr: float | None) -> Entry:
    """The entry as the signal shows it."""
    at = sized.at
    ratio = round(abs(at.target - at.price) / abs(at.price - at.stop), 6)
    limit = at.limit / PRICE_SCALE if options.entry == "limit" else None
    return Entry(
        trade.price, options.entry, limit, at.target / PRICE_SCALE, at.stop / PRICE_SCALE, f"1:{round(ratio, 2):g}",
        ratio, stop_atr,
    )


def position_of(sized: Size, options: SignalOptions, *, doubt: bool) -> Position:
    """The position as the signal shows it, the book not walked; of size 0 when anything is in doubt."""
    at, none = sized.at, doubt or not sized.contracts
    return Position(
        None if none else sized.spec.root, 0 if none else sized.contracts,
        0.0 if none else None if sized.capital is None else sized.capital / PRICE_SCALE,
        sized.rate, sized.rate_since, 0.0 if none else sized.max_loss / PRICE_SCALE, options.costs is not None,
        None, None, at.first / PRICE_SCALE, trail_stop=True, trail_distance=abs(at.price - at.stop) / PRICE_SCALE,
        trail_rule=TRAIL_RULE,
    )
