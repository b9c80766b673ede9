# cython: language_level=3, auto_pickle=False
"""What bars are made of, and the bar under construction."""

from __future__ import annotations

import cython

from qmo_cli.engines.bars.bar import Bar
from qmo_cli.engines.rolls import moved
from qmo_cli.packets import BarInput, Inputs, Second
from qmo_cli.times import SECOND
from qmo_cli.tray import Packet

MOST = 9e9          # points: DBN's undefined price is 9.2e9
NEVER = 2**63 - 1   # ns


@cython.ccall
@cython.exceptval(-1, check=True)
def second_of(row: Second | BarInput) -> cython.longlong:
    """The second in which a row begins."""
    return row.second if isinstance(row, Second) else int(row.ts) // SECOND


@cython.final
@cython.cclass
class Forming:
    """The bar under construction over [start, end), s. ``sided`` unless it is made of bars, which do not tell who was
    aggressive.
    """

    def __init__(self, start: int, end: int, open_: float, sided: bool) -> None:
        self.start, self.end, self.sided, self.text = start, end, sided, str(start * SECOND)
        self.open = self.high = self.low = self.close = open_
        self.volume = self.buy = self.sell = self.trades = 0

    @cython.ccall
    def take_second(self, row: Second) -> object:
        """Add a second of trades."""
        self.take(row.high, row.low, row.close)
        buy: cython.longlong = row.buy
        sell: cython.longlong = row.sell
        none: cython.longlong = row.none
        self.buy += buy
        self.sell += sell
        self.volume += buy + sell + none
        self.trades += row.trades
        return None

    @cython.ccall
    def take_bar(self, row: BarInput) -> object:
        """Add a shorter bar; from then on nobody knows all sides."""
        self.take(row.high, row.low, row.close)
        self.volume += row.volume
        self.sided = False
        return None

    @cython.cfunc
    def take(self, high: cython.double, low: cython.double, close: cython.double) -> object:
        self.high, self.low, self.close = max(self.high, high), min(self.low, low), close
        return None

    @cython.ccall
    def reach(self, end: cython.longlong) -> object:
        """It lasts at least until there."""
        self.end = max(self.end, end)
        return None

    @cython.ccall
    def move(self, gap: cython.double) -> object:
        """What it holds is of the contract before: in the new one's terms."""
        self.open, self.high = moved(self.open, gap), moved(self.high, gap)
        self.low, self.close = moved(self.low, gap), moved(self.close, gap)
        return None

    @cython.ccall
    def bar(self) -> object:
        """The bar as the wire has it."""
        sided: cython.bint = self.sided
        return Bar(
            self.text, self.end - self.start, self.open, self.high, self.low, self.close, self.volume,
            self.buy if sided else None, self.sell if sided else None, self.trades if sided else None,
        )


@cython.final
@cython.cclass
class Pieces:
    """What bars are made of: a packet's seconds of trades where it has trades, else its ready-made bars.

    Of ready-made bars only the shortest length seen counts: the others tell of the same trades. One that cannot be
    right is left out, counted in ``rejected``, and ``reason`` says why. ``ready``: the newest came ready-made.
    ``traded``: there were trades, so that ready-made bars tell nothing more. ``newest``: ns, end of the newest of them.
    """

    def __init__(self) -> None:
        self.seen, self.grain, self.ready, self.rejected, self.reason, self.newest = False, 0, False, 0, None, -1
        self.traded = False

    @cython.ccall
    def of(self, packet: Packet) -> list:
        """The packet's rows."""
        inputs: Inputs = packet.read("inputs", Inputs)
        trades, bars = inputs.trades, inputs.bars
        if trades is None:
            self.ready = True
            return [] if bars is None else self.sound(bars)
        self.seen, self.ready = True, False
        if self.traded:
            return trades.seconds
        self.traded = bool(trades.seconds)
        return trades.seconds if bars is None else self.history(bars, trades.seconds)

    @cython.cfunc
    def history(self, bars: list, seconds: list) -> list:
        """Bars that end before the first trade of all, and then the trades."""
        first = seconds[0].second * SECOND if seconds else NEVER
        ended = [row for row in bars if int(row.ts) + row.interval * SECOND <= first]
        return [*(self.sound(ended) if ended else []), *seconds]

    @cython.cfunc
    def sound(self, rows: list) -> list:
        shortest: cython.longlong = min([row.interval for row in rows])
        if not self.seen or self.grain == 0 or shortest < self.grain:
            self.grain = shortest
        self.seen = True
        found = []
        for row in rows:
            if row.interval != self.grain:
                continue
            wrong = self.wrong(row)
            if wrong is None:
                self.newest = int(row.ts) + row.interval * SECOND
                found.append(row)
            else:
                self.rejected += 1
                self.reason = wrong
        return found

    @cython.ccall
    def wrong(self, row: BarInput) -> object:
        """Why a ready-made bar cannot be right; None when it can. A comparison with NaN is never true."""
        low, high = row.low, row.high
        if not (-MOST < low < MOST and -MOST < high < MOST and -MOST < row.open < MOST and -MOST < row.close < MOST):
            return "a price is not a number"
        if low > high:
            return "high below low"
        if not (low <= row.open <= high and low <= row.close <= high):
            return "open or close outside low to high"
        if row.volume <= 0:
            return "no volume"
        if int(row.ts) < self.newest:
            same = int(row.ts) + row.interval * SECOND == self.newest
            return "the same time twice" if same else "begins before the bar before it ends"
        return None
