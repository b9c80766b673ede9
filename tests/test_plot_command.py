"""``qmo plot`` as a command: what it reads, where it writes, what it says when it cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from click.testing import CliRunner, Result

from qmo_cli.cli import cli
from qmo_cli.feeds.inputs import Source

from .conftest import ROOT
from .plotting import line
from .test_process import Environment, shell

PNG = b"\x89PNG\r\n\x1a\n"
SIMULATED = "sim --minutes 2 --rate 30 --icebergs 0.05 --seed 9"
SMALL = "--size 640x400"


class Stdin(Source):
    """Standard input, which nobody closes."""

    def close(self) -> None:
        pass


def qmo(*arguments: str, stdin: bytes = b"") -> Result:
    """Run the command in this process, with these bytes on its standard input."""
    with TemporaryFile() as file, pytest.MonkeyPatch.context() as patch:
        file.write(stdin)
        file.seek(0)
        patch.setattr("qmo_cli.feeds.files.open_stdin", lambda: Stdin("-", file.fileno()))
        return CliRunner().invoke(cli, ["--config", os.devnull, "plot", *arguments])


def packets(*lines: object) -> bytes:
    """Lines as a pipe carries them."""
    return b"".join(json.dumps(one).encode() + b"\n" for one in lines)


@pytest.fixture(scope="session")
def drawing(shell_environment: Environment) -> Environment:
    """An environment in which matplotlib finds its list of fonts, instead of making one and saying so."""
    mpl = pytest.importorskip("matplotlib")
    pytest.importorskip("matplotlib.font_manager")
    return {**shell_environment, "MPLCONFIGDIR": mpl.get_cachedir()}


# ---- from a pipe as from the source


@pytest.fixture(scope="module")
def drawings(drawing: Environment, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The same market drawn from the source, from packets and from records in a pipe, each by a process of its own."""
    folder = tmp_path_factory.mktemp("pictures")
    commands = {
        "source": f"qmo plot {SIMULATED} {SMALL}",
        "packets": f"qmo feed {SIMULATED} | qmo route | qmo engine all | qmo score | qmo signal --full"
                   f" | qmo plot - {SMALL}",
        "run": f"qmo run {SIMULATED} --full | tee packets.ndjson | qmo plot {SMALL}",
        "records": f"qmo feed {SIMULATED} | qmo plot - {SMALL}",
        "dbn": f"qmo feed {SIMULATED} --encoding dbn | qmo plot - {SMALL}",
        "file": f"qmo plot packets.ndjson {SMALL}",
        "svg": f"qmo plot {SIMULATED} {SMALL} --format svg",
        "svg again": f"cat packets.ndjson | qmo plot {SMALL} --out again.svg; cat again.svg",
    }
    found = {}
    for seed, (name, command) in enumerate(commands.items()):
        done = shell(f"set -o pipefail; {command}", {**drawing, "PYTHONHASHSEED": str(seed)}, cwd=folder)
        assert (done.returncode, done.stderr) == (0, b""), (command, done.stderr)
        found[name] = done.stdout
    return found


@pytest.mark.parametrize("name", ["packets", "run", "records", "dbn", "file"])
def test_a_pipe_draws_the_very_bytes_that_the_source_draws(name: str, drawings: dict[str, bytes]) -> None:
    assert drawings["source"].startswith(PNG)
    assert drawings[name] == drawings["source"]


def test_svg_is_the_same_bytes_from_process_to_process(drawings: dict[str, bytes]) -> None:
    assert drawings["svg"].lstrip().startswith(b"<?xml")
    assert drawings["svg again"] == drawings["svg"]


def test_packets_without_readings_or_signals_are_drawn_too(drawing: Environment) -> None:
    done = shell(f"qmo feed {SIMULATED} | qmo route | qmo plot - {SMALL}", drawing)
    assert (done.returncode, done.stderr, done.stdout[:8]) == (0, b"", PNG)


# ---- where it goes


