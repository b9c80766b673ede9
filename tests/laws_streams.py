"""Streams for the tests of the laws: generated ones to which all sorts of things happen, and long fixed ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import databento_dbn as vendor
from hypothesis import assume
from hypothesis import strategies as st

from qmo_cli.blocks import MAPPING, SECOND, SIMULATOR, SYSTEM, Block
from qmo_cli.feeds.sim import SimOptions, simulate
from qmo_cli.market import stream
from qmo_cli.records import Account, Fill, Kill, News, Quote, System, from_dbn, to_dbn

from .laws import Setup
from .reference_records import describe
from .streams import SERIES, clock, mbo_records
from .streams_exchange import TICK
from .streams_poor import POOR, poor_records
from .support import START, blocks, definition, mapping, split

SHOWN = 120            # records of a failed case that are shown
NO_MARKET = (MAPPING, SYSTEM)
FIRST = 10             # instrument id of the first exchange; twice that takes over at a roll
FETCHED, LAST = 77, 99  # instrument ids of prices fetched elsewhere, and of an instrument without market records


class Case:
    """Records, the schema of their source as a whole, whether they are simulated, and how they came about."""

    def __init__(
        self, records: Sequence[bytes], schema: str | None = None, simulated: bool = False, story: str = "",
    ) -> None:
        self.records, self.schema, self.simulated, self.story = [*map(canonical, records)], schema, simulated, story

    def blocks(self, cuts: Sequence[int] = ()) -> list[Block]:
        """The records, cut before those with these indices."""
        return blocks(self.records, cuts, self.schema)

    def first(self, count: int) -> Case:
        """As much of it as there was earlier."""
        return Case(self.records[:count], self.schema, self.simulated, f"the first {count} of {self.story}")

    def __repr__(self) -> str:
        head = f"{self.story}: schema {self.schema}, simulated {self.simulated}, {len(self.records)} records"
        return "\n".join([head, *map(show, self.records[:SHOWN])])


def canonical(record: bytes) -> bytes:
    """The record with its text as qmo itself would write it."""
    return to_dbn(from_dbn(record, 0, {})) if record[1] == SYSTEM else record


def show(record: bytes) -> str:
    """A record in words, if the reference knows it."""
    try:
        return describe(record)
    except (KeyError, ValueError):
        return f"a record of type {record[1]}"


# --- what happens to a stream


def moment(record: bytes) -> int:
    """Time of a record, ns."""
    return int(stream.record_time(record, 0))


def last_moment(records: Sequence[bytes]) -> int:
    """Time of the newest record, ns."""
    return max(map(moment, records), default=START)


def renumbered(records: Sequence[bytes], old: int, new: int) -> list[bytes]:
    """The records with another instrument id in place of one."""
    ids = old.to_bytes(4, "little"), new.to_bytes(4, "little")
    return [record[:4] + ids[1] + record[8:] if record[4:8] == ids[0] else record for record in records]


def roll(records: list[bytes], at: int, ts: int) -> list[bytes]:
    """From here on the first series is another contract, with an id of its own."""
    if any(record[1] == MAPPING for record in records[at:]):
        return records
    named = mapping(SERIES[0], "GCQ6", instrument=2 * FIRST, ts_event=ts)
    return [*records[:at], named, *renumbered(records[at:], FIRST, 2 * FIRST)]


def rename(records: list[bytes], at: int, ts: int) -> list[bytes]:
    """From here on the first id is another contract of the same series."""
    if not any(map(is_first, records[:at])) or renumbered(records, 2 * FIRST, 0) != records:
        return records  # nobody named it before, or the series has left it
    return [*records[:at], mapping(SERIES[0], "GCQ6", instrument=FIRST, ts_event=ts), *records[at:]]


def before(*added: bytes) -> Callable[[list[bytes], int], list[bytes]]:
    return lambda records, at: [*records[:at], *added, *records[at:]]


def gap(records: list[bytes], at: int, ts: int) -> list[bytes]:
    """Records were lost."""
    return before(to_dbn(System(ts_event=str(ts), kind="gap", detail="lost", count=3)))(records, at)


def reconnect(records: list[bytes], at: int, ts: int) -> list[bytes]:
    """The connection was away."""
    return before(to_dbn(System(ts_event=str(ts), kind="reconnect")))(records, at)


def silence(records: list[bytes], at: int, ts: int) -> list[bytes]:
    """A clock, and nothing for some seconds."""
    return before(clock(ts), clock(ts + 60_000_000))(records, at)


def near(records: list[bytes], at: int) -> int:
    """Instrument id of the next market record; one that has none where the stream ends."""
    return next((int.from_bytes(one[4:8], "little") for one in records[at:] if one[1] not in NO_MARKET), LAST)


def define(records: list[bytes], at: int, ts: int) -> list[bytes]:
    """The contract's tick comes to be known."""
    return before(definition(SERIES[0], TICK, ts_event=ts, instrument=near(records, at)))(records, at)


