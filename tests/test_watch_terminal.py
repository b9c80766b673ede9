"""``qmo watch`` on a real terminal, as a process: drawn, resized, stopped, left, and given back as it was."""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qmo_cli.watch.show import Show
from qmo_cli.watch.terminal import Terminal, difference

from .plotting import line
from .test_process import Environment
from .watching import Emulator

PATIENCE = 40.0      # s, before something that should have happened counts as hanging
# Standard output, or the descriptor named, becomes the terminal of the process before the command runs.
TAKE = "import fcntl, os, sys, termios; fcntl.ioctl(1, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"


class Session:
    """A process on a terminal of its own, and what its screen shows."""

    def __init__(self, command: list[str], environment: Environment, stdin: int | None = None) -> None:
        self.ours, self.theirs = pty.openpty()
        self.screen = Emulator(80, 24)
        self.sent, self.decoder = "", codecs.getincrementaldecoder("utf-8")()
        self.resize(80, 24, tell=False)
        self.before = termios.tcgetattr(self.theirs)
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            [sys.executable, "-c", TAKE, *command], start_new_session=True, env=environment,
            stdin=self.theirs if stdin is None else stdin, stdout=self.theirs, stderr=self.theirs,
        )

    def close(self) -> None:
        """End it at last."""
        self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)

    def hang_up(self) -> None:
        """Take the terminal away."""
        os.close(self.ours)
        os.close(self.theirs)
        self.ours, self.theirs = pty.openpty()       # for close()

    def resize(self, columns: int, rows: int, *, tell: bool = True) -> None:
        """Give the terminal another size."""
        if tell:
            self.screen.columns, self.screen.rows = columns, rows
            self.screen.clear()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.ours, keys)

    def read(self, seconds: float = 0.1) -> None:
        """Show what has been sent."""
        if select.select([self.ours], [], [], seconds)[0]:
            text = self.decoder.decode(os.read(self.ours, 1 << 16))
            self.sent += text
            self.screen.feed(text)

    def until(self, true: Callable[[str], bool]) -> str:
        """Read until the screen shows something."""
        end = time.monotonic() + PATIENCE
        while not true(self.screen.shown()):
            assert time.monotonic() < end, f"it never came; there is\n{self.screen.shown()}"
            self.read()
        return self.screen.shown()

    def ended(self) -> int:
        """Read until the process ends; its exit code."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < end, f"it does not end; there is\n{self.screen.shown()}"
            self.read(0.02)
        while select.select([self.ours], [], [], 0.1)[0]:
            self.read(0)
        return self.process.returncode

    def given_back(self) -> bool:
        """Whether the terminal is as it was."""
        screen = self.screen
        return (not screen.other, screen.cursor, screen.wrap, termios.tcgetattr(self.theirs)) == (
            True, True, True, self.before)


@contextmanager
def session(command: str, environment: Environment, stdin: int | None = None) -> Iterator[Session]:
    """A command on a terminal."""
    terminal = {**environment, "TERM": "xterm-256color", "QMO_CONFIG": os.devnull}
    del terminal["NO_COLOR"]
    opened = Session(command.split(), terminal, stdin)
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packets of two minutes."""
    path = tmp_path_factory.mktemp("watch") / "packets.ndjson"
    path.write_text("".join(json.dumps(line(number, 2500.0 + number % 4, trades=2)) + "\n" for number in range(1, 121)))
    return path


def test_the_picture_follows_keys_and_the_size_of_the_window_until_q(
    file: Path, shell_environment: Environment,
) -> None:
    with session(f"qmo watch {file}", shell_environment) as terminal:
        first = terminal.until(lambda shown: "ENDED" in shown and "1 min candles" in shown)
        assert "2500.0 ─ 0" in first.splitlines()[0]
        assert "REPLAY" in first.splitlines()[0]
        assert (terminal.screen.other, terminal.screen.cursor) == (True, False)
        assert "\x1b[38;5;" in terminal.sent
        terminal.press(b"s")
        terminal.until(lambda shown: "5 min candles" in shown)
        terminal.resize(60, 15)
        smaller = terminal.until(lambda shown: "5 min candles" in shown)
        assert len(smaller.splitlines()) == 15
        assert max(map(len, smaller.splitlines())) <= 60
        terminal.press(b"?")
        terminal.until(lambda shown: "next length of a candle" in shown)
        terminal.press(b"x")
        terminal.until(lambda shown: "next length of a candle" not in shown)
        terminal.press(b"q")
        assert terminal.ended() == 0
        assert terminal.given_back()


