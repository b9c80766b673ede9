"""One subscription's records: the source from its beginning, picked, derived, cut where the client begins."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from struct import Struct

from ..blocks import BBO_1M, BBO_1S, MAPPING, MBP_1, UNDEF_TIME, Block
from ..feeds.derive import Derivation
from ..market import stream
from ..records.layout import SCHEMAS, layout, read_mapping
from .orders import Orders
from .shift import shifted
from .symbols import Name, belongs

_MAPPINGS = bytes(rtype == MAPPING for rtype in range(256))
PART = 128 * 56                # bytes of MBO that are derived at a time: others wait meanwhile
NEVER = 2**63                  # ns
NO_LIMIT = -1


@dataclass(slots=True)
class Wanted:
    """Which records a subscription is about."""

    schema: str
    native: bool                                          # the source has the schema itself
    ids: list[int] = field(default_factory=list)          # of the symbols that mean an instrument
    parents: tuple[str, ...] = ()                         # whose instruments may still come
    everything: bool = False                              # ALL_SYMBOLS
    begin: int = 0                                        # ns: nothing of before is sent, but for a replay
    start: int | None = None                              # ns: replay from this ts_event on
    snapshot: bool = False                                # begin with the book as it is then


@dataclass(slots=True)
class Line:
    """The records of one subscription, piece by piece. ``head`` is the time of the next record, if one is known.

    ``floor``: the source was looked through up to here. A line of few records, such as bars, can be far from the next
    one; the others need not wait until it is found, only until it is known that it is later than theirs.

    All times are the source's; the records that are taken out are moved by ``shift``.
    """

    wanted: Wanted
    blocks: Iterable[Block]
    shift: int = 0
    joining: bool = False                                 # while it looks for its beginning, others do not wait
    head: int | None = None
    floor: int = 0                                        # ns: what is not yet at hand is not earlier
    sent: int = 0                                         # ns, time of the newest record that was taken out
    ended: bool = False
    names: dict[int, Name] = field(default_factory=dict)  # not yet told
    _ids: array[int] | None = None
    _data: bytes = b""
    _at: int = 0
    _pieces: Iterator[bytes] = field(init=False)

    def __post_init__(self) -> None:
        wanted = self.wanted
        self._ids = None if wanted.everything else array("I", wanted.ids)
        picked = self._picked()
        if not wanted.native:
            picked = self._derived(picked)
        self._pieces = self._begun(picked)

    def step(self) -> None:
        """Go on by one piece of the source; sets ``head`` or ``ended``, or neither where the piece has nothing."""
        data = next(self._pieces, None)
        if data is None:
            self.ended, self.joining = True, False
        elif data:
            self.joining = False
            self._data, self._at = data, 0
            self.head = stream.record_time(data, 0) - self.shift

    @property
    def next(self) -> int:
        """Nothing earlier than this (ns) will come."""
        if self.head is not None:
            return self.head
        return NEVER if self.ended else self.floor

    def take(self, until: int, limit: int) -> bytes:
        """The records before a time (ns) that are at hand, ``head`` among them in any case; about ``limit`` bytes."""
        data, at = self._data, self._at
        size = 4 * data[at]
        stop = max(stream.first_from(data, at, until + self.shift, False), at + size)
        if stop - at > limit:                             # a line's records have all one size
            stop = at + size * max(1, limit // size)
        self._at, self.sent = stop, stream.record_time(data, stop - size) - self.shift
        self.head = stream.record_time(data, stop) - self.shift if stop < len(data) else None
        return data[at:stop]

    def new_names(self) -> dict[int, Name]:
        """Instruments that turned up and that the client has not been told of."""
        names, self.names = self.names, {}
        return names

    def skip_to(self, ts: int) -> None:
        """Forget what is at hand of before a time (ns)."""
        while self.head is not None and self.head < ts:
            self.take(ts, len(self._data))

    def _picked(self) -> Iterator[bytes]:
        """The records of the instruments and of the schema, or of mbo where it is derived; times moved."""
        for block in self.blocks:
            rtypes, pieces, at, data = self._rtypes(block), [], 0, block.data
            while at < len(data):
                if data[at + 1] == MAPPING:
                    stop = stream.same(data, at)
                    self._follow(data, at, stop)
                else:
                    stop = stream.first_of(data, at, _MAPPINGS)
                    kept, _, _ = stream.select(data[at:stop], rtypes, self._ids, 0, UNDEF_TIME, NO_LIMIT)
                    pieces.append(kept)
                at = stop
            if self.wanted.native:
                self.floor = max(self.floor, last_time(data))
            yield shifted(b"".join(pieces), self.shift)

    def _rtypes(self, block: Block) -> bytes:
        """One byte per rtype: whether its records are wanted."""
        schema = self.wanted.schema if self.wanted.native else "mbo"
        rtype = layout(schema).rtype
        if rtype == MBP_1 and schema != ("tbbo" if block.schema == "tbbo" else "mbp-1"):
            return bytes(256)
        return bytes(each == rtype for each in range(256))

    def _follow(self, data: bytes, at: int, stop: int) -> None:
        """Let instruments in that are only now heard of."""
        while at < stop:
            number, series, symbol = read_mapping(data, at)
            wanted = self.wanted
            asked = [symbol or series] if wanted.everything else []
            asked += [parent for parent in wanted.parents if belongs((series, symbol), parent)]
            if asked and number not in wanted.ids:
                wanted.ids.append(number)
                self.names[number] = asked[0], symbol
                if self._ids is not None:
                    self._ids.append(number)
            at += 4 * data[at]

    def _derived(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        derivation = Derivation(self.wanted.schema)
        for data in pieces:
            for at in range(0, len(data), PART):
                part = data[at:at + PART]
                self.floor = max(self.floor, last_time(part) - self.shift)
                yield derivation.take(part)
        yield derivation.finish()

    def _begun(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces from where the client begins."""
        wanted, shift = self.wanted, self.shift
        begin = wanted.begin + shift
        orders, replay = (Orders() if wanted.snapshot else None), wanted.start is not None
        for data in pieces:
            stop = stream.first_from(data, 0, begin, False)
            if orders is not None:
                orders.take(data[:stop])
            if replay and stop:
                yield since(data[:stop], (wanted.start or 0) + shift)
            if stop == len(data):
                yield b""
                continue
            if orders is not None:
                yield orders.snapshot(wanted.ids, begin)
            yield data[stop:]
            break
        else:
            if orders is not None:
                yield orders.snapshot(wanted.ids, begin)
            return
        yield from pieces


def last_time(data: bytes) -> int:
    """Time (ns) of the last of some records of market data; 0 without any."""
    at, last = 0, 0
    while at < len(data):
        stop = stream.same(data, at)
        if data[at + 1] in SCHEMAS:
            last = int(stream.record_time(data, stop - 4 * data[at]))
        at = stop
    return last


def since(data: bytes, ts: int) -> bytes:
    """The records with ts_event (of a bbo ts_recv) at or after a time."""
    pieces, at = [], 0
    while at < len(data):
        stop, size = stream.same(data, at), 4 * data[at]
        offset = 32 if data[at + 1] in (BBO_1S, BBO_1M) else 8
        times = [when for (when,) in Struct(f"<{offset}xQ{size - offset - 8}x").iter_unpack(data[at:stop])]
        if min(times) >= ts:
            pieces.append(data[at:stop])
        elif max(times) >= ts:
            pieces += [data[at + size * index:at + size * index + size]
                       for index, when in enumerate(times) if when >= ts]
        at = stop
    return b"".join(pieces)
