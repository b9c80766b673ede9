"""The whole picture: which parts stand where, for any size of a terminal."""

from __future__ import annotations

from dataclasses import dataclass

from ..board.frame import Frame, History
from .chart import chart, room_for_candles
from .events import events, zones
from .flow import flow
from .header import banner, header
from .look import Look
from .pillars import compact, pillars
from .text import EMPTY, Line, Span, beside, clip, line, rendered, spread, wrapped
from .verdict import against, rationale, verdict

SMALLEST = (20, 5)       # columns and rows below which nothing useful can be said
WIDE = 118               # columns from which on words stand beside the chart
TABLE = (72, 21)         # columns and rows from which on every pillar has its own line
KEYS = ("q quit  s step  tab series  space pause  ? help", "q quit  space pause  ? help", "q quit  ? help", "? help")
HELP = (
    ("q", "quit"),
    ("s", "next length of a candle: 15 s, 1 min, 5 min"),
    ("tab", "next series, where there are several; shift-tab the one before"),
    ("space", "hold the picture still, and go on"),
    ("?", "this page; any key goes back"),
    ("", ""),
    ("B", "bids, buyers, up: blue. A zone of bids is support"),
    ("A", "asks, sellers, down: orange. A zone of asks is resistance"),
    ("ice abs mem", "zones: iceberg, absorption, remembered; then the price and strength 0-10"),
    ("arrow x s g", "in the chart: signal, its end, sweep, liquidity grab"),
    ("SIG SWP ICE STP GRB", "events: signal, sweep, iceberg found, stop run, liquidity grab"),
    ("w.25 +0.010", "weight of a pillar, and what it adds to the total"),
    ("S<.25 B>.75", "totals beyond these are a signal"),
    ("!", "what speaks against a trade"),
)


@dataclass(frozen=True, slots=True)
class View:
    """What the person at the keyboard chose."""

    keys: bool = False               # whether there is a keyboard
    help: bool = False
    paused: str | None = None        # the time at which the picture stands still