@pytest.mark.parametrize(("number", "code"), [
    (signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, -signal.SIGHUP),
])
def test_a_signal_gives_the_terminal_back_before_it_ends_the_process(
    number: signal.Signals, code: int, file: Path, shell_environment: Environment,
) -> None:
    with session(f"qmo watch {file}", shell_environment) as terminal:
        terminal.until(lambda shown: "ENDED" in shown)
        if number == signal.SIGINT:
            terminal.press(b"\x03")
        else:
            terminal.process.send_signal(number)
        assert terminal.ended() == code
        assert terminal.given_back()


def test_a_terminal_that_is_gone_ends_the_process(file: Path, shell_environment: Environment) -> None:
    reading, writing = os.pipe()
    with session("qmo watch -", shell_environment, stdin=reading) as terminal:
        os.close(reading)
        os.write(writing, file.read_bytes()[:20_000].rpartition(b"\n")[0] + b"\n")
        terminal.until(lambda shown: "REPLAY" in shown)
        terminal.hang_up()
        assert terminal.process.wait(PATIENCE) in (0, -signal.SIGHUP)
        os.close(writing)


def test_data_comes_from_the_pipe_and_keys_from_the_terminal(file: Path, shell_environment: Environment) -> None:
    reading, writing = os.pipe()
    with session("qmo watch -", shell_environment, stdin=reading) as terminal:
        os.close(reading)
        lines = file.read_bytes().splitlines(keepends=True)
        os.write(writing, b"".join(lines[:60]))
        terminal.until(lambda shown: "#60" in shown)
        terminal.press(b" ")
        terminal.until(lambda shown: "PAUSED" in shown)
        os.write(writing, b"".join(lines[60:70]))
        terminal.press(b" ")
        terminal.until(lambda shown: "#70" in shown and "PAUSED" not in shown)
        terminal.press(b"q")
        assert terminal.ended() == 0
        assert terminal.given_back()
        os.close(writing)


def test_a_damaged_line_ends_the_feed_and_its_exit_code_comes_when_the_screen_is_left(
    file: Path, shell_environment: Environment,
) -> None:
    reading, writing = os.pipe()
    with session("qmo watch -", shell_environment, stdin=reading) as terminal:
        os.close(reading)
        os.write(writing, file.read_bytes()[:20_000].rpartition(b"\n")[0] + b"\n")
        terminal.until(lambda shown: "REPLAY" in shown)
        os.write(writing, b"{broken\n")
        os.close(writing)
        terminal.until(lambda shown: "FAILED: -, line" in shown)
        terminal.press(b"q")
        assert terminal.ended() == 65
        assert terminal.given_back()
        assert "qmo watch: -, line" in terminal.screen.shown()


@pytest.mark.skipif(sys.platform != "linux", reason="needs job control as Linux has it")
def test_ctrl_z_gives_the_terminal_back_and_fg_draws_again(file: Path, shell_environment: Environment) -> None:
    script = f"set -m; qmo watch {file}; echo STOPPED; fg; echo LEFT $?"
    with contextlib.closing(Session(["bash", "-c", script], {**shell_environment, "TERM": "xterm"})) as terminal:
        terminal.until(lambda shown: "ENDED" in shown)
        terminal.press(b"\x1a")
        terminal.until(lambda shown: terminal.sent.count("\x1b[?1049h") >= 2 and "ENDED" in shown)
        while_stopped = terminal.sent.split("\x1b[?1049l")[1].split("\x1b[?1049h")[0]
        assert "STOPPED" in while_stopped
        terminal.press(b"q")
        terminal.until(lambda shown: "LEFT 0" in shown)
        assert terminal.given_back()


def test_a_terminal_that_does_not_read_holds_nobody_up(file: Path, shell_environment: Environment) -> None:
    reading, writing = os.pipe()
    lines = file.read_bytes().splitlines(keepends=True)
    with session("qmo watch -", shell_environment, stdin=reading) as terminal:
        os.close(reading)
        os.write(writing, b"".join(lines[:5]))
        terminal.until(lambda shown: "REPLAY" in shown)
        for number in range(20):                    # 6 MB: more than pipe and terminal hold
            os.write(writing, b"".join(lines))
            terminal.resize(80 + number, 24, tell=False)
            time.sleep(0.05)
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.process.wait(PATIENCE) == 143
        os.close(writing)


