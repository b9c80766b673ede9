"""The store of memory: what is written stays, whole and once, whoever reads or dies meanwhile."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from qmo_cli.engines.memory.log import (
    DERIVING,
    KINDS,
    Body,
    Broken,
    Outcome,
    Pair,
    Retest,
    Row,
    ZoneSeen,
    body_of,
    row_of,
)
from qmo_cli.engines.memory.store import Store
from qmo_cli.errors import BadData, ConfigurationError, SourceUnavailable

from .conftest import ROOT

BATCH = 50
PATIENCE = 60  # s
RETEST = Retest("z", 7, True, 2000.1, 2001.0, 1999.6, 0.357143, False, False)
BODIES: list[Body] = [
    ZoneSeen("z", "B", 2000.0, 2000.3, 30.0, 2, 5, 6), RETEST, Outcome(RETEST, 9, "hold"), Broken("z", 11, False),
    Pair("z", 3, 7, True),
]
WRITER = f"""
import sys
from qmo_cli.engines.memory.log import Row
from qmo_cli.engines.memory.store import Store
store = Store(sys.argv[1], write=True)
for batch in range(int(sys.argv[2])):
    for one in range({BATCH}):
        store.add("GCZ6", Row(batch, "zone", str(one), b"x" * 400))
    assert store.flush(patient=True)
    print(batch, flush=True)
store.close()
"""
READER = f"""
import sys
from qmo_cli.engines.memory.store import Store
seen = 0
while seen < {BATCH} * int(sys.argv[2]):
    store = Store(sys.argv[1])
    for _ in range(5):
        found = sum(1 for _ in store.events())
        assert found % {BATCH} == 0 and found >= seen, (found, seen)
        seen = found
    store.close()
