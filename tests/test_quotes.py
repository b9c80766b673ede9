"""The fetcher: who is asked, what is kept, when Yahoo takes over and when Databento is back."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from qmo_cli.errors import NotEntitled, SourceUnavailable
from qmo_cli.feeds.quotes.cache import Cache, cache_path
from qmo_cli.feeds.quotes.fetch import Fetcher, NoKey, NothingTraded, Which, pause_after
from qmo_cli.records import Quote

from .conftest import ROOT
from .support import SECOND, START

DOWN = SourceUnavailable("databento: cannot connect")
BUSY = SourceUnavailable("yahoo: too many requests")


@dataclass
class Wall:
    """A wall clock that stands until it is moved."""

    now: int = START

    def __call__(self) -> int:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


@dataclass
class Vendor:
    """A vendor that fails in the way it is told to, or has a price; counts how often it was asked, and when."""

    name: str
    quality: str
    wall: Wall
    failure: Exception | None = None
    asked: list[float] = field(default_factory=list)

    def __call__(self, now: int) -> Quote:
        self.asked.append((self.wall.now - START) / SECOND)
        if self.failure:
            raise self.failure
        return Quote(series="GC.v.0", ts_event=str(now), price=2567.5, timestamp="2026-03-02T15:00:00Z",
                     source=self.name, quality=self.quality)  # type: ignore[arg-type]


@dataclass
class Desk:
    """A clock, two vendors and a cache file, with as many fetchers on it as wanted."""

    path: Path
    wall: Wall = field(default_factory=Wall)

    def __post_init__(self) -> None:
        self.databento = Vendor("databento", "real-time", self.wall)
        self.yahoo = Vendor("yahoo", "delayed", self.wall)

    def fetcher(self, which: Which = "auto", max_age: int = 15 * SECOND) -> Fetcher:
        return Fetcher(self.databento, self.yahoo, Cache(self.path), which, max_age, self.wall)

    def told(self, which: Which = "auto") -> tuple[str, str]:
        """Source and quality of what a new process gets."""
        quote = self.fetcher(which).fetch().quote
        return quote.source, quote.quality

    def fail(self, times: int) -> None:
        """Let new processes fail so often."""
        for _ in range(times):
            with pytest.raises(SourceUnavailable):
                self.fetcher().fetch()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "quotes" / "GC.v.0.json")


def test_a_price_is_fetched_once_in_fifteen_seconds_by_all_processes_together(desk: Desk) -> None:
    found = [desk.told()]
    for _ in range(29):
        desk.wall.pass_by(1)
        found.append(desk.told())
    assert desk.databento.asked == [0, 15]
    assert [quality for _, quality in found] == ["real-time", *["cached"] * 14, "real-time", *["cached"] * 14]


def test_a_price_from_the_cache_keeps_its_own_time_and_tells_when_it_was_given(desk: Desk) -> None:
    desk.told()
    desk.wall.pass_by(9)
    quote = desk.fetcher().fetch().quote
    assert (quote.timestamp, quote.ts_event) == ("2026-03-02T15:00:00Z", str(START + 9 * SECOND))


def test_without_the_cache_the_vendor_is_asked_and_others_profit(desk: Desk) -> None:
    desk.told()
    desk.wall.pass_by(5)
    assert desk.fetcher(max_age=0).fetch().quote.quality == "real-time"
    desk.wall.pass_by(12)
    assert desk.told() == ("databento", "cached")
    assert desk.databento.asked == [0, 5]


def test_a_price_from_the_future_of_a_clock_that_was_set_back_is_not_fresh(desk: Desk) -> None:
    desk.told()
    desk.wall.pass_by(-3600)
    assert desk.told() == ("databento", "real-time")


def test_three_failures_are_failures_and_the_fourth_brings_yahoos_price(desk: Desk) -> None:
    desk.databento.failure = DOWN
    for number in (1, 2, 3):
        desk.wall.pass_by(60)
        with pytest.raises(SourceUnavailable, match=rf"connect; failure {number} in a row: after 3 Yahoo is asked$"):
            desk.fetcher().fetch()
    assert desk.yahoo.asked == []
    desk.wall.pass_by(60)
    fetched = desk.fetcher().fetch()
    assert (fetched.quote.source, fetched.quote.quality) == ("yahoo", "delayed")
    assert fetched.why == "databento: cannot connect"


def test_a_success_between_failures_starts_the_count_anew(desk: Desk) -> None:
    for _ in range(3):
        desk.databento.failure = DOWN
        desk.fail(3)
        desk.databento.failure = None
        desk.wall.pass_by(15)
        assert desk.told() == ("databento", "real-time")
        desk.wall.pass_by(15)
    assert desk.yahoo.asked == []


def test_yahoos_price_from_the_cache_is_still_called_delayed_and_still_says_why(desk: Desk) -> None:
    desk.databento.failure = DOWN
    desk.fail(3)
    desk.told()
    desk.wall.pass_by(10)
    fetched = desk.fetcher().fetch()
    assert (fetched.quote.source, fetched.quote.quality, fetched.why) == ("yahoo", "delayed", str(DOWN))
    assert len(desk.yahoo.asked) == 1


def test_while_yahoo_stands_in_databento_is_asked_after_pauses_that_double_up_to_a_minute(desk: Desk) -> None:
    desk.databento.failure = DOWN
    desk.fail(3)
    desk.databento.asked.clear()
    for _ in range(400):
        desk.fetcher(max_age=0).fetch()
        desk.wall.pass_by(1)
    assert desk.databento.asked == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363]  # 1, 2, 4, 8, 16, 32, 60, 60, ...


def test_yahoo_is_asked_every_fifteen_seconds_however_often_its_price_is_wanted(desk: Desk) -> None:
    desk.databento.failure = DOWN
    desk.fail(3)
    for _ in range(46):
        assert desk.fetcher(max_age=SECOND // 2).fetch().quote.quality == "delayed"
        desk.wall.pass_by(1)
    assert desk.yahoo.asked == [0, 15, 30, 45]
    assert len(desk.databento.asked) == 3 + 6  # meanwhile Databento is asked after 0, 1, 3, 7, 15, 31 seconds


def test_the_first_answer_of_databento_ends_the_time_of_yahoo(desk: Desk) -> None:
    desk.databento.failure = DOWN
    desk.fail(3)
    desk.told()
    desk.databento.failure = None
    desk.wall.pass_by(16)
    assert desk.told() == ("databento", "real-time")
    desk.databento.failure = DOWN
    desk.wall.pass_by(16)
    desk.fail(3)  # and three failures are spared again


def test_a_cron_job_each_minute_asks_databento_each_minute(desk: Desk) -> None:
    desk.databento.failure = DOWN
    desk.fail(3)
    desk.databento.asked.clear()
    for _ in range(10):
        assert desk.told() == ("yahoo", "delayed")
        desk.wall.pass_by(60)
    assert len(desk.databento.asked) == 10


def test_without_a_key_yahoo_gives_the_price_at_once_and_nothing_counts_as_failed(desk: Desk) -> None:
    desk.databento.failure = NoKey("no Databento key: set DATABENTO_API_KEY")
    fetched = desk.fetcher().fetch()
    assert (fetched.quote.source, fetched.why) == ("yahoo", "no Databento key: set DATABENTO_API_KEY")
    desk.databento.failure = None
    desk.wall.pass_by(15)
    assert desk.told() == ("databento", "real-time")


def test_a_key_that_is_refused_is_not_tried_four_times(desk: Desk) -> None:
    desk.databento.failure = NotEntitled("databento: the gateway says: Authentication failed.")
    fetched = desk.fetcher().fetch()
    assert (fetched.quote.source, fetched.why) == ("yahoo", "databento: the gateway says: Authentication failed.")
    desk.fetcher(max_age=0).fetch()
    assert desk.databento.asked == [0]


def test_a_closed_market_is_no_failure_of_databento(desk: Desk) -> None:
    desk.databento.failure = NothingTraded("databento: the market is closed")
    for _ in range(5):
        assert desk.told() == ("yahoo", "delayed")
        desk.wall.pass_by(15)
    assert desk.databento.asked == [0, 15, 30, 45, 60]


def test_databento_alone_fails_as_it_fails(desk: Desk) -> None:
    desk.databento.failure = DOWN
    for _ in range(6):
        with pytest.raises(SourceUnavailable, match=r"^databento: cannot connect$"):
            desk.fetcher("databento").fetch()
    for failure in (NoKey("no key"), NotEntitled("refused")):
        desk.databento.failure = failure
        with pytest.raises(NotEntitled, match=str(failure)):
            desk.fetcher("databento").fetch()
    assert (len(desk.databento.asked), desk.yahoo.asked) == (8, [])


def test_yahoos_price_that_somebody_wanted_is_not_given_to_those_who_want_databentos(desk: Desk) -> None:
    assert desk.told("yahoo") == ("yahoo", "delayed")
    assert desk.told() == ("databento", "real-time")
    assert desk.told("yahoo") == ("yahoo", "delayed")
    assert (desk.databento.asked, desk.yahoo.asked) == ([0], [0])


def test_with_both_down_both_reasons_are_named_and_both_are_left_alone_for_a_while(desk: Desk) -> None:
    desk.databento.failure, desk.yahoo.failure = DOWN, BUSY
    desk.fail(3)
    with pytest.raises(SourceUnavailable, match=r"^databento: cannot connect; yahoo: too many requests$"):
        desk.fetcher().fetch()
    with pytest.raises(SourceUnavailable, match=r"asked again in 1 s\); yahoo: too many requests \(asked again in 1 s"):
        desk.fetcher().fetch()
    assert (len(desk.databento.asked), len(desk.yahoo.asked)) == (4, 1)


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b"[]", b'{"held":{"databento":1}}', b'{"held": null}'])
def test_a_damaged_file_is_no_file(damage: bytes, desk: Desk) -> None:
    desk.told()
    desk.path.write_bytes(damage)
    assert desk.told() == ("databento", "real-time")
    assert desk.told() == ("databento", "cached")


def test_only_its_owner_reads_the_file_and_nothing_else_is_left_beside_it(desk: Desk) -> None:
    desk.told()
    assert sorted(path.name for path in desk.path.parent.iterdir()) == ["GC.v.0.json", "GC.v.0.lock"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in desk.path.parent.iterdir()} == {0o600}


def test_where_no_file_can_be_written_the_process_alone_remembers(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.path.parent.parent.joinpath("quotes").write_bytes(b"a file in the folder's place")
    fetcher = desk.fetcher()
    assert [fetcher.fetch().quote.quality for _ in range(3)] == ["real-time", "cached", "cached"]
    assert [record.getMessage().rpartition(": ")[2] for record in caplog.records] == [
        "Not a directory; prices are not shared with other processes"]


def test_every_gateway_and_every_symbol_has_a_file_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    paths = [str(cache_path(*names)) for names in (("GC.v.0",), ("MGC.v.0",), ("GC.v.0", "127.0.0.1:4000"), ("../x",))]
    assert paths == [f"/c/qmo/quotes/{name}.json" for name in ("GC.v.0", "MGC.v.0", "GC.v.0_127.0.0.1_4000", ".._x")]


def test_who_waits_for_another_process_waits_only_so_long(desk: Desk) -> None:
    words = r"another process has been asking .* for 0.05 s"
    with Cache(desk.path).locked(), pytest.raises(SourceUnavailable, match=words), \
            Cache(desk.path, patience=0.05).locked():
        raise AssertionError


def test_pauses_double_from_one_second_to_sixty() -> None:
    assert [pause_after(number) // SECOND for number in range(9)] == [0, 1, 2, 4, 8, 16, 32, 60, 60]


FIFTY = """
import os, sys, time
from pathlib import Path
from qmo_cli.errors import SourceUnavailable
from qmo_cli.feeds.quotes.cache import Cache
from qmo_cli.feeds.quotes.fetch import Fetcher
from qmo_cli.records import Quote