def test_without_a_keyboard_the_last_picture_stays_and_the_process_leaves(
    file: Path, shell_environment: Environment,
) -> None:
    ours, theirs = pty.openpty()        # nobody's controlling terminal
    environment = {**shell_environment, "TERM": "xterm-256color"}
    try:
        process = subprocess.Popen(
            ["qmo", "watch", str(file)], stdin=subprocess.DEVNULL, stdout=theirs, env=environment,
            start_new_session=True)
        screen, data = Emulator(80, 24), b""
        while process.poll() is None or select.select([ours], [], [], 0.1)[0]:
            if select.select([ours], [], [], 0.1)[0]:
                data += os.read(ours, 1 << 16)
        screen.feed(data.decode())
    finally:
        os.close(ours)
        os.close(theirs)
    assert process.returncode == 0
    assert not screen.other
    assert "ENDED" in screen.shown()
    assert screen.shown().count("GC.v.0 GCG6") == 1
    assert b"38;5;" not in data          # NO_COLOR


# ---- the thread that draws


class Counting:
    """Pictures that are counted, or fail."""

    keyboard = False

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.pictures = 0

    def picture(self, width: int, height: int) -> list[str]:
        self.pictures += 1
        if self.error is not None:
            raise self.error
        return [str(self.pictures)]

    def last(self, terminal: Terminal) -> list[str]:
        return ["the last"]


@contextmanager
def shown(glance: Counting) -> Iterator[Show]:
    """A thread that draws into a pipe."""
    reading, writing = os.pipe2(os.O_NONBLOCK)
    with Show(glance, Terminal(writing, None)) as show:  # type: ignore[arg-type]
        yield show
    written = b""
    with contextlib.suppress(BlockingIOError):
        while data := os.read(reading, 1 << 16):
            written += data
    assert written.endswith(b"\x1b[?1049lthe last\r\n")
    os.close(reading)


def test_however_much_is_heard_there_are_ten_pictures_a_second_at_most() -> None:
    glance, begun = Counting(), time.monotonic()
    with shown(glance) as show:
        while glance.pictures < 5:
            show.heard()
    assert 5 <= glance.pictures <= (time.monotonic() - begun) / 0.1 + 2


def test_a_failure_of_the_drawing_ends_the_feed_and_is_kept_to_be_raised() -> None:
    class Stopped(Exception):
        pass

    def stop(number: int, frame: object) -> None:
        raise Stopped

    show = Show(Counting(ZeroDivisionError("a bug")), Terminal(os.dup(1), None))  # type: ignore[arg-type]
    before = signal.signal(signal.SIGTERM, stop)
    try:
        with pytest.raises(Stopped), show:
            time.sleep(PATIENCE)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert isinstance(show.error, ZeroDivisionError)
    assert show.left.is_set()
    assert not show.quit


# ---- the terminal alone


def test_only_changed_lines_are_sent_again() -> None:
    assert difference(["aaa", "bbb"], ["aaa", "ccc"]) == "\x1b[2;1Hccc"
    assert difference(["aaa"], ["aaa"]) == ""
    assert difference(["aaa"], ["aaa", "bbb"]).startswith("\x1b[H\x1b[2J")


def test_a_terminal_that_is_full_gets_the_newest_picture_later() -> None:
    reading, writing = os.pipe2(os.O_NONBLOCK)
    terminal = Terminal(writing, None)
    terminal.draw(["x" * 80] * 1000)                 # 80 kB: more than the pipe holds
    assert terminal.pending
    terminal.draw(["never shown"] * 1000)
    taken = b""
    while terminal.pending:
        taken += os.read(reading, 1 << 16)
        terminal.flush()
    terminal.draw(["y" * 80] * 1000)
    with contextlib.suppress(BlockingIOError):
        while True:
            taken += os.read(reading, 1 << 16)
    assert taken.count(b"x" * 80) == 1000
    assert b"never" not in taken
    assert b"y" * 80 in taken
    terminal.close()
    os.close(reading)
