# cython: language_level=3, auto_pickle=False
"""Records in, packets out: every message goes where its schema and the access level let it go."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from msgspec import structs

from qmo_cli.blocks import (
    BBO_1S,
    DEFINITION,
    MAPPING,
    MBO,
    MBP_1,
    MBP_10,
    OHLCV_1D,
    OHLCV_1S,
    STATUS,
    SYSTEM,
    TRADES,
    Block,
)
from qmo_cli.errors import BadData, UsageError
from qmo_cli.facts import Facts
from qmo_cli.grade import Grade
from qmo_cli.instruments import Spec, is_outright, spec_from_definition, spec_of
from qmo_cli.market.reader import Reader
from qmo_cli.market.stream import count, first_of, same
from qmo_cli.packets import Notice, fixed
from qmo_cli.reasons import reasons
from qmo_cli.records import Quote, from_dbn, schema_at
from qmo_cli.records.layout import layout, read_mapping
from qmo_cli.times import duration
from qmo_cli.tray import Packet

ACCESS = ("l1", "l2", "l3")
BY_TIME, BY_TRADE, BY_COUNT = 0, 1, 2
LONG = 1_000_000_000  # ns, length of a frame of history ahead of a live stream: no reading depends on it
MARKET_TYPES = (TRADES, MBP_1, MBP_10, *range(OHLCV_1S, OHLCV_1D + 1), MBO, BBO_1S, BBO_1S + 1)
OTHER = bytes(rtype not in MARKET_TYPES for rtype in range(256))  # what the reader does not take


@dataclass(frozen=True, slots=True)
class RouteOptions:
    """How records become packets."""

    every: str = field(default="1s", metadata={
        "help": "Length of a frame: a duration of event time (50ms, 1s, 1m), `trade` for one frame per trade event, "
                "or a number of records."})
    access: str = field(default="l3", metadata={
        "help": "Cap what engines may see, as an entitlement would: l1 trades and quote, l2 depth, l3 orders."})
    refill_window: str = field(default="50ms", metadata={
        "help": "An order added this soon after a complete fill at its price counts as a possible refill."})
    sweep_window: str = field(default="50ms", metadata={"help": "Time within which a sweep goes through its levels."})
    sweep_levels: int = field(default=3, metadata={"help": "Levels that make a sweep."})
    near_ticks: int = field(default=5, metadata={"help": "Reach from the touch, in ticks, of pulls and stacks."})
    prints: int = field(default=16, metadata={"help": "Largest prints kept in a packet."})
    tick: float | None = field(default=None, metadata={"help": "Price step of the contract, where it is not known."})
    point_value: float | None = field(default=None, metadata={"help": "Money per point and contract, likewise."})
    skip_bad: bool = field(default=False, metadata={"help": "Skip bad records, count them and say so in the stream."})

    def level(self) -> int:
        """The access level as a number. Raises UsageError for options that make no sense."""
        for name in ("tick", "point_value"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise UsageError(f"{name.replace('_', '-')} {value:g} is not a positive number")
        if self.access not in ACCESS:
            raise UsageError(f"access {self.access!r} is none of {', '.join(ACCESS)}")
        return ACCESS.index(self.access) + 1

    def frame(self) -> tuple[int, int]:
        """The frame's mode and length, in ns or records."""
        if self.every == "trade":
            return BY_TRADE, 1
        length = int(self.every) if self.every.isdigit() else duration(self.every)
        if length <= 0:
            raise UsageError(f"a frame of {self.every} holds nothing")
        return (BY_COUNT if self.every.isdigit() else BY_TIME), length


@dataclass(frozen=True, slots=True)
class Label:
    """What an instrument id stands for."""

    series: str
    symbol: str | None


