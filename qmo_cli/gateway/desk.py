"""Where one session's subscriptions become lines of records, or are refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..records.layout import mapping_bytes
from .connection import Connection
from .line import Line, Wanted
from .messages import ACKNOWLEDGED, AGED_OUT, SUBSCRIPTION, SYMBOL, TEXTS
from .subscription import Refused, Subscription
from .symbols import ALL, Directory, Name

if TYPE_CHECKING:
    from .server import Gateway

HOUR = 3_600_000_000_000        # ns
KEPT = 24                       # hours that can be replayed
WEEK = 168                      # of these the vendor keeps the trading week
STATEFUL = frozenset({"mbo", "definition"})
MOST = 200                      # subscriptions of one session: each reads the source by itself
UNNAMED: Name = ("", None)


@dataclass(slots=True)
class Desk:
    """Opens lines."""

    gateway: Gateway
    connection: Connection
    first: bool = False                                    # market time begins with this session
    late: bool = False                                     # records flow already
    lines: list[Line] = field(default_factory=list)
    opened: int = 0

    async def open(self, asked: Subscription) -> None:
        """Open the line of a subscription and tell the client. Raises Refused."""
        if self.opened == MOST:
            raise Refused(SUBSCRIPTION, f"More than {MOST} subscriptions in one session")
        wanted = self.wanted(asked)
        unknown, names = resolve(asked, wanted, await self.gateway.as_of(self.gateway.clock.now()))
        self.opened += 1
        number = self.opened if asked.number is None else asked.number
        self.connection.tell(ACKNOWLEDGED, f"Subscription request {number} for {asked.schema} data succeeded")
        for index, symbol in enumerate(unknown, 1):
            text = f"{TEXTS[SYMBOL]} {symbol[:200]!r} in {asked.stype}"
            self.connection.fail(SYMBOL, text, last=index == len(unknown))
        self.name(names)
        if wanted.ids or wanted.parents or wanted.everything:
            self.lines.append(Line(wanted, self.gateway.make_blocks(), self.gateway.clock.shift, joining=self.late))

    def name(self, names: dict[int, Name]) -> None:
        """Tell the client what instruments are called."""
        ts = self.gateway.clock.shown
        for number, (series, symbol) in names.items():
            self.connection.put(mapping_bytes(number, series, symbol, ts))

    def wanted(self, asked: Subscription) -> Wanted:
        """What is asked for, but for the instruments. Raises Refused."""
        contents = self.gateway.contents
        if asked.schema in self.gateway.options.unentitled or not contents.offers(asked.schema):
            raise Refused(SUBSCRIPTION, f"Not authorized for {asked.schema} schema")
        self.first = self.gateway.clock.begin() or self.first
        return Wanted(asked.schema, contents.has(asked.schema), begin=self.begin(asked), start=self.start(asked),
                      snapshot=asked.snapshot)

    def begin(self, asked: Subscription) -> int:
        """Time (ns) from which on records are live; what was before comes only by a replay."""
        clock = self.gateway.clock
        if self.first and not self.late:
            whole = not self.gateway.options.history and not asked.snapshot
            return 0 if whole else clock.origin + 1
        return clock.now() + (0 if clock.speed else 1)

    def start(self, asked: Subscription) -> int | None:
        """The ts_event (ns, the source's time) from which on is replayed. Raises Refused."""
        if asked.start is None:
            return None
        if self.late:
            raise Refused(SUBSCRIPTION, "Intraday replay is not available once the session has started")
        clock, limit = self.gateway.clock, self.gateway.options.replay_limit
        hours = limit or (WEEK if asked.schema in STATEFUL else KEPT)
        oldest = max(clock.now() - int(hours * HOUR), 0)
        start = asked.start - clock.shift
        if asked.start and start < oldest:
            raise Refused(AGED_OUT, f"{TEXTS[AGED_OUT]}: start must be later, or 0")
        return max(start, oldest)


def resolve(asked: Subscription, wanted: Wanted, directory: Directory) -> tuple[list[str], dict[int, Name]]:
    """Fill in the instruments; the symbols that nobody knows, and what to call the others."""
    if ALL in asked.symbols:
        wanted.everything, wanted.ids = True, list(directory.names)
        return [], {number: (symbol or series, symbol) for number, (series, symbol) in directory.names.items()}
    unknown: list[str] = []
    names: dict[int, Name] = {}
    for symbol in asked.symbols:
        found = directory.find(symbol, asked.stype)
        names |= {number: (symbol, directory.names.get(number, UNNAMED)[1]) for number in found}
        unknown += [] if found else [symbol]
    wanted.ids = list(names)
    if asked.stype == "parent":
        wanted.parents = tuple(symbol for symbol in asked.symbols if symbol not in unknown)
    return unknown, names