folder, works = Path(sys.argv[1]), sys.argv[2] == "works"

def ask(now):
    with open(folder / "asked", "a") as file:
        file.write("x")
    time.sleep(0.5)
    if not works:
        raise SourceUnavailable("databento: down")
    return Quote(series="GC.v.0", ts_event=str(now), price=2567.5, source="databento", quality="real-time")

def child():
    os.read(start, 1)  # nothing is ever written: it ends when the parent closes the other end
    try:
        words = Fetcher(ask, ask, Cache(folder / "GC.v.0.json")).fetch().quote.quality
    except SourceUnavailable as error:
        words = str(error)
    os.write(1, words.encode() + b"\\n")
    os._exit(0)

start, go = os.pipe()
for _ in range(50):
    if os.fork() == 0:
        os.close(go)
        child()
os.close(go)
for _ in range(50):
    os.wait()
"""


@pytest.mark.parametrize(("vendor", "expected"), [
    ("works", {"real-time": 1, "cached": 49}),
    ("fails", {"databento: down; failure 1 in a row: after 3 Yahoo is asked": 50}),
])
def test_of_fifty_processes_that_ask_at_once_one_asks_the_vendor(
    vendor: str, expected: dict[str, int], tmp_path: Path,
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", FIFTY, tmp_path, vendor], env=environment, capture_output=True,
                         text=True, check=True, timeout=60)
    assert Counter(run.stdout.splitlines()) == expected
    assert (tmp_path / "asked").read_text() == "x"
