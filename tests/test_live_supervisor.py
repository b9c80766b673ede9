"""The supervisor with connections made by hand: what it asks for, says and gives when things go wrong in odd ways."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace

import databento_dbn as vendor
import pytest

from qmo_cli.blocks import F_LAST, F_SNAPSHOT, MAPPING, MBO, SECOND, SYSTEM, Block
from qmo_cli.errors import SourceUnavailable
from qmo_cli.feeds.live import supervisor
from qmo_cli.feeds.live.cursor import Cursor, seen
from qmo_cli.feeds.live.options import LiveOptions, Wanted
from qmo_cli.feeds.live.request import Lost, Refused, Request
from qmo_cli.feeds.live.supervisor import Live
from qmo_cli.records import from_dbn

from .support import START, mapping, mbo, ohlcv, split, trade

MS = 1_000_000
LIMIT = 10.0            # s, the longest that a stream of these tests may take
Script = Sequence[bytes | Exception | Callable[[], bytes]]


def order(at: int, *, last: bool = True, instrument: int = 1, flags: int = 0) -> bytes:
    ts = START + at * MS
    return mbo("A", "B", 2000.0, 1, at, ts_event=ts, ts_recv=ts, flags=flags | F_LAST * last, instrument=instrument)


def said(code: int, words: str = "") -> bytes:
    return bytes(vendor.SystemMsg(START, words, vendor.SystemCode.from_int(code)))


HEARTBEAT, REPLAYED = said(0, "Heartbeat"), said(3, "Finished")
NAMED = mapping("GC.v.0", "GCJ6", instrument=1, ts_event=START)


class Connections:
    """In place of sessions: what each reads, one piece a read; an exception ahead of all is raised by ``open``."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = iter(scripts)
        self.asked: list[Request] = []
        self.live: Live | None = None

    def __call__(self, request: Request, key: str, timeout: float) -> Connection:
        self.asked.append(request)
        return Connection(next(self.scripts, None), self)


