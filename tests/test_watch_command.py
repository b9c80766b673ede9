"""``qmo watch`` where no terminal is drawn on: pictures as text, from files, pipes, the chain and a server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from qmo_cli.board import Board
from qmo_cli.cli import cli
from qmo_cli.commands.watch import Tail, asks, begun
from qmo_cli.errors import BadData
from qmo_cli.feeds.live.options import LiveOptions
from qmo_cli.tray import Packet
from qmo_cli.watch.options import WatchOptions
from qmo_cli.watch.plain import Printer, of_packets
from qmo_cli.watch.sight import BoardSight

from .plotting import line
from .test_process import Environment, shell
from .watching import TEXT, signal

DECISIONS = ["HOLD", "HOLD", "BUY", "BUY", "HOLD", "SELL"]


def qmo(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(cli, ["--config", os.devnull, "watch", *arguments], env={"COLUMNS": "80", "LINES": "24"})


def packet(number: int, kind: str, series: str = "GC.v.0") -> Packet:
    """A packet with a decision; an episode has an id."""
    said = signal(kind, "hold" if kind == "HOLD" else "active")
    said["signal"] |= {"id": None if kind == "HOLD" else kind}
    return Packet.decode(json.dumps(line(number, 2500.0 + number, trades=1, signal=said, series=series)).encode())


def printed(packets: list[Packet], **options: object) -> list[str]:
    """The pictures that are printed of packets."""
    board = Board()
    printer = Printer(BoardSight(board, aged=False), TEXT, 80, 24, 60, **options)  # type: ignore[arg-type]
    return [piece.decode() for piece in of_packets(printer, board, [[packet] for packet in packets])]


def numbers(pictures: list[str]) -> list[int]:
    """Which packet each picture is of."""
    return [int(picture.split("#")[-1].split()[0]) for picture in pictures]


def test_a_picture_is_printed_at_every_change_of_the_decision_and_at_the_end() -> None:
    packets = [packet(number, kind) for number, kind in enumerate(DECISIONS, 1)]
    assert numbers(printed(packets)) == [3, 5, 6]
    assert numbers(printed([*packets, packet(7, "SELL")])) == [3, 5, 6, 7]


def test_once_prints_the_end_alone() -> None:
    packets = [packet(number, kind) for number, kind in enumerate(DECISIONS, 1)]
    assert numbers(printed(packets, once=True)) == [6]


def test_an_interval_is_one_of_market_time() -> None:
    packets = [packet(number, "HOLD") for number in range(55, 200, 5)]     # s after half past
    found = printed(packets, every=60 * 10**9)
    times = [picture.strip().splitlines()[1].split()[1] for picture in found]
    assert times == ["15:31:05Z", "15:32:05Z", "15:33:05Z", "15:33:15Z"]


def test_every_series_has_its_picture_at_the_end() -> None:
    found = printed([packet(1, "HOLD"), packet(2, "HOLD", "SI.v.0")], once=True)
    assert [picture.split()[0] for picture in found] == ["GC.v.0", "SI.v.0"]
    assert found[1].startswith("\n")


def test_what_ends_the_input_is_in_the_last_picture_and_raised_after_it() -> None:
    def damaged() -> Iterator[list[Packet]]:
        yield [packet(1, "BUY")]
        raise BadData("line 2 is damaged")

    board, pieces = Board(), []
    with pytest.raises(BadData, match="line 2"):
        pieces += list(of_packets(Printer(BoardSight(board), TEXT, 80, 24, 60), board, damaged()))
    board = Board()
    pictures = of_packets(Printer(BoardSight(board), TEXT, 80, 24, 60), board, damaged())
    assert "BUY" in next(pictures).decode()
    last = next(pictures).decode()
    assert "FAILED: line 2 is damaged" in last
    assert "(HOLD) STALE" in last


def test_the_picture_of_a_source_is_that_of_its_packets_in_a_pipe(shell_environment: Environment) -> None:
    simulated = "sim --minutes 3 --rate 30 --seed 9"
    done = shell(
        f"set -o pipefail; qmo watch {simulated} --once > a;"
        f"qmo run {simulated} --full | tee c | qmo watch - --once > b;"
        f"qmo watch c --once > d; cmp a b && cmp a d && wc -l < c && cat a",
        shell_environment, cwd=shell_environment["HOME"])
    assert (done.returncode, done.stderr) == (0, b"")
    number, _, text = done.stdout.decode().partition("\n")
    assert "[SIMULATED]" in text.splitlines()[0]
    assert text.rstrip().endswith(f"#{number}")
    assert "\x1b" not in text
    assert len(text.splitlines()) == 24


def test_size_and_ascii_can_be_asked_for(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    file = tmp_path / "packets.ndjson"
    file.write_bytes(packet(1, "BUY").encode() + b"\n")
    result = qmo(str(file), "--once", "--width", "60", "--height", "12", "--ascii")
    assert result.exit_code == 0
    rows = capfdbinary.readouterr().out.splitlines()
    assert all(row.isascii() for row in rows)
    assert max(map(len, rows)) == 60
    assert len(rows) == 12


@pytest.mark.parametrize("arguments", [
    ("--width", "0"), ("--height", "5000"), ("--interval", "10ms"), ("--interval", "soon"), ("--step", "2m"),
    ("http://a:b@localhost:1",), ("http://localhost:1", "http://localhost:2"),
])
def test_what_makes_no_sense_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    result = qmo("--once", *arguments)
    assert result.exit_code == 2


def test_of_what_is_said_while_a_screen_is_drawn_the_last_is_kept() -> None:
    kept = Tail()
    for number in range(100):
        print(number, file=kept)
    assert "".join(kept.pieces).split() == [str(number) for number in range(90, 100)]


@pytest.mark.parametrize(("source", "warmup", "asked"), [
    (("history",), None, True), (("live",), "30d", True), (("live",), None, False), (("sim",), None, False),
    ((), None, False),
])
def test_a_screen_waits_for_the_first_packet_where_a_question_may_come_before_it(
    source: tuple[str, ...], warmup: str | None, asked: bool,
) -> None:
    assert asks(source, LiveOptions(warmup=warmup)) is asked


def test_the_first_batch_is_not_lost_by_waiting_for_it() -> None:
    taken: list[int] = []

    def batches() -> Iterator[list[Packet]]:
        for number in (1, 2):
            taken.append(number)
            yield [packet(number, "HOLD")]

    waiting = begun(batches())
    assert taken == [1]
    assert [batch[0].price for batch in waiting] == [2501.0, 2502.0]
    assert list(begun(iter([]))) == []


def test_the_lengths_of_candles_are_those_of_the_board() -> None:
    from qmo_cli.board.frame import STEPS

    assert tuple(WatchOptions(step=step).seconds() for step in ("15s", "1m", "5m")) == STEPS