def fetch(records: list[bytes], at: int, ts: int) -> list[bytes]:
    """A price fetched from elsewhere, of an instrument that nothing else comes from."""
    quote = Quote(
        ts_event=str(ts), instrument_id=FETCHED, price=2000.5, bid=None, ask=2000.7, quality="delayed", source="yahoo")
    return before(to_dbn(quote))(records, at)


def inform(records: list[bytes], at: int, ts: int) -> list[bytes]:
    """A halt and its end, news, the kill switch and its release, some of it late, and deals."""
    halts = [
        bytes(vendor.StatusMsg(1, near(records, at), ts + later, ts + later, is_trading=trading))
        for later, trading in ((0, vendor.TriState.NO), (20_000_000, vendor.TriState.YES))]
    news = News(ts_event=str(ts - SECOND), headline="Rates held", source="wire", series=SERIES[0])
    own = (news, Kill(ts_event=str(ts)), Kill(ts_event=str(ts + 20_000_000), active=False, detail="by hand"))
    return deal(before(*halts, *map(to_dbn, own))(records, at), at, ts)


def deal(records: list[bytes], at: int, ts: int) -> list[bytes]:
    """The trader's account, a fill that opens a position and one that closes half of it at a loss."""
    bought = Fill(ts_event=str(ts), side="B", price=2000.5, size=2, fees=2.5)
    sold = Fill(ts_event=str(ts + 10_000_000), side="A", price=1999.9, size=1, order_id="7", symbol="MGC")
    return before(to_dbn(Account(ts_event=str(ts), balance=50_000.0)), to_dbn(bought), to_dbn(sold))(records, at)


def nameless(records: list[bytes], at: int, ts: int) -> list[bytes]:
    """Nobody says what the ids stand for."""
    return [record for record in records if record[1] != MAPPING]


def strange(records: list[bytes], at: int, ts: int) -> list[bytes]:
    """A series whose contract nobody knows: no tick, no point value."""
    return [mapping("XQ.v.0", "", instrument=FIRST) if is_first(record) else record for record in records]


def is_first(record: bytes) -> bool:
    return record[1] == MAPPING and record[4] == FIRST


HAPPENINGS: tuple[Callable[[list[bytes], int, int], list[bytes]], ...] = (
    silence, gap, reconnect, roll, rename, define, fetch, inform, nameless, strange,
)


def named_late(records: Sequence[bytes]) -> list[bytes]:
    """The records with each mapping directly ahead of the first record that it names, as lines of JSON have it."""
    found, held = list[bytes](), dict[bytes, bytes]()
    for record in records:
        if record[1] == MAPPING:
            held[record[4:8]] = record
            continue
        if record[1] != SYSTEM and record[4:8] in held:
            found.append(held.pop(record[4:8]))
        found.append(record)
    return found


def as_simulated(records: Sequence[bytes]) -> list[bytes]:
    """The records as the simulator would number them; its messages about the stream have no publisher."""
    publisher = SIMULATOR.to_bytes(2, "little")
    return [record if record[1] in (SYSTEM, MAPPING) else record[:2] + publisher + record[4:] for record in records]


# --- generated