@pytest.mark.parametrize(("name", "start"), [("a.png", PNG), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF"), ("A.PNG", PNG)])
def test_the_ending_of_the_file_says_the_format(name: str, start: bytes, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    result = qmo("-", "--out", str(tmp_path / name), stdin=packets(line(1, trades=3), line(2, 2500.1)))
    assert (result.exit_code, result.output) == (0, "")
    assert (tmp_path / name).read_bytes().startswith(start)


def test_a_format_can_be_given_where_the_ending_is_another_s(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert qmo("--out", str(tmp_path / "chart"), "--format", "svg", stdin=packets(line(1))).exit_code == 0
    assert (tmp_path / "chart").read_bytes().startswith(b"<?xml")


def test_from_and_until_choose_a_part(drawings: dict[str, bytes], tmp_path: Path) -> None:
    def drawn(since: str, until: str) -> bytes:
        there = tmp_path / "chart.png"
        chosen = ("--from", f"2026-10-05T{since}Z", "--until", f"2026-10-05T{until}Z")
        result = qmo(*SIMULATED.split(), *SMALL.split(), *chosen, "--out", str(there))
        assert (result.exit_code, result.output) == (0, "")
        return there.read_bytes()

    assert drawn("14:00", "14:02") == drawings["source"]
    assert drawn("14:00:30", "14:01:30") != drawings["source"]


def test_of_several_series_the_choice_is_said_on_stderr_and_quiet_silences_it(drawing: Environment) -> None:
    given = packets(line(1, trades=1), line(1, 10.0, series="SI.v.0", symbol="SIH6"))
    said = [
        subprocess.run(["qmo", "plot", "-", *more], input=given, capture_output=True, env=drawing, check=True)
        .stderr.decode() for more in ((), ("-q",), ("--symbol", "SIH6"))
    ]
    assert said == ["qmo: drawing GC.v.0, the series with most trades; --symbol takes another: SI.v.0\n", "", ""]


# ---- when it cannot


def test_without_matplotlib_it_says_how_to_get_it_before_reading_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qmo_cli.plot.options.find_spec", lambda _: None)
    result = qmo("no-such-file.dbn")
    assert (result.exit_code, result.stderr) == (
        78, "qmo plot: pictures need matplotlib, which is not installed: pip install 'qmo-cli[plot]'\n")


@pytest.mark.parametrize(("arguments", "code", "words"), [
    (["--out", "chart"], 2, "chart: the ending says no format"),
    (["--out", "chart.gif"], 2, "chart.gif: the ending says no format; write .png, .svg or .pdf"),
    (["--size", "big"], 2, "size 'big' is not WIDTHxHEIGHT"),
    (["--size", "100x100"], 2, "from 480x320 to 10000x10000"),
    (["--size", "20000x1000"], 2, "from 480x320 to 10000x10000"),
    (["--timezone", "Mars"], 2, "no time zone 'Mars'"),
    (["--timezone", "../etc"], 2, "no time zone '../etc'"),
    (["--theme", "pink"], 2, "'pink' is not one of"),
])
def test_an_option_that_makes_no_sense_is_refused(arguments: list[str], code: int, words: str) -> None:
    result = qmo(*arguments, stdin=packets(line(1)))
    assert result.exit_code == code
    assert words in result.stderr


@pytest.mark.parametrize(("arguments", "stdin", "code", "words"), [
    (["-"], b"", 65, "nothing to plot: the input holds no packet and no market record"),
    (["-"], packets(line(1, None)), 65, "nothing to plot: no price in 1 frames of GC.v.0"),
    (["-"], packets({"schema": "signal", "v": 1}), 65, "-, line 1: this is a signal; `qmo plot` reads packets"),
    (["-"], b'{"schema":"packet","v":99}\n', 65, "-, line 1: this packet is of another wire version"),
    (["-"], packets(line(1)) + b"oops\n", 65, "-, line 2: not a packet"),
    (["-", "--symbol", "PL"], packets(line(1)), 2, "nothing to plot: no PL; there are GC.v.0"),
    (["-", "--from", "2030-01-01"], packets(line(1)), 2, "nothing to plot in that time: the input has frames from"),
    (["no-such-file.dbn"], b"", 69, "no-such-file.dbn: no such file"),
    (["sim", "--follow"], b"", 2, "with --follow there is none"),
])
def test_an_input_that_gives_no_picture_has_its_exit_code_and_reason(
    arguments: list[str], stdin: bytes, code: int, words: str,
) -> None:
    pytest.importorskip("matplotlib")
    result = qmo(*arguments, stdin=stdin)
    assert result.exit_code == code
    assert words in result.stderr
    assert result.stdout_bytes == b""


def test_a_place_that_cannot_be_written_to_is_named_before_anything_is_read(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    there = tmp_path / "nowhere" / "chart.png"
    result = qmo("no-such-file.dbn", "--out", str(there))
    assert (result.exit_code, result.stderr) == (1, f"qmo plot: {there.parent}: No such file or directory\n")
    folder = tmp_path / "chart.png"
    folder.mkdir()
    result = qmo("no-such-file.dbn", "--out", str(folder))
    assert (result.exit_code, result.stderr) == (1, f"qmo plot: {folder}: Is a directory\n")


def test_a_picture_that_fails_leaves_the_one_before_it_alone(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    there = tmp_path / "chart.png"
    there.write_bytes(b"yesterday's")
    assert qmo("-", "--out", str(there), stdin=b"").exit_code == 65
    assert there.read_bytes() == b"yesterday's"


def test_a_picture_is_not_written_onto_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    from qmo_cli.commands import plot
    from qmo_cli.errors import UsageError
    from qmo_cli.plot import PlotOptions

    monkeypatch.setattr("sys.stdout", type("Terminal", (), {"isatty": lambda _: True})())
    with pytest.raises(UsageError, match="name a file: --out"):
        plot.refuse_picture_on_terminal(PlotOptions())
    plot.refuse_picture_on_terminal(PlotOptions(out="a.png"))


# ---- what it costs those who do not draw


@pytest.mark.parametrize("command", [
    "['run', 'sim', '--records', '500']", "['plot', '--help']", "['engine', '--list']", "['schema', 'packet']",
])
def test_matplotlib_is_loaded_only_to_draw(command: str) -> None:
    program = (
        "import sys\nfrom qmo_cli.cli import cli\n"
        f"cli(['--config', '/dev/null', *{command}], standalone_mode=False)\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not {"matplotlib", "PIL"} & set(done.stderr.split())


def test_collecting_needs_no_matplotlib() -> None:
    program = "import sys, qmo_cli.plot; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not {"matplotlib", "numpy", "click"} & set(done.stdout.split())
