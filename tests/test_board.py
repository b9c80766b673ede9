"""The board: candles, zones, marks and frames of packets, and what it says of a feed that is not live."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli import schemas
from qmo_cli.board import Board, Frame
from qmo_cli.board.board import Clock
from qmo_cli.board.candles import MOST, CandleBook, Candles
from qmo_cli.board.frame import STEPS, ShownZone
from qmo_cli.board.latency import Costs
from qmo_cli.board.zones import Standing, distance
from qmo_cli.feeds.sim import SimOptions, simulate
from qmo_cli.packets import BarInput, Inputs, Second, TradesInput
from qmo_cli.pipeline import Engines, routed
from qmo_cli.router import RouteOptions, Router
from qmo_cli.score import Scorer
from qmo_cli.signals import Signal, Signaler
from qmo_cli.tray import Packet


@dataclass
class Hands:
    """A clock that is set by hand: s."""

    steady: float = 100.0
    wall: int = 1_791_208_800_000_000_000

    def clock(self) -> Clock:
        """The clock."""
        return Clock(wall=lambda: self.wall, steady=lambda: self.steady)


def decided(minutes: float, seed: int = 7) -> Iterator[list[Packet]]:
    """Packets of a simulated market, with everything in them."""
    engines, scorer, signaler = Engines(("all",)), Scorer(), Signaler()
    for batch in routed(Router(RouteOptions()), simulate(SimOptions(minutes=minutes, seed=seed))):
        for packet in batch:
            engines.update(packet)
            scorer.update(packet)
            packet.slots["signal"] = signaler.update(packet)
        yield batch


@pytest.fixture(scope="module")
def packets() -> list[Packet]:
    """Twenty minutes of a simulated market: one packet a second."""
    return [packet for batch in decided(20) for packet in batch]


@pytest.fixture(scope="module")
def board(packets: list[Packet]) -> Board:
    """All of them on a board."""
    board = Board(clock=Hands().clock())
    for packet in packets:
        board.put([packet])
    return board


def seconds(rows: list[Second]) -> Inputs:
    """Inputs in which only these seconds traded."""
    return Inputs(TradesInput(0, 0, 0, 0, rows, [], [], 0, [], 0), None, None, None)


def test_a_candle_holds_what_the_seconds_of_its_time_hold(packets: list[Packet], board: Board) -> None:
    """Against the seconds of all packets, added up here."""
    rows: dict[int, list[Second]] = {}
    for packet in packets:
        assert packet.inputs.trades is not None
        for row in packet.inputs.trades.seconds:
            rows.setdefault(row.second // 60 * 60, []).append(row)
    history = board.history(None, 3600, 60)
    assert history is not None
    traded = {candle.time: candle for candle in history.candles if candle.open is not None}
    assert set(traded) == set(rows)
    for time, parts in rows.items():
        candle = traded[time]
        assert (candle.open, candle.close) == (parts[0].open, parts[-1].close)
        assert (candle.high, candle.low) == (max(part.high for part in parts), min(part.low for part in parts))
        assert candle.buy == sum(part.buy for part in parts)
        assert candle.sell == sum(part.sell for part in parts)
        assert candle.none == sum(part.none for part in parts)


def test_a_candle_ends_with_the_cvd_and_score_of_the_last_packet_in_it(packets: list[Packet], board: Board) -> None:
    history = board.history(None, 3600, 300)
    assert history is not None
    assert len(history.candles) == 4
    for candle in history.candles:
        end = (candle.time + 300) * 1_000_000_000
        last = [packet for packet in packets if packet.ts <= end][-1]
        line = json.loads(last.encode())
        assert candle.cvd == line["orderflow"]["cvd"]
        assert candle.score == line["score"]["total"]


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 9)), min_size=1, max_size=60))
def test_seconds_that_come_late_go_into_their_own_candle(trades: list[tuple[int, int]]) -> None:
    candles = Candles(15)
    for second, size in trades:
        candles.trade(second, (size, size, size, size), (size, 0, 0))
    expected: dict[int, int] = {}
    for second, size in trades:
        expected[second // 15 * 15] = expected.get(second // 15 * 15, 0) + size
    assert {row.time: row.buy for row in candles.rows} == expected
    assert [row.time for row in candles.rows] == sorted(expected)


def test_a_second_that_two_frames_share_counts_once_each_part() -> None:
    book = CandleBook()
    book.trade(seconds([Second(60, 10.0, 11.0, 10.0, 11.0, 2, 1, 0, 2)]))
    book.trade(seconds([Second(60, 9.0, 9.0, 9.0, 9.0, 0, 4, 1, 1)]))
    assert msgspec.json.encode(book.newest()["60"]) == b"[[60,10.0,11.0,9.0,9.0,2,5,1,null,null]]"


def test_ready_made_bars_become_candles_without_an_aggressor() -> None:
    book = CandleBook()
    for minute in range(3):
        bar = BarInput(str((600 + minute * 60) * 10**9), 60, 5.0 + minute, 6.0 + minute, 4.0, 5.5, 7)
        book.trade(Inputs(None, [bar], None, None))
    assert msgspec.json.encode(book.newest()["300"]) == b"[[600,5.0,8.0,4.0,5.5,0,0,21,null,null]]"
    assert [candle.time for candle in book.by_step[15].rows] == [600, 660, 720]


def test_candles_are_bounded_in_number_and_the_newest_stay() -> None:
    candles = Candles(15)
    for number in range(2 * MOST + 5):
        candles.trade(15 * number, (1.0, 1.0, 1.0, 1.0), (1, 0, 0))
    assert len(candles.rows) <= 2 * MOST
    assert candles.since(0)[-1].time == 15 * (2 * MOST + 4)
    assert len(candles.since(0)) == MOST
    assert candles.at(0) is None


def test_copies_of_candles_do_not_change_any_more() -> None:
    candles = Candles(60)
    candles.trade(0, (1.0, 1.0, 1.0, 1.0), (1, 0, 0))
    before = candles.last(2)
    candles.trade(1, (2.0, 2.0, 2.0, 2.0), (1, 0, 0))
    assert before[0].close == 1.0


def test_a_frame_holds_what_its_packet_holds(packets: list[Packet], board: Board) -> None:
    frame, line = board.frame(), json.loads(packets[-1].encode())
    shown = json.loads(msgspec.json.encode(frame))
    for slot in ("market", "health", "session", "score"):
        assert shown[slot] == line[slot]
    assert shown["signal"] == line["signal"]
    assert shown["flow"] == {name: line["orderflow"][name] for name in shown["flow"]}
    assert (shown["seq"], shown["ts"], shown["series"]) == (len(packets), line["ts"], line["series"])


def test_every_null_of_a_frame_that_is_not_optional_has_its_reason(board: Board) -> None:
    shown = json.loads(msgspec.json.encode(board.frame()))
    for slot in ("session", "score", "flow"):
        for name, value in shown[slot].items():
            if value is None and (slot, name) != ("score", "phase"):
                assert f"{slot}.{name}" in shown["missing"], (slot, name)


def test_a_frame_shows_zones_that_stand_and_none_that_are_broken(packets: list[Packet], board: Board) -> None:
    line = json.loads(packets[-1].encode())
    standing = {zone["id"] for zone in line["iceberg"]["zones"] if zone["state"] not in ("broken", "expired")}
    broken = {zone["id"] for zone in line["iceberg"]["zones"]} - standing
    shown = board.zones()
    assert {zone.id for zone in shown if zone.kind == "iceberg"} == standing
    assert broken
    price = line["price"]
    assert [distance(zone, price) for zone in shown] == sorted(distance(zone, price) for zone in shown)


def test_a_zone_that_has_flipped_stands_on_the_other_side() -> None:
    zone = {"id": "a", "side": "B", "low": 1.0, "high": 2.0, "state": "flipped", "weight": 3.0,
            "first_seen": "1", "last_seen": "2"}
    standing = Standing()
    slots = {"memory": msgspec.Raw(msgspec.json.encode({"zones": [zone]}))}
    standing.take(Packet(
        ts=1, series="s", symbol=None, instrument_id=1, closed=True, price=1.5, slots=slots, missing={}))
    assert standing.near(1.5) == [ShownZone("memory", "a", "A", 1.0, 2.0, "flipped", 3.0, None, None, "1", "2")]


def test_packets_from_a_pipe_give_the_same_frames(packets: list[Packet], board: Board) -> None:
    """Slots that were never decoded are shown like readings."""
    other = Board(clock=Hands().clock())
    for packet in packets:
        other.put([Packet.decode(packet.encode())])
    assert msgspec.json.encode(other.frame()) == msgspec.json.encode(board.frame())
    assert msgspec.json.encode(other.history(None, 7200, 15)) == msgspec.json.encode(board.history(None, 7200, 15))


@pytest.mark.parametrize("name", ["frame", "history"])
def test_what_a_screen_reads_fits_its_published_schema(board: Board, name: str) -> None:
    line = board.frame() if name == "frame" else board.history(None, 3600, 15)
    jsonschema.Draft202012Validator(schemas.schema(name)).validate(json.loads(msgspec.json.encode(line)))


def test_a_frame_can_be_read_again(board: Board) -> None:
    line = msgspec.json.encode(board.frame())
    assert msgspec.json.encode(msgspec.json.decode(line, type=Frame)) == line


def test_marks_name_each_signal_that_opened_and_closed(packets: list[Packet], board: Board) -> None:
    changes = [packet.slots["signal"] for packet in packets if packet.slots["signal"].change is not None]
    history = board.history(None, 3600, 60)
    assert history is not None
    assert changes
    marks = [mark for mark in history.marks if mark.kind == "signal"]
    assert [mark.ts for mark in marks] == [signal.ts for signal in changes]
    assert [mark.side for mark in marks] == [
        {"BUY": "B", "SELL": "A", "HOLD": "N"}[signal.signal.type] for signal in changes]
    assert [mark.ts for mark in history.marks] == sorted((mark.ts for mark in history.marks), key=int)


def last_signal(board: Board) -> Signal:
    signal, _ = board.signal()
    assert signal is not None
    return signal


@dataclass
class Opened:
    """A board on which a decision is open, and its clock."""

    hands: Hands = field(default_factory=Hands)
    board: Board = field(init=False)

    def __post_init__(self) -> None:
        self.board = Board(clock=self.hands.clock())
        for batch in decided(20):
            for packet in batch:
                self.board.put([packet])
                if packet.slots["signal"].signal.type != "HOLD":
                    return
        raise AssertionError("no decision opened")


@pytest.fixture
def opened() -> Opened:
    return Opened()


def test_a_decision_stands_while_the_feed_is_live(opened: Opened) -> None:
    signal, feed = opened.board.signal()
    assert feed.state == "live"
    assert signal is not None
    assert signal.signal.type in ("BUY", "SELL")
    assert signal.entry is not None
    assert signal.signal.id


def test_without_packets_the_decision_is_taken_back_and_the_reason_said(opened: Opened) -> None:
    opened.hands.steady += 9.9
    assert opened.board.feed().state == "live"
    opened.hands.steady += 0.2
    signal, feed = opened.board.signal()
    assert (feed.state, feed.detail, feed.age) == ("stale", "no packet for 10 s", 10.1)
    assert signal is not None
    assert signal.status == "stale"
    assert (signal.signal.type, signal.entry, signal.position, signal.signal.id) == ("HOLD", None, None, None)
    assert signal.reasons == ["the feed is stale: no packet for 10 s"]
    assert signal.signal.score is not None
    assert signal.signal.confidence is None
    assert signal.missing["signal.confidence"] == signal.reasons[0]


@pytest.mark.parametrize("end", ["ended", "failed"])
def test_after_the_end_the_decision_is_taken_back(opened: Opened, end: str) -> None:
    getattr(opened.board, end)("the wire was cut")
    signal, feed = opened.board.signal()
    assert signal is not None
    assert (signal.status, signal.signal.type, feed.state) == ("stale", "HOLD", end)
    assert signal.reasons == [f"the feed has {end}: the wire was cut"]


def test_packets_that_come_again_make_it_live_again(opened: Opened) -> None:
    opened.hands.steady += 60
    assert opened.board.feed().state == "stale"
    opened.board.put(next(batch for batch in decided(0.1) if batch))
    assert opened.board.feed().state == "live"


def live_packet(quality: str, ts: int) -> Packet:
    """A packet of that quality that ends then."""
    packet = next(batch for batch in decided(0.1) if batch)[0]
    line = json.loads(packet.encode())
    line["market"]["quality"], line["ts"] = quality, str(ts)
    return Packet.decode(json.dumps(line).encode())


def test_real_time_packets_that_lag_behind_the_clock_are_stale() -> None:
    hands = Hands()
    board = Board(clock=hands.clock())
    board.put([live_packet("real-time", hands.wall - 9_000_000_000)])
    assert board.feed().state == "live"
    board.put([live_packet("real-time", hands.wall - 11_000_000_000)])
    assert (board.feed().state, board.feed().detail) == ("stale", "what comes is 11 s behind the clock")


@pytest.mark.parametrize("quality", ["replay", "simulated", "delayed"])
def test_data_that_is_not_of_now_anyway_is_not_compared_with_the_clock(quality: str) -> None:
    hands = Hands()
    board = Board(clock=hands.clock())
    board.put([live_packet(quality, hands.wall - 10**15)])
    assert (board.feed().state, board.feed().quality) == ("live", quality)


def test_what_the_feed_calls_stale_is_stale() -> None:
    hands = Hands()
    board = Board(clock=hands.clock())
    board.put([live_packet("stale", hands.wall)])
    assert (board.feed().state, board.feed().detail) == ("stale", "the feed says that it hears nothing")


def test_before_any_packet_there_is_a_frame_that_says_so() -> None:
    frame = Board(clock=Hands().clock()).frame()
    assert (frame.feed.state, frame.feed.age, frame.series, frame.market) == ("starting", None, None, None)


def test_a_series_that_was_not_seen_is_a_key_error(board: Board) -> None:
    with pytest.raises(KeyError):
        board.frame("CL.v.0")


def test_costs_are_the_mean_of_the_last_minute() -> None:
    costs = Costs()
    assert costs.mean() is None
    for second in range(0, 200, 5):
        spent = 100_000 * min(second, 100) + 50_000 * max(0, second - 100)
        costs.take(float(second), second, {"route": spent})
    mean = costs.mean()
    assert mean is not None
    assert mean.stages == {"route": 50.0}
    assert mean.packet_us == 50.0


def test_steps_of_candles_divide_each_other() -> None:
    """So that a longer candle begins where a shorter one does."""
    assert all(longer % shorter == 0 for shorter, longer in itertools.pairwise(STEPS))