class Connection:
    silence = 0.0

    def __init__(self, script: Script | None, owner: Connections) -> None:
        self.script, self.owner = list(script or ()), owner
        self.over = script is None

    def open(self) -> None:
        if self.over:
            self.stop()
        elif isinstance(self.script[0], Refused | Lost):
            raise self.script.pop(0)  # type: ignore[misc]

    def stop(self) -> None:
        assert self.owner.live is not None
        self.owner.live.stop()

    def read(self, timeout: float) -> bytes:
        if not self.script:
            self.stop()
            return b""
        piece = self.script.pop(0)
        if isinstance(piece, Exception):
            raise piece
        return piece() if callable(piece) else piece

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits take no time, though time passes by them; they are noted."""
    waits: list[float] = []
    later = time.monotonic
    clock = SimpleNamespace(monotonic=lambda: later() + sum(waits), time_ns=time.time_ns, sleep=time.sleep)
    monkeypatch.setattr(supervisor, "time", clock)
    monkeypatch.setattr(Live, "_pause", lambda _live, delay, _why: waits.append(delay))
    monkeypatch.setattr("qmo_cli.feeds.live.supervisor.random.uniform", lambda _low, _high: 1.0)
    return waits


def follow(
    monkeypatch: pytest.MonkeyPatch, *scripts: Script, schemas: tuple[str, ...] = ("mbo",),
    symbols: tuple[str, ...] = ("GC.v.0",), start: int | None = None,
) -> tuple[Connections, list[bytes]]:
    """The connections that were made, and the records that were given, clock marks left out."""
    connections = Connections(*scripts)
    monkeypatch.setattr(supervisor, "Session", connections)
    live = connections.live = Live("db-key", Wanted(schemas=schemas, symbols=symbols), LiveOptions(), start=start)
    return connections, [record for block in bounded(live) for record in split(block.data) if kind(record) != "clock"]


def bounded(live: Live) -> Iterator[Block]:
    until = time.monotonic() + LIMIT
    for block in live.blocks():
        assert time.monotonic() < until
        yield block


def kind(record: bytes) -> str:
    return str(getattr(from_dbn(record, 0, {}), "kind", "")) if record[1] == SYSTEM else ""


def kinds(records: Sequence[bytes]) -> list[str]:
    return [kind(record) for record in records if record[1] == SYSTEM]


def market(records: Sequence[bytes]) -> list[bytes]:
    return [record for record in records if record[1] not in (SYSTEM, MAPPING)]


def starts(request: Request) -> list[int | None]:
    return [wanted.start for wanted in request.subscriptions]


def test_an_event_without_an_end_does_not_hold_back_the_stream_for_long_while_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = list[bytes]()

    def busy(number: int) -> bytes:
        time.sleep(0.02)
        return order(number, instrument=2)

    reads = [lambda number=number: busy(number) for number in range(1, 15)]
    connections = Connections([order(0, last=False), *reads])
    monkeypatch.setattr(supervisor, "Session", connections)
    live = connections.live = Live("db-key", Wanted(schemas=("mbo",)), LiveOptions())
    for block in bounded(live):
        given += market(split(block.data))
        if given:
            break
    assert 4 <= len(given) <= 12, "after a tenth of a second, not at the end"


def test_a_record_that_comes_long_after_a_heartbeat_proved_silence_is_left_out_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter(100.0 + number for number in range(0, 4000, 2))
    monkeypatch.setattr("qmo_cli.feeds.live.supervisor.time.monotonic", lambda: next(clock))
    live = Live("db-key", Wanted(schemas=("mbo",)), LiveOptions())
    connections = Connections([order(0), quiet(1), quiet(1), order(500), order(100_000)])
    connections.live = live
    monkeypatch.setattr(supervisor, "Session", connections)
    given = [record for block in live.blocks() for record in split(block.data)]
    marks = [from_dbn(record, 0, {}) for record in given if kind(record) == "clock"]
    assert max(int(str(mark.ts_event)) for mark in marks) > START + 2 * SECOND
    assert market(given) == [order(0), order(100_000)]
    assert "skipped" in kinds(given)


def test_connections_may_fail_for_days(monkeypatch: pytest.MonkeyPatch, at_once: list[float]) -> None:
    script: Script = [order(0)]
    connections, given = follow(monkeypatch, [*script, Lost("gone")], *[[Lost("none")]] * 1100, [order(2), HEARTBEAT])
    assert market(given) == [order(0), order(2)]
    assert at_once[:4] == [0.25] * 4
    for number in range(6, 28):
        assert at_once[number] == pytest.approx(sum(at_once[:number]) / 4, rel=0.2), "a quarter of the outage so far"
    assert set(at_once[40:]) == {60.0}
    assert len(connections.asked) == 1102


def test_too_many_connections_are_waited_for_at_the_start_too(
    monkeypatch: pytest.MonkeyPatch, at_once: list[float],
) -> None:
    refused = Refused(3, "too many connections")
    _, given = follow(monkeypatch, [refused], [refused], [order(0)])
    assert market(given) == [order(0)]
    assert at_once == [60.0, 60.0]


def test_a_gateway_that_never_answers_is_given_up_after_a_quarter_of_a_minute(
    monkeypatch: pytest.MonkeyPatch, at_once: list[float],
) -> None:
    with pytest.raises(SourceUnavailable, match=r"given up after 1[5-9] s"):
        follow(monkeypatch, *[[Lost("none")]] * 99)
    assert 15 < sum(at_once) < 20


def test_a_break_is_gone_on_from_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    connections, given = follow(
        monkeypatch, [NAMED + order(0), order(5, last=False), Lost("gone")],
        [order(0) + order(5, last=False) + order(6) + REPLAYED])
    assert market(given) == [order(0), order(5, last=False), order(6)]
    assert kinds(given) == ["live", "stale", "reconnect", "end"]
    assert starts(connections.asked[1]) == [START - SECOND]
    assert not connections.asked[1].subscriptions[0].snapshot


def test_after_a_short_break_it_is_heard_again_when_a_record_says_so_and_not_the_clock_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = time.time_ns()
    first, second = [
        mbo("A", "B", 2000.0, 1, number, ts_event=now + number, ts_recv=now + number) for number in (1, 2)]
    _, given = follow(monkeypatch, [first, Lost("gone")], [said(1, "Subscribed"), first, first + second])
    told = [record for record in given if record == second or kind(record) == "reconnect"]
    assert [kind(record) for record in told] == ["", "reconnect"]


def test_what_came_ahead_of_damage_is_given_and_the_rest_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = order(1)[:38] + b"?" + order(1)[39:]
    _, given = follow(monkeypatch, [order(0) + damaged], [order(0) + order(1) + REPLAYED])
    assert market(given) == [order(0), order(1)]


def test_a_schema_of_which_nothing_came_is_asked_for_from_where_the_others_were_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = trade("B", 2000.0, 1, ts_event=START + 9 * MS, ts_recv=START + 9 * MS)
    connections, given = follow(
        monkeypatch, [order(0), Lost("gone")], [order(0) + first + REPLAYED + REPLAYED], schemas=("mbo", "trades"))
    assert starts(connections.asked[1]) == [START - SECOND, START - SECOND]
    assert market(given) == [order(0), first]
    assert kinds(given) == ["live", "stale", "reconnect", "end"]


def test_days_of_proven_silence_are_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The vendor refuses to replay what is older than a day; the break of a Sunday is no gap since Friday."""
    clock = iter(100.0 + 3_600 * number for number in range(1000))
    monkeypatch.setattr("qmo_cli.feeds.live.supervisor.time.monotonic", lambda: next(clock))
    weekend = 48
    connections = Connections(
        [order(0) + trade("B", 2000.0, 1, ts_event=START, ts_recv=START), *[quiet(hour) for hour in range(weekend)],
         Lost("gone")], [HEARTBEAT])
    monkeypatch.setattr(supervisor, "Session", connections)
    live = connections.live = Live("db-key", Wanted(schemas=("mbo", "trades"), symbols=("GCJ6",)), LiveOptions())
    list(live.blocks())
    found = starts(connections.asked[1])
    assert found[0] == found[1]
    assert found[0] is not None
    assert START + (weekend - 2) * 3_600 * SECOND < found[0] <= START + weekend * 3_600 * SECOND


