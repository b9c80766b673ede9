# cython: language_level=3, auto_pickle=False
"""Time bars from packets: of the seconds of trades, or of ready-made bars that are shorter."""

from __future__ import annotations

from typing import Any

import cython

from qmo_cli.engines.bars.bar import Bar
from qmo_cli.engines.bars.pieces import Forming, Pieces, second_of
from qmo_cli.engines.rolls import Contract, moved
from qmo_cli.errors import ConfigurationError
from qmo_cli.packets import BarInput, Second
from qmo_cli.sessions import next_trade_day_start, trade_day_start
from qmo_cli.times import SECOND, duration
from qmo_cli.tray import Packet

TRADE_DATE = "1d"
HOUR = 3600         # s: every trade date begins on a whole one


@cython.ccall
@cython.exceptval(-1, check=True)
def whole_seconds(period: str) -> cython.longlong:
    """Length of a bar in s; 0 for 1d, a CME trade date. Raises ConfigurationError for any other fraction or day.

    >>> whole_seconds("15m"), whole_seconds("24h"), whole_seconds("1d")
    (900, 86400, 0)
    """
    if period.strip() == TRADE_DATE:
        return 0
    seconds, rest = divmod(duration(period), SECOND)
    if rest or not seconds:
        raise ConfigurationError(f"bars of {period!r}: bars are made of whole seconds")
    if period.strip().endswith("d"):
        raise ConfigurationError(f"bars of {period!r}: of days there is only 1d, the trade date; 48h are UTC days")
    return seconds


@cython.final
@cython.cclass
class TimeBars:
    """Closed bars of one length; the series that an engine with a bar length of its own makes for itself.

    ``read`` each packet once. A bar closes when its end has passed; where nothing traded there is no bar. Lengths are
    aligned to the epoch, ``1d`` is the CME trade date. At a roll the open bar goes on in the new contract's terms.
    ``why_not`` says why the input makes no such bars, "" when it does. ``moved``: points by which prices stored so far
    move before what ``read`` gave is added, None: forget them (see rolls.py). ``changed``: this packet brought
    something. ``last``: the newest closed bar; ``forming``: the open one, or None.

    A record of ohlcv-1d covers a UTC day, as the hours of the same vendor show, so no trade date can be made of it.
    """

    def __init__(self, period: str) -> None:
        self.period, self.seconds = period, whole_seconds(period)
        self.pieces, self.contract, self.instrument_id, self.awaits = Pieces(), Contract(), -1, False
        self.why_not, self.moved, self.changed = "needs trades or ohlcv", 0.0, False
        self.done, self.forming, self.last = 0, None, None
        self.closed: list[Bar] = []

    @cython.ccall
    def read(self, packet: Packet) -> list:
        """The bars that close with this packet, oldest first."""
        pieces: Pieces = self.pieces
        rejected: cython.longlong = pieces.rejected
        rows = pieces.of(packet)
        gap: Any = 0.0
        if packet.instrument_id != self.instrument_id or self.awaits:  # as follow would find, without the call
            gap = self.contract.follow(packet)
            self.instrument_id, self.awaits = packet.instrument_id, self.contract.awaits
        self.moved = gap
        self.closed = []
        if (pieces.ready or self.why_not) and not self.makes(packet):
            self.changed = pieces.rejected != rejected
            return self.closed
        if gap != 0.0:
            self.follow(gap, rows)
        for row in rows:
            self.add(row)
        if packet.closed:
            # A ready-made bar comes at its end, thus in the frame that begins there: the frame before must not close.
            self.pass_time((packet.ts - 1 if pieces.ready else packet.ts) // SECOND)
        self.changed = bool(rows) or bool(self.closed) or gap != 0.0 or pieces.rejected != rejected
        return self.closed

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def makes(self, packet: Packet) -> cython.bint:
        """Whether such bars can be made of this input."""
        pieces: Pieces = self.pieces
        if not pieces.seen:
            self.why_not = f"needs trades or ohlcv, input is {packet.health.access}"
        elif not pieces.ready or pieces.grain == 0 or (self.seconds or HOUR) % pieces.grain == 0:
            self.why_not = ""
        elif self.seconds:
            self.why_not = f"bars of {self.period} cannot be made of bars of {pieces.grain} s"
        else:
            self.why_not = (
                f"a trade date cannot be made of bars of {pieces.grain} s: those of a day cover UTC days; "
                "use ohlcv-1h or shorter, or bars of 24h")
        return not self.why_not

    @cython.cfunc
    def follow(self, gap: Any, rows: list) -> object:
        """Another contract trades: what is stored moves by the gap, or is forgotten where none is known."""
        forming: Forming
        if rows:
            self.pass_time(second_of(rows[0]))
        if gap is None:
            self.forming, self.last, self.closed = None, None, []
            return None
        forming = self.forming
        if forming is not None:
            forming.move(gap)
        if self.last is not None:
            self.last = shifted(self.last, gap)
        self.closed = [shifted(bar, gap) for bar in self.closed]
        return None

    @cython.cfunc
    def add(self, row: Second | BarInput) -> object:
        """Add a row to its bar; one that comes after its bar has closed counts in the next."""
        forming: Forming
        sided: cython.bint = isinstance(row, Second)
        second: cython.longlong = second_of(row)
        second = max(second, self.done)
        self.pass_time(second)
        if self.forming is None:
            self.forming = self.begin(second, row.open, sided)
        forming = self.forming
        if sided:
            forming.take_second(row)
        else:
            forming.take_bar(row)
        return None

    @cython.cfunc
    def begin(self, second: cython.longlong, open_: cython.double, sided: cython.bint) -> Forming:
        """The bar that this second lies in."""
        length: cython.longlong = self.seconds
        if length:
            start: cython.longlong = second // length * length
            return Forming(start, start + length, open_, sided)
        ts = second * SECOND
        return Forming(trade_day_start(ts) // SECOND, next_trade_day_start(ts) // SECOND, open_, sided)

    @cython.cfunc
    def pass_time(self, second: cython.longlong) -> object:
        """All before this second is over: close the open bar if it has ended by then."""
        forming: Forming = self.forming
        self.done = max(self.done, second)
        if forming is not None and forming.end <= second:
            bar = forming.bar()
            self.forming, self.last = None, bar
            self.closed.append(bar)
        return None


def shifted(bar: Bar, gap: float) -> Bar:
    """A bar of the contract before, in the new one's terms."""
    return Bar(
        bar.start, bar.interval, moved(bar.open, gap), moved(bar.high, gap), moved(bar.low, gap),
        moved(bar.close, gap), bar.volume, bar.buy, bar.sell, bar.trades)