def lines(
    frame: Frame, history: History | None, width: int, height: int, look: Look, view: View | None = None,
) -> list[str]:
    """The picture as ``height`` lines of text of at most ``width`` columns.

    ``history`` holds the candles of the step to be drawn. The same arguments give the same lines.
    """
    picture = Picture(frame, history, width, height, look, view or View())
    rows = picture.rows()[:height]
    rows += [EMPTY] * (height - len(rows))
    return [rendered(row, width, look) for row in rows]


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of one size."""

    frame: Frame
    history: History | None
    width: int
    height: int
    look: Look
    view: View

    def rows(self) -> list[Line]:
        """All rows, from the top."""
        if self.width < SMALLEST[0] or self.height < SMALLEST[1]:
            return [line(Span("too small", "alarm"))]
        top = [*header(self.frame, self.history, self.width, self.look),
               banner(self.frame, self.width, self.look, self.view.paused)]
        foot = [self.foot()] if self.height >= 12 else []
        room = self.height - len(top) - len(foot)
        body = self.help(room) if self.view.help else self.body(room)
        return [*top, *(body + [EMPTY] * room)[:room], *foot]

    def body(self, room: int) -> list[Line]:
        """What stands between the top and the last row."""
        if self.frame.ts is None:
            return self.help(room) if self.view.keys else []
        if self.frame.market is None:
            return self.bare(room)
        if self.width >= WIDE and room >= TABLE[1] - 4:
            return self.wide(room)
        if self.width >= TABLE[0] and self.height >= TABLE[1]:
            return self.usual(room)
        return self.small(room)

    def bare(self, room: int) -> list[Line]:
        """A signal alone: nothing of the market came with it."""
        said = [*verdict(self.frame, self.width, self.look), EMPTY]
        return [*said, *self.words(self.width, room - len(said))]

    def small(self, room: int) -> list[Line]:
        """The decision and all pillars in a few lines, the chart where there is room, then words."""
        said = [*verdict(self.frame, self.width, self.look), compact(self.frame, self.width)]
        left = room - len(said)
        drawn = self.drawn(self.width, left - 2, flows=left >= 9) if left >= 5 else []
        return [*said, *drawn, *self.words(self.width, left - len(drawn))]

    def usual(self, room: int) -> list[Line]:
        """The chart over the whole width, below it pillars beside the decision, then words and events."""
        left = self.width // 2 - 1
        right = self.width - left - 2
        bars, said = pillars(self.frame, left, self.look), verdict(self.frame, right, self.look)
        below = 4 + max((room - 20) * 2 // 5, 0)
        table = beside(bars, self.cut([*said, *self.against(right, len(bars) - len(said))], right), left)
        drawn = self.drawn(self.width, room - len(table) - below, flows=True)
        return [*drawn, *table, *self.words(self.width, below, against=False)]

    def wide(self, room: int) -> list[Line]:
        """Chart and pillars at the left, the decision, its reasons, zones and events at the right."""
        left = max(self.width * 3 // 5, 70)
        right, bars = self.width - left - 2, pillars(self.frame, left, self.look)
        drawn = self.drawn(left, room - len(bars), flows=True)
        said = [*verdict(self.frame, right, self.look), EMPTY]
        said += [*self.against(right, 4), *self.rationale(right, room // 3)]
        happened = events(self.frame, self.look)
        rest = room - len(said) - 3
        standing = zones(self.frame, max(rest - len(happened), rest // 2), self.look)
        said += self.titled("zones that stand, strength 0-10", standing, right)
        said += self.titled("events", happened, right)
        return beside([*drawn, *bars], self.cut(said[:room], right), left)

    def words(self, width: int, room: int, *, against: bool = True) -> list[Line]:
        """Why not, what the engines saw, and events, each with a share of so many rows."""
        happened = events(self.frame, self.look)
        share = max(room - len(happened), (room + 1) // 2)
        why = self.against(width, share) if against else []
        return [*why, *self.rationale(width, share - len(why)), *happened][:max(room, 0)]

    def against(self, width: int, room: int) -> list[Line]:
        """What speaks against a trade."""
        return against(self.frame, width, room, self.look)

    def rationale(self, width: int, room: int) -> list[Line]:
        """What the engines saw."""
        return rationale(self.frame, width, max(room, 0), self.look)

    def cut(self, rows: list[Line], width: int) -> list[Line]:
        """Rows of a column; where one is cut it shows."""
        return [clip(row, width, self.look.glyphs.more) for row in rows]

    def titled(self, title: str, rows: list[Line], width: int) -> list[Line]:
        """Rows under a rule with a title; nothing where there are none."""
        rule = self.look.glyphs.rule
        return [line(Span(f"{rule} {title} {rule * max(width - len(title) - 3, 0)}", "dim")), *rows] if rows else []

    def drawn(self, width: int, rows: int, *, flows: bool) -> list[Line]:
        """Candles, and under them delta and CVD."""
        candles = self.history.candles if self.history else []
        columns = room_for_candles(self.frame, self.history, width)
        below = flow(self.frame, candles, columns, width, self.look) if flows and rows > 4 else []
        return [*chart(self.frame, self.history, width, max(rows - len(below), 1), self.look), *below]

    def help(self, room: int) -> list[Line]:
        """What the keys do and what the letters mean."""
        widest = max(len(key) for key, _ in HELP)
        found = []
        for key, text in HELP:
            first, *rest = wrapped(text, self.width - widest - 2) or [EMPTY]
            found += [line(Span(f"{key:>{widest}}  ", "bold"), *first)]
            found += [line(" " * (widest + 2), *row) for row in rest]
        return found[:room]

    def foot(self) -> Line:
        """The keys, and what is looked at."""
        frame = self.frame
        step = f"{duration(self.history.step)} candles" if self.history else ""
        among = f"series {frame.all_series.index(frame.series) + 1} of {len(frame.all_series)}" if (
            frame.series in frame.all_series and len(frame.all_series) > 1) else ""
        cost = f"{frame.latency.packet_us:.0f} us/packet" if frame.latency and self.width >= TABLE[0] + 16 else ""
        right = "  ".join(part for part in (among, step, cost, f"#{frame.seq}") if part)
        room = self.width - len(right) - 2
        keys = next((keys for keys in KEYS if len(keys) <= room), "") if self.view.keys else ""
        return spread(line(Span(keys, "dim")), line(Span(right, "dim")), self.width)


def duration(seconds: int) -> str:
    """The length of a candle.

    >>> duration(15), duration(300)
    ('15 s', '5 min')
    """
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min"