@st.composite
def drives(draw: st.DrawFn, most: int) -> bytes:
    """What decides a stream: bytes that shrink well, or noise that goes on for long."""
    if draw(st.booleans()):
        return draw(st.binary(min_size=40, max_size=min(most, 1000)))
    return noise(draw(st.integers(0, 2**32)), 4 * draw(st.integers(10, most // 4)))


@st.composite
def cases(draw: st.DrawFn, most: int = 4000) -> Case:
    """Streams of every schema to which up to three things happen."""
    schemas, drive, instruments, clocks = (
        draw(st.none() | st.sampled_from(POOR)), draw(drives(most)), draw(st.integers(1, 3)), draw(st.booleans()))
    if schemas is None:
        start = draw(st.sampled_from(["snapshot", "clear", "middle"]))
        records = list(mbo_records(drive, instruments, start=start, clocks=clocks))
    else:
        records = list(poor_records(drive, schemas, min(2, instruments), clocks=clocks))
    story = [f"{schemas or start} of {instruments}"]
    for happening in draw(st.lists(st.sampled_from(HAPPENINGS), max_size=3, unique=True)):
        at = draw(st.integers(0, len(records)))
        records = happening(records, at, moment(records[at]) if at < len(records) else last_moment(records))
        story.append(f"{happening.__name__} at {at}")
    records, simulated = named_late(records), draw(st.booleans())
    assume(any(record[1] not in NO_MARKET for record in records))
    return Case(
        as_simulated(records) if simulated else records, "tbbo" if schemas == ("tbbo",) else None, simulated,
        ", ".join(story))


# --- long and fixed: past every warm-up


# 15 bars of a minute and their ATR within a quarter of an hour, zones whose width and reach depend on it, small
# buckets of volume, and swings that a tick or two end
SWINGS = {"bar": "10s", "k": 0.7}
SMALL = {
    "orderflow": {"vpin_bucket": 5, "vpin_buckets": 20}, "gann": SWINGS, "cycle": SWINGS,
    "volatility": {"window": 2, "history": 40},
}
MINUTES = Setup(settings={
    "bars": {"period": "1m", "atr_period": "1m"}, "iceberg": {"zone_atr": 2.0, "reach_atr": 10.0}, **SMALL})


def noise(seed: int, size: int) -> bytes:
    """Always the same bytes."""
    return random.Random(seed).randbytes(size)


def simulated(**options: Any) -> Case:
    """The simulator's market."""
    data = b"".join(block.data for block in simulate(SimOptions(**options)))
    return Case(split(data), simulated=True)


def scripted(size: int) -> Case:
    """Three exchanges whose silences and storms a fixed noise decides."""
    return Case(mbo_records(noise(3, size), 3, clocks=True))


def poor(*schemas: str) -> Case:
    """Two instruments without orders; a record of ten levels takes more of the noise."""
    size = 300_000 if "mbp-10" in schemas else 100_000
    return Case(poor_records(noise(5, size), schemas, 2, clocks=True), "tbbo" if schemas == ("tbbo",) else None)


@cache
def long_case(name: str) -> tuple[Case, Setup]:
    """A stream of more than half an hour, and how to run it."""
    if name == "simulated":
        return simulated(minutes=60, rate=20, icebergs=0.004, synthetics=0.004, seed=1), MINUTES
    if name == "four hours":
        return (simulated(minutes=245, rate=2, icebergs=0.05, synthetics=0.02, seed=2),
                Setup(every="10s", settings=SMALL))
    return scripted(240_000) if name == "scripted" else poor(*name.split("+")), MINUTES.at("5s")


def with_clocks(records: Sequence[bytes], every: int = SECOND) -> list[bytes]:
    """A clock at each whole second: so a frame ends there whatever its length."""
    found: list[bytes] = []
    due = 0
    for record in records:
        ts = 0 if record[1] == MAPPING else moment(record)  # a mapping may be older than what it names
        due = due or ts // every * every
        while ts >= due > 0:
            found.append(clock(due))
            due += every
        found.append(record)
    return found


def told(kind: Any, ts: int | None) -> bytes:
    """What a live source says of its stream."""
    return to_dbn(System(ts_event=None if ts is None else str(ts), kind=kind, detail="told by hand"))


@cache
def eventful(labelled: bool = False, size: int = 9000) -> Case:
    """History, then now, broken in each way, some of them more than once."""
    records = named_late(mbo_records(noise(31, size), 2, clocks=True))
    kinds = ("live", "stale", "reconnect", "stale", "gap", "stale", "roll", "live", "reconnect")
    cuts = [len(records) * number // 12 for number in range(3, 13)]
    found = [told("warmup", None), *records[:cuts[0]]]
    for kind, low, high in zip(kinds, cuts, cuts[1:], strict=False):
        found += [told(kind, last_moment(found)), *records[low:high]]
    return Case(as_simulated(found) if labelled else found, simulated=labelled)