print("all")
"""


def row(ts: int = 1, key: str = "a", body: bytes = b"{}", kind: str = "zone") -> Row:
    return Row(ts, kind, key, body)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "memory.db")


@pytest.fixture
def store(path: str) -> Iterator[Store]:
    opened = Store(path, write=True)
    yield opened
    opened.close()


def written(path: str, *rows: Row, symbol: str = "GCZ6") -> None:
    store = Store(path, write=True)
    for one in rows:
        store.add(symbol, one)
    store.close()


def read(path: str) -> list[tuple[str, int, str]]:
    store = Store(path)
    found = [(event.symbol, event.ts, event.key) for event in store.events()]
    store.close()
    return found


def script(code: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)})


# ---- what is in it


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_an_event_reads_back_as_it_was(body: Body, store: Store) -> None:
    store.add("GCZ6", row_of(body, 9))
    store.flush()
    event, = store.events()
    assert (event.ts, body_of(event.kind, event.body)) == (9, body)


def test_every_kind_of_event_is_kept_and_a_retest_that_begins_changes_no_state() -> None:
    assert {row_of(body, 1).kind for body in BODIES} == set(KINDS)
    assert set(KINDS) - set(DERIVING) == {"retest"}


def test_a_damaged_event_is_bad_data() -> None:
    with pytest.raises(BadData, match="damaged event of kind zone"):
        body_of("zone", b'{"id": 7}')


def test_the_same_data_twice_are_there_once_and_the_first_counts(path: str) -> None:
    written(path, row(1), row(2), row(1, "b"), row(1, kind="broken"))
    written(path, row(1, body=b'{"later":1}'), row(2), row(3))
    assert [key for *_, key in read(path)] == ["a", "b", "a", "a", "a"]
    assert [event.body for event in Store(path).events(before=2)] == [b"{}"] * 3


def test_events_come_in_the_order_of_time_and_a_selection_is_half_open(path: str) -> None:
    written(path, row(30), row(10), row(20), row(10, "z"))
    written(path, row(10, "b"), symbol="GCG7")
    store = Store(path)
    assert [(event.ts, event.key) for event in store.events()] == [
        (10, "a"), (10, "z"), (10, "b"), (20, "a"), (30, "a")]
    assert [event.ts for event in store.events(("GCZ6",), 10, 30, ["zone"])] == [10, 10, 20]
    assert list(store.events(kinds=["pair"])) == []
    assert store.symbols() == ["GCG7", "GCZ6"]
    assert (store.newest(), store.newest(("GCG7",)), store.newest(before=30)) == (30, 10, 20)
    assert store.newest(("GCM8",)) == 0
    store.close()


def test_no_text_is_taken_for_a_statement(path: str) -> None:
    nasty = "GC'; DROP TABLE event; --"
    written(path, row(1, nasty), symbol=nasty)
    store = Store(path)
    assert [event.key for event in store.events((nasty,), kinds=["zone"])] == [nasty]
    assert list(store.events(kinds=[nasty])) == []
    store.close()


def test_the_past_is_what_was_there_when_it_was_opened(path: str) -> None:
    written(path, row(1))
    reader = Store(path)
    written(path, row(2))
    assert [event.ts for event in reader.past("GCZ6", 0, 9, ["zone"])] == [1]
    assert [event.ts for event in reader.events()] == [1, 2]
    reader.close()


def test_prune_deletes_what_is_older_and_a_dry_run_nothing(path: str, store: Store) -> None:
    written(path, row(1), row(2), row(3))
    written(path, row(1), symbol="GCG7")
    assert store.prune(3, dry_run=True) == 3
    assert len(read(path)) == 4
    assert store.prune(3, ("GCZ6",)) == 2
    assert read(path) == [("GCG7", 1, "a"), ("GCZ6", 3, "a")]


# ---- the file


def test_the_file_is_for_its_owner_alone(path: str, store: Store) -> None:
    store.add("GCZ6", row())
    store.flush()
    for name in (path, f"{path}-wal"):
        assert os.stat(name).st_mode & 0o777 == 0o600


def test_a_closed_store_leaves_one_file_and_can_be_closed_again(path: str, tmp_path: Path) -> None:
    store = Store(path, write=True)
    store.add("GCZ6", row())
    store.close()
    store.close()
    assert [one.name for one in tmp_path.iterdir()] == ["memory.db"]
    assert len(read(path)) == 1


def test_a_name_with_signs_of_an_address_is_only_a_name(tmp_path: Path) -> None:
    path = str(tmp_path / "a?mode=memory#b %41.db")
    written(path, row())
    assert (os.path.exists(path), len(read(path))) == (True, 1)


def test_an_empty_file_becomes_a_memory(path: str) -> None:
    Path(path).touch()
    written(path, row())
    assert len(read(path)) == 1


def foreign(path: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE wallet (amount)")
    connection.close()


def text(path: str) -> None:
    Path(path).write_text("this is not a database\n" * 100)


def newer(path: str) -> None:
    written(path, row())
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()


def torn(path: str) -> None:
    written(path, *(row(ts, body=b"y" * 500) for ts in range(2000)))
    data = bytearray(Path(path).read_bytes())
    data[4096 * 20:4096 * 60] = b"\xa5" * (4096 * 40)
    Path(path).write_bytes(data)


def half(path: str) -> None:
    written(path, *(row(ts, body=b"y" * 500) for ts in range(2000)))
    os.truncate(path, os.path.getsize(path) // 2 + 100)


@pytest.mark.parametrize(("spoil", "error", "words"), [
    (foreign, BadData, "not a memory of qmo"), (text, BadData, "not a memory of qmo"),
    (newer, ConfigurationError, "version 2"), (torn, BadData, "damaged"), (half, BadData, "damaged"),
])
def test_what_is_not_a_memory_or_damaged_is_refused_and_left_as_it_is(
    spoil: object, error: type[Exception], words: str, path: str,
) -> None:
    assert callable(spoil)
    spoil(path)
    before = Path(path).read_bytes()
    with pytest.raises(error, match=words) as caught:
        Store(path, write=True)
    assert path in str(caught.value)
    assert Path(path).read_bytes() == before


def test_damage_that_shows_only_when_it_is_read_is_bad_data(path: str) -> None:
    torn(path)
    with pytest.raises(BadData, match="damaged"):
        read(path)


@pytest.mark.parametrize("name", ["nowhere/memory.db", "."])
def test_a_place_where_no_file_can_be_is_unavailable(name: str, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match=name if name != "." else str(tmp_path)):
        Store(str(tmp_path / name), write=True)


def test_to_read_makes_no_file(path: str) -> None:
    with pytest.raises(SourceUnavailable, match="no such file"):
        Store(path)
    assert not os.path.exists(path)


# ---- several processes


def test_a_write_that_finds_the_file_busy_waits_for_the_next_time(path: str, store: Store) -> None:
    store.add("GCZ6", row())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert store.flush() is False
    other.execute("COMMIT")
    other.close()
    assert (store.flush(), len(read(path))) == (True, 1)


def test_two_processes_that_write_lose_nothing(path: str) -> None:
    code = WRITER.replace('"GCZ6"', "sys.argv[3]")
    writers = [script(code, path, "20", name) for name in ("GCZ6", "GCG7")]
    for writer in writers:
        assert writer.communicate(timeout=PATIENCE)[1] == ""
    assert len(read(path)) == 2 * 20 * BATCH


def test_others_read_whole_batches_while_one_writes(path: str) -> None:
    Store(path, write=True).close()
    readers = [script(READER, path, "60") for _ in range(3)]
    writer = script(WRITER, path, "60")
    assert writer.communicate(timeout=PATIENCE)[1] == ""
    for reader in readers:
        assert reader.communicate(timeout=PATIENCE) == ("all\n", "")


@pytest.mark.parametrize("delay", [0.0, 0.003, 0.011])
def test_a_process_killed_while_it_writes_leaves_whole_batches(delay: float, path: str) -> None:
    writer = script(WRITER, path, "100000")
    assert writer.stdout
    told = [int(writer.stdout.readline()) for _ in range(20)][-1]
    time.sleep(delay)
    writer.send_signal(signal.SIGKILL)
    rest = writer.communicate(timeout=PATIENCE)[0].split()
    assert writer.returncode == -signal.SIGKILL
    told = int(rest[-1]) if rest and rest[-1].isdigit() else told
    found = read(path)
    assert len(found) % BATCH == 0
    assert len(found) >= told * BATCH   # the last line may be cut in the middle of its number
    written(path, row(10**6))
    assert len(read(path)) == len(found) + 1