def quiet(hour: int) -> bytes:
    """A heartbeat so many hours later."""
    return bytes(vendor.SystemMsg(START + hour * 3_600 * SECOND, "Heartbeat", vendor.SystemCode.from_int(0)))


def test_bars_are_asked_for_by_when_they_opened_however_long_ago() -> None:
    cursor = Cursor()
    cursor.advance([seen(ohlcv((1.0, 1.0, 1.0, 1.0), 1, ts_event=START, interval="1h"))])
    bars = Wanted(schemas=("ohlcv-1h", "trades"))
    found = bars.subscriptions(bars.schemas, cursor, None, START + 3_600 * SECOND)
    assert [wanted.start for wanted in found] == [START - SECOND, START + 3_599 * SECOND]


def test_where_nothing_came_before_a_break_nobody_says_that_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    connections, given = follow(monkeypatch, [HEARTBEAT, Lost("gone")], [HEARTBEAT], schemas=("tbbo",))
    assert starts(connections.asked[1]) == [None]
    assert kinds(given) == ["live", "stale", "gap", "end"]


def test_a_series_that_rolled_begins_with_a_snapshot_and_not_where_the_run_began(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = mapping("GC.v.0", "GCM6", instrument=2, ts_event=START)
    held = order(50, instrument=2, flags=F_SNAPSHOT)
    connections, given = follow(
        monkeypatch, [NAMED + order(0) + REPLAYED, Lost("gone")], [other + other + order(40, instrument=2)],
        [other + held + order(60, instrument=2)], start=START - 3_600 * SECOND)
    assert starts(connections.asked[0]) == [START - 3_600 * SECOND]
    assert [(wanted.start, wanted.snapshot) for wanted in connections.asked[2].subscriptions] == [(None, True)]
    assert market(given) == [order(0), held, order(60, instrument=2)]
    assert kinds(given).count("roll") == 1
    assert "gap" not in kinds(given)[:kinds(given).index("roll") + 1]


def test_where_one_of_several_series_rolls_it_is_said_that_the_others_begin_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    silver = mapping("SI.v.0", "SIH6", instrument=9, ts_event=START)
    _, given = follow(
        monkeypatch, [NAMED + silver + order(0) + order(0, instrument=9), Lost("gone")],
        [mapping("GC.v.0", "GCM6", instrument=2, ts_event=START)], [order(60, instrument=2)],
        symbols=("GC.v.0", "SI.v.0"))
    assert kinds(given)[2:4] == ["roll", "gap"]


def test_a_gateway_that_has_no_fixed_meaning_for_a_symbol_is_not_asked_again_and_again_without_rest(
    monkeypatch: pytest.MonkeyPatch, at_once: list[float],
) -> None:
    both = NAMED + mapping("GC.v.0", "GCM6", instrument=2, ts_event=START)
    follow(monkeypatch, *[[both + order(0)]] * 5)
    assert len(at_once) == 4
    assert min(at_once) == 0.25


def test_a_gateway_that_finds_now_too_old_is_not_asked_again_and_again_without_rest(
    monkeypatch: pytest.MonkeyPatch, at_once: list[float],
) -> None:
    with pytest.raises(SourceUnavailable):
        follow(monkeypatch, *[[Refused(8, "too old")]] * 99)
    assert sum(at_once) > 15


@pytest.mark.parametrize("words", ['"' * 300, "\x01" * 300, "\N{EURO SIGN}" * 300, "a" * 300])
def test_whatever_the_vendor_says_fits_into_a_record(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    _, given = follow(monkeypatch, [order(0), Refused(6, words)], [order(0) + order(1) + REPLAYED])
    assert kinds(given) == ["live", "stale", "reconnect", "end"]


def test_a_day_without_records_does_not_stop_the_stream_of_marks_or_of_records(monkeypatch: pytest.MonkeyPatch) -> None:
    _, given = follow(monkeypatch, [order(0), *[HEARTBEAT] * 50, order(1)])
    assert market(given) == [order(0), order(1)]
    assert given[0][1] in (MBO, SYSTEM)
