"""A live stream that is recorded: killed at any point and started again, nothing of it is lost or there twice."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qmo_cli.blocks import SYSTEM, Block
from qmo_cli.feeds.files import open_source
from qmo_cli.feeds.live import source
from qmo_cli.feeds.live.options import LiveOptions, Wanted
from qmo_cli.gateway import Gateway
from qmo_cli.records import from_dbn

from .live_harness import BEGIN, KEY, LIMIT, market, pieces, records, serve

SHORT = market(seconds=6.0, rate=200.0, seed=8)
SOURCE = records(SHORT)
HALF = len(SOURCE) // 2


def started(gateway: Gateway, path: Path, start: int | None) -> tuple[Iterator[Block], Callable[[], None]]:
    """A live stream into a file, and what stops it."""
    stops: list[Callable[[], None]] = []
    options = LiveOptions(gateway=f"127.0.0.1:{gateway.port}", record=str(path))
    wanted = Wanted(schemas=("mbo",))
    blocks = source.live(KEY, wanted, options, source.Sources(), BEGIN, start, stops.append)
    return blocks, lambda: stops[0]()  # noqa: PLW0108 - it is given once the stream has begun


def until(blocks: Iterator[Block], count: int) -> list[Block]:
    """The stream up to so many market records, then left as if killed."""
    found, got, limit = list[Block](), 0, time.monotonic() + LIMIT
    for block in blocks:
        found.append(block)
        got += len(records([block]))
        if got >= count:
            break
        assert time.monotonic() < limit
    return found


def kinds(blocks: list[Block]) -> list[str]:
    said = [from_dbn(record, 0, {}).kind for record in pieces(blocks) if record[1] == SYSTEM]
    return [kind for kind in said if kind != "clock"]


@pytest.mark.parametrize("torn", [0, 1, 56, 57, 1000])
def test_a_stream_that_was_killed_goes_on_where_its_file_ends(tmp_path: Path, torn: int) -> None:
    path = tmp_path / "c.dbn"
    with serve(source=SHORT, speed=100.0) as gateway:
        blocks, _ = started(gateway, path, BEGIN)
        until(blocks, HALF)
        blocks.close()  # type: ignore[attr-defined]
        os.truncate(path, path.stat().st_size - torn)
        again, stop = started(gateway, path, BEGIN)
        found = until(again, len(SOURCE))
        stop()
        found += list(again)
    assert records(found) == SOURCE
    assert records(open_source([str(path)])) == SOURCE
    assert kinds(found) == ["warmup", "live", "end"]


def test_a_recorded_stream_reads_as_it_was_live(tmp_path: Path) -> None:
    path = tmp_path / "c.dbn"
    with serve(f"fin@{HALF}", source=SHORT, speed=20.0) as gateway:
        blocks, stop = started(gateway, path, BEGIN)
        found = until(blocks, len(SOURCE))
        stop()
        found += list(blocks)
    assert kinds(found) == ["live", "stale", "reconnect", "end"]
    assert list(pieces(open_source([str(path)]))) == list(pieces(found))
