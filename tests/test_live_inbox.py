"""Between the thread of a connection and the reader: bounded, in order, and a failure only once all was taken."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from qmo_cli.feeds.live.inbox import Inbox
from qmo_cli.feeds.live.request import Lost

SOON = 5.0   # s, the longest that a thread of these tests may take


def inbox(limit: int = 10) -> tuple[Inbox, list[str]]:
    """One, with what it asked of its connection."""
    calls: list[str] = []
    return Inbox(pause=lambda: calls.append("pause"), resume=lambda: calls.append("resume"), limit=limit), calls


def later(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Timer(0.05, work)
    thread.start()
    return thread


def everything(box: Inbox) -> Iterator[bytes]:
    """What comes to a slow reader until it fails."""
    try:
        while True:
            yield box.take(SOON)
            time.sleep(0.0002)
    except Lost as lost:
        yield str(lost).encode()


def test_what_waits_is_taken_at_once_and_in_order() -> None:
    box, _ = inbox(1000)
    for number in range(5):
        box.put(b"%d" % number)
    assert (box.take(0), box.take(0)) == (b"01234", b"")


def test_the_connection_is_paused_once_and_resumed_once() -> None:
    box, calls = inbox(limit=10)
    box.put(b"x" * 10)
    assert calls == []
    for _ in range(3):
        box.put(b"yy")
    assert calls == ["pause"]
    assert box.take(0) == b"x" * 10 + b"yy" * 3
    assert calls == ["pause", "resume"]
    box.take(0)
    assert calls == ["pause", "resume"]


def test_silence_while_it_was_held_back_does_not_count() -> None:
    box, _ = inbox(limit=1)
    box.put(b"abc")
    box.heard -= 100
    box.take(0)
    assert time.monotonic() - box.heard < 50


def test_silence_counts_where_it_was_not_held_back() -> None:
    box, _ = inbox(limit=100)
    box.put(b"abc")
    box.heard -= 100
    box.take(0)
    assert time.monotonic() - box.heard > 50


def test_a_failure_is_raised_only_when_all_was_taken_and_the_first_reason_counts() -> None:
    box, _ = inbox()
    box.put(b"last")
    box.fail(Lost("the reason"))
    box.fail(Lost("what followed from it"))
    assert box.take(0) == b"last"
    for _ in range(2):
        with pytest.raises(Lost, match="the reason"):
            box.take(SOON)


def test_whoever_waits_is_woken_by_what_comes() -> None:
    box, _ = inbox()
    thread = later(lambda: box.put(b"here"))
    began = time.monotonic()
    assert box.take(SOON) == b"here"
    assert time.monotonic() - began < SOON / 2
    thread.join(SOON)


def test_whoever_waits_is_woken_by_a_failure() -> None:
    box, _ = inbox()
    thread = later(lambda: box.fail(Lost("gone")))
    with pytest.raises(Lost):
        box.take(SOON)
    thread.join(SOON)


def test_nothing_comes_in_time() -> None:
    began = time.monotonic()
    assert inbox()[0].take(0.02) == b""
    assert time.monotonic() - began >= 0.02


def test_a_fast_connection_and_a_slow_reader_lose_nothing_and_stay_within_bounds() -> None:
    """The connection goes on for one more chunk after it is asked to pause, as a buffer that was being filled."""
    may_go, most = threading.Event(), 0
    may_go.set()
    box = Inbox(pause=may_go.clear, resume=may_go.set, limit=1000)

    def connection() -> None:
        nonlocal most
        for number in range(2000):
            assert may_go.wait(SOON)
            box.put(b"%08d" % number * 4)
            most = max(most, box._size)
        box.fail(Lost("over"))

    thread = threading.Thread(target=connection, daemon=True)
    thread.start()
    assert b"".join(everything(box)) == b"".join(b"%08d" % number * 4 for number in range(2000)) + b"over"
    thread.join(SOON)
    assert 1000 < most <= 1000 + 2 * 32
