"""What of the lines is worth telling: changes of the decision, trouble with the data, events of engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

import msgspec
from msgspec import Raw

from ..errors import BadData
from ..records import RECORD_TYPES
from .alert import Alert
from .origin import WARMUP, Customs, Origin
from .seen import (
    NULL,
    EventSeen,
    PacketSeen,
    SignalSeen,
    read_event,
    read_packet,
    read_reading,
    read_signal,
    schema_of,
)
from .trouble import Told, Trouble
from .wanted import DATA, DECISION, ENGINES, SYSTEM, Wanted
from .words import decided, fitted, happened, stamp

PIPE = "put `qmo run SOURCE`, or `qmo route | qmo engine all | qmo score | qmo signal`, before `qmo alert`"
BEGUN = {"reversed": "opened"}  # an episode begins once, whatever was before it
LONGEST_LINE = 1 << 16   # bytes of a line that go on to a command


class Waiting(NamedTuple):
    """Trouble that is told if it lasts: when its line came (ns, wall clock), and that line."""

    came: int
    seen: SignalSeen
    origin: Origin
    ts: int
    line: bytes


class Decided(NamedTuple):
    """The decision of a series that was told last."""

    type: str
    id: str | None
    ts: int


class WrongInput(BadData):
    """Input of a kind that is not for here."""


NOTHING = Decided("HOLD", None, 0)


@dataclass(slots=True)
class Judge:
    """Looks at lines, one after another. ``decided`` is what was told, by realm and series.

    ``live`` is whether a line of now was seen: from then on it is missed when none comes.
    """

    wanted: Wanted
    customs: Customs
    patience: int                                    # ns of event time before trouble is told
    now: Callable[[], int]
    decided: dict[str, Decided] = field(default_factory=dict)
    live: bool = False
    last: str = "-"                                  # series of the last line
    last_ts: int = 0
    _hushed: dict[str, str | None] = field(default_factory=dict)
    _troubles: dict[str, Trouble] = field(default_factory=dict)
    _waiting: dict[str, Waiting] = field(default_factory=dict)
    _engines: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._engines = tuple(name for name in ENGINES if self.wanted.any_of(name))

    def look(self, line: bytes) -> list[Alert]:
        """The alerts of a line. Raises BadData where it cannot be read."""
        schema = schema_of(line)
        try:
            if schema == "signal":
                return list(self._signal(read_signal(line), line))
            if schema == "packet":
                return list(self._packet(read_packet(line)))
            topic = (schema or "").removesuffix("-event")
            if topic in ENGINES and schema != topic:
                return list(self._lone_event(topic, read_event(line), line))
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
            raise BadData(f"this {schema} cannot be read: {error}") from error
        raise BadData(f"this is neither a signal nor a packet nor an event, but {schema or 'something else'}")

    def check(self, line: bytes) -> None:
        """Look at the first line of all. Raises WrongInput where the pipe was put together wrongly."""
        if not line.lstrip().startswith(b"{"):
            raise WrongInput(f"not lines of JSON; {PIPE}")
        schema = schema_of(line)
        if schema in RECORD_TYPES:
            raise WrongInput(f"these are records (schema {schema}); {PIPE}")
        about_signals = self.wanted.any_of(DECISION) or self.wanted.any_of(DATA)
        if schema == "packet" and about_signals and b'"signal":' not in line:
            raise WrongInput("this packet has no signal; put `qmo score | qmo signal --full` before `qmo alert`, or "
                             "choose with --on what packets without signals tell")

    @property
    def waits(self) -> bool:
        """Whether something is to be told if no line comes that says otherwise."""
        return bool(self._waiting)

    def overdue(self) -> list[Alert]:
        """Trouble that has lasted by the clock on the wall: a stream that is lost says so once, and then nothing."""
        now, found = self.now(), []
        for series, waiting in list(self._waiting.items()):
            if now - waiting.came >= self.patience:
                del self._waiting[series]
                told = self._troubles[series].tell()
                if self.wanted(DATA, told.kind):
                    found.append(self._alert(DATA, told, waiting.origin, waiting.seen, now, waiting.line))
        return found

    # --- packets

    def _packet(self, seen: PacketSeen) -> Iterator[Alert]:
        ts, market = int(seen.ts), seen.market
        origin = self._origin(market.quality, market.source, ts, seen.series)
        if market.quality == WARMUP:
            return
        if self.wanted.any_of(SYSTEM):
            for notice in seen.system:
                if self.wanted(SYSTEM, notice.kind):
                    told = Told(notice.kind, f"{notice.kind}-{notice.ts_event or ts}",
                                fitted(f"FEED {notice.kind}: {notice.detail}", 300))
                    yield self._alert(SYSTEM, told, origin, seen, ts, b"")
        for topic in self._engines:
            slot: Raw = getattr(seen, topic)
            if bytes(slot) != NULL:
                for event in read_reading(slot).events:
                    yield from self._event(topic, read_event(event), bytes(event), origin)
        if bytes(seen.signal) != NULL:
            line = bytes(seen.signal)
            yield from self._signal(read_signal(line), line, origin)

    def _origin(self, quality: str, source: str, ts: int, series: str) -> Origin:
        self.last, self.last_ts = series, ts
        return self.customs.judge(quality, source, ts, self.now())

    # --- events

    def _lone_event(self, topic: str, seen: EventSeen, line: bytes) -> Iterator[Alert]:
        """An event without its packet, which would say how good the data is."""
        yield from self._event(topic, seen, line, self._origin("", "", int(seen.ts_event), seen.series))

    def _event(self, topic: str, seen: EventSeen, line: bytes, origin: Origin) -> Iterator[Alert]:
        if self.wanted(topic, seen.kind):
            ts = int(seen.ts_event)
            name = blake2b(line.rstrip(), digest_size=8).hexdigest()
            yield self._alert(topic, Told(seen.kind, name, happened(topic, seen, ts)), origin, seen, ts, line,
                              stamped=True)

    # --- signals

    def _signal(self, seen: SignalSeen, line: bytes, origin: Origin | None = None) -> Iterator[Alert]:
        ts, context = int(seen.ts), seen.market_context
        if origin is None:
            origin = self._origin(context.quality, context.source, ts, seen.series)
        if context.quality == WARMUP:
            return
        self.live = self.live or (origin.realm == "live" and not origin.why)
        yield from self._trouble(seen, origin, ts, line)
        yield from self._decision(seen, origin, ts, line)

    def _trouble(self, seen: SignalSeen, origin: Origin, ts: int, line: bytes) -> Iterator[Alert]:
        trouble = self._troubles.get(seen.series)
        if trouble is None:
            trouble = self._troubles[seen.series] = Trouble(self.patience)
        told = [] if origin.why else trouble.look(seen.status, ts)
        if not trouble.waiting:
            self._waiting.pop(seen.series, None)
        elif seen.series not in self._waiting:
            self._waiting[seen.series] = Waiting(self.now(), seen, origin, ts, line)
        if self.live and not self.customs.replay:
            told += trouble.late(origin.behind, ts)
            origin = Origin("live", "", origin.quality) if origin.behind else origin
        for each in told:
            if self.wanted(DATA, each.kind):
                yield self._alert(DATA, each, origin, seen, ts, line)

    def _decision(self, seen: SignalSeen, origin: Origin, ts: int, line: bytes) -> Iterator[Alert]:
        if origin.why and self._ends_late(seen, origin, ts):
            late = Origin("live", "LATE", origin.quality)
            over = msgspec.structs.replace(seen, signal=msgspec.structs.replace(seen.signal, type="HOLD", id=None))
            yield from self._change(over, late, ts, line)
            return
        place = f"{origin.realm}|{seen.series}"
        if not origin.why:
            yield from self._change(seen, origin, ts, line)
        elif self._hushed.get(place) != seen.signal.id:
            before = Decided("", self._hushed.get(place), ts)
            self._hushed[place] = seen.signal.id
            yield from self._tell(seen, "closed" if seen.signal.id is None else "opened", before, origin, ts, line)

    def _ends_late(self, seen: SignalSeen, origin: Origin, ts: int) -> bool:
        """The end of what was told must be told even when the data is late by then; a new beginning must not."""
        before = self.decided.get(f"live|{seen.series}", NOTHING)
        over = before.id is not None and before.id != seen.signal.id
        return self.live and over and origin.behind > 0 and ts >= before.ts

    def _change(self, seen: SignalSeen, origin: Origin, ts: int, line: bytes) -> Iterator[Alert]:
        place = f"{origin.realm}|{seen.series}"
        known = place in self.decided
        before = self.decided.get(place, NOTHING)
        now = seen.signal.id
        if now == before.id and (known or seen.change is None):
            return
        self.decided[place] = Decided(seen.signal.type, now, ts)
        if now is None:
            yield from self._tell(seen, "closed", before if known else None, origin, ts, line)
        else:
            kind = "opened" if before.id is None else "reversed"
            yield from self._tell(seen, kind, before, origin, ts, line)

    def _tell(
        self, seen: SignalSeen, kind: str, before: Decided | None, origin: Origin, ts: int, line: bytes,
    ) -> Iterator[Alert]:
        if not self.wanted(DECISION, kind):
            return
        known = before is not None and before.id is not None
        name = seen.signal.id or (before.id if before is not None and before.id else f"before-{ts}")
        words = decided(seen, kind, before.type if before is not None and known else None, ts)
        yield self._alert(DECISION, Told(kind, name, words), origin, seen, ts, line, stamped=True)

    def _alert(
        self, topic: str, told: Told, origin: Origin, seen: SignalSeen | PacketSeen | EventSeen, ts: int, line: bytes,
        *, stamped: bool = False,
    ) -> Alert:
        decision = seen.signal.type if topic == DECISION and isinstance(seen, SignalSeen) else None
        price = seen.current_price if isinstance(seen, SignalSeen) else seen.price
        words = told.words if stamped else told.words + stamp(ts, seen.series)
        kept = "" if len(line) > LONGEST_LINE else line.decode("utf-8", "replace").strip()
        once = BEGUN.get(told.kind, told.kind) if topic == DECISION else told.kind
        return Alert(
            f"{origin.realm}|{seen.series}|{topic}|{once}|{told.id}", topic, told.kind, told.id, origin.realm,
            seen.series, seen.symbol, ts, decision, price, origin.quality, origin.label, words, kept, origin.why,
        )