class Router:
    """Frames and books of one input; feed it blocks in order, then ``finish``."""

    def __init__(self, options: RouteOptions | None = None) -> None:
        self.options = options or RouteOptions()
        self.mode, self.every = self.options.frame()
        self.level = self.options.level()
        self.reader = Reader(
            mode=self.mode, every=self.every, level=self.level, prints=self.options.prints,
            refill_window=duration(self.options.refill_window), sweep_window=duration(self.options.sweep_window),
            sweep_levels=self.options.sweep_levels, configure=self._configure,
        )
        self.names: dict[int, tuple[str, str | None]] = {}
        self.current: dict[str, int] = {}          # series -> the instrument id that it maps to
        self.rolled: set[int] = set()              # instruments that took over and have not traded yet
        self.last_trade: dict[str, float] = {}     # series -> last trade price
        self.specs: dict[int, Spec] = {}           # from definition records
        self.trading: dict[int, bool] = {}         # from status records
        self.notices: dict[int, list[Notice]] = {}
        self.facts = Facts()
        self.grade = Grade()
        self.early: list[Notice] = []              # notices from before any instrument was seen
        self.packets: list[Packet] = []            # ready to go
        self.counts: Counter[str] = Counter()
        self.counting = False

    def read(self, block: Block) -> list[Packet]:
        """Packets of the frames that this block closes. Raises BadData at a bad record, unless bad ones are skipped.

        What the frames before a bad record gave is not lost: it comes out of ``finish``.
        """
        data, at, size = block.data, 0, len(block.data)
        tbbo = block.schema == "tbbo"
        if self.counting:
            self._tally(block)
        while at < size:
            stop = first_of(data, at, OTHER)
            reached = self.reader.read(data, at, stop, tbbo) if stop > at else at
            self._take()
            if reached < stop:
                self._bad(block, reached)
                at = reached + 4 * data[reached]
                continue
            if stop < size:
                self._other(block, stop)
                self._take()
                stop += 4 * data[stop]
            at = stop
        return self._ready()

    def finish(self) -> list[Packet]:
        """Packets that a bad record kept back, and those of the frames that the end of the input left open."""
        self.reader.finish()
        self._take()
        for instrument_id in sorted(self.notices):
            self.reader.tell(instrument_id)
        self._take()
        return self._ready()

    # --- from rows to packets

    def _ready(self) -> list[Packet]:
        packets, self.packets = self.packets, []
        return packets

    def _take(self) -> None:
        rows = self.reader.closed
        if rows:
            self.reader.closed = []
            self.packets += [self._packet(*row) for row in rows]

    def _packet(
        self, end: int, instrument_id: int, closed: bool, label: Label, market: Any, health: Any, inputs: Any,
    ) -> Packet:
        system = self.notices.pop(instrument_id, []) if self.notices else []
        if instrument_id in self.rolled and market.open is not None:
            self.rolled.discard(instrument_id)
            system = [*system, *self._gap(end, label.series, market.open)]
        if market.close is not None:
            self.last_trade[label.series] = market.close
        if instrument_id in self.trading:
            health = structs.replace(health, trading=self.trading[instrument_id])
        return Packet(
            ts=end, series=label.series, symbol=label.symbol, instrument_id=instrument_id, closed=closed,
            price=market.price, missing=reasons(label.symbol, market, health, inputs, self.level),
            slots={"market": market, "health": health, "inputs": inputs, "system": system},
        )

    def _gap(self, end: int, series: str, first: float) -> list[Notice]:
        last = self.last_trade.get(series)
        if last is None:
            return []
        words = f"first trade of the new contract {first}, last of the old {last}"
        return [Notice("roll", str(end), words, None, (fixed(first) - fixed(last)) / 1e9)]

    # --- records that are not the reader's

    def _other(self, block: Block, at: int) -> None:
        rtype = block.data[at + 1]
        if rtype == MAPPING:
            self._map(*read_mapping(block.data, at))
        elif rtype == DEFINITION:
            self._define(from_dbn(block.data, at, self.names))
        elif rtype == STATUS:
            self._trading(from_dbn(block.data, at, self.names))
        elif rtype == SYSTEM:
            self._system(from_dbn(block.data, at, self.names))

    def _map(self, instrument_id: int, series: str, symbol: str | None) -> None:
        """Name an id. It takes effect with the id's next record, for only there do lines say so too."""
        self.names[instrument_id] = (series, symbol)
        instrument: Any = self.reader.instruments.get(instrument_id)
        if instrument is None or (instrument.label.series, instrument.label.symbol) != (series, symbol):
            self.reader.rename(instrument_id)

    def _configure(self, instrument: Any) -> bool:
        """Name a new instrument and tell its contract; spreads and options are left out."""
        instrument_id = instrument.instrument_id
        series, symbol = self.names.get(instrument_id, (str(instrument_id), None))
        if not is_outright(symbol or series):
            return False
        old = self.current.get(series)
        self.current[series] = instrument_id
        instrument.label = Label(series, symbol)
        instrument.quality = self.grade.now
        instrument.facts = self.facts.missed(series, symbol, instrument_id)
        self._specify(instrument)
        if self.early:
            self.notices[instrument_id], self.early = self.early, []
        if old not in (None, instrument_id) and self.reader.instruments.get(old) is not None:
            self._roll(series, old, instrument_id)
        return True

    def _roll(self, series: str, old: int, new: int) -> None:
        """The series leaves a contract for another: the old one's packet comes before the new one's."""
        self.reader.interrupt(self.reader.newest)
        self.reader.retire(old)
        words = f"{series} left instrument {old} for {new}; the gap is known at its first trade"
        self.notices.setdefault(new, []).append(Notice("roll", str(self.reader.newest), words, None, None))
        self.rolled.add(new)

    def _specify(self, instrument: Any) -> None:
        series, symbol = instrument.label.series, instrument.label.symbol
        spec = self.specs.get(instrument.instrument_id) or spec_of(symbol or series) or spec_of(series)
        tick, value = self.options.tick, self.options.point_value
        instrument.tick = tick if tick is not None else spec.tick if spec else None
        instrument.point_value = value if value is not None else spec.point_value if spec else None
        instrument.reach = -1 if instrument.tick is None else self.options.near_ticks * fixed(instrument.tick)

    def _define(self, definition: Any) -> None:
        self.specs[definition.instrument_id] = spec_from_definition(definition)
        instrument = self.reader.instruments.get(definition.instrument_id)
        if instrument is not None:
            self.reader.interrupt(self.reader.newest)  # no frame is half with the tick and half without
            self._specify(instrument)

    def _trading(self, status: Any) -> None:
        """Whether the venue lets an instrument trade. A halt and its end count from their own time on."""
        if status.is_trading not in ("Y", "N"):
            return
        trading, instrument_id = status.is_trading == "Y", status.instrument_id
        if self.trading.get(instrument_id, True) is not trading:
            self.reader.interrupt(int(status.ts_recv or status.ts_event))
            self._take()
        self.trading[instrument_id] = trading

    def _system(self, record: Any) -> None:
        kind = getattr(record, "kind", None)
        ts = int(record.ts_event) if record.ts_event else self.reader.newest
        if kind == "clock":
            self.reader.clock(ts)
        elif kind is not None:
            self._happened(kind, ts)
            self._notify(Notice(kind, record.ts_event, record.detail, record.count, None))
        elif isinstance(record, Quote):
            self._quote(record, ts)
        else:
            self._inform(record, ts)

    def _happened(self, kind: str, ts: int) -> None:
        """What befell the stream ends what is open. Where it is heard again and nothing is lost, nothing ends.

        A stream that is no longer heard says so at once, for every instrument.
        """
        if kind not in ("stale", "reconnect"):
            self.reader.interrupt(ts)
        if self.grade.happened(kind):
            present: list[Any] = [each for each in self.reader.instruments.values() if each is not None]
            for instrument in present:
                instrument.quality = self.grade.now
                instrument.source = instrument.source if kind == "stale" else None
        if kind == "stale":
            self.reader.pause(ts)
        if kind in ("warmup", "live") and self.mode == BY_TIME:
            self.reader.resize(max(self.every, LONG) if kind == "warmup" else self.every)

    def _inform(self, record: Any, ts: int) -> None:
        """Put news, a fill, an account or a kill switch into the packets that it concerns."""
        fact = self.facts.add(record, ts, self.reader.newest, self.names)
        present: list[Any] = [instrument for instrument in self.reader.instruments.values() if instrument is not None]
        wanted = [
            instrument.instrument_id for instrument in present
            if self.facts.offer(instrument.label.series, instrument.label.symbol, instrument.instrument_id)
        ]
        self.reader.inform(ts, wanted, fact)

    def _notify(self, notice: Notice) -> None:
        """Put a notice into the next packet of every instrument: those it closed are waiting to be taken."""
        wanted = [key for key, instrument in self.reader.instruments.items() if instrument is not None]
        if not wanted:
            self.early.append(notice)
        for instrument_id in wanted:
            self.notices.setdefault(instrument_id, []).append(notice)

    def _quote(self, quote: Any, ts: int) -> None:
        """A fetched price reads as a bbo record: a quote, a last price, no volume."""
        fields = (quote.price, 0, "N", 0, str(ts), 0, quote.bid, quote.ask, 0, 0, 0, 0)
        data = layout("bbo-1s").pack((quote.publisher_id, quote.instrument_id, ts), fields)
        self.reader.read(data, 0, len(data), False)
        instrument = self.reader.instruments.get(quote.instrument_id)
        if instrument is not None:
            instrument.quality, instrument.source = quote.quality, quote.source

    def _bad(self, block: Block, at: int) -> None:
        place = block.place(count(block.data, 0, at))
        if not self.options.skip_bad:
            raise BadData(f"{place}: {self.reader.fault}")
        self.counts["skipped"] += 1
        self._notify(Notice("skipped", str(self.reader.newest), f"{place}: {self.reader.fault}", 1, None))

    def _tally(self, block: Block) -> None:
        at = 0
        while at < len(block.data):
            end = same(block.data, at)
            self.counts[schema_at(block.data, at, block.schema) or f"type {block.data[at + 1]}"] += (
                (end - at) // (4 * block.data[at])
            )
            at = end
