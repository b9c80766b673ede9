"""Every mistake a user or a source can make: one clear message, the right exit code, nothing lost, no traceback."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from .test_process import Environment, shell

MAKE = "qmo feed sim --records 300 --seed 7"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, shell_environment: Environment) -> Path:
    """A folder with good files of simulated records: a.ndjson, a.dbn, a.dbn.zst."""
    import zstandard

    made = tmp_path_factory.mktemp("good")
    assert shell(f"{MAKE} > a.ndjson && {MAKE} --encoding dbn > a.dbn", shell_environment, cwd=made).returncode == 0
    (made / "a.dbn.zst").write_bytes(zstandard.compress((made / "a.dbn").read_bytes()))
    return made


@pytest.fixture
def folder(good: Path, tmp_path: Path) -> Path:
    """A copy of it, in which a test may do as it likes."""
    shutil.copytree(good, tmp_path, dirs_exist_ok=True)
    return tmp_path


def fails(command: str, code: int, folder: Path, environment: Environment, *says: str) -> list[bytes]:
    """Run it, check its exit code and that one message says everything it must; return the lines it printed."""
    done = shell(command, environment, cwd=folder)
    complaint = done.stderr.decode()
    assert done.returncode == code, complaint
    assert complaint.startswith(("qmo ", "qmo: ")), complaint
    assert "Traceback" not in complaint
    assert "bug in qmo" not in complaint
    for words in says:
        assert words in complaint
    return done.stdout.splitlines()


def edit(folder: Path, number: int, **changes: object) -> None:
    """Write bad.ndjson: a.ndjson with some fields of one line changed."""
    lines = (folder / "a.ndjson").read_text().splitlines()
    lines[number - 1] = json.dumps({**json.loads(lines[number - 1]), **changes}, separators=(",", ":"))
    (folder / "bad.ndjson").write_text("\n".join(lines) + "\n")


def line_with_action(folder: Path, action: str, after: int = 100) -> int:
    """The number of the first line with this action after a number of lines."""
    lines = (folder / "a.ndjson").read_text().splitlines()
    actions = enumerate((json.loads(line)["action"] for line in lines), 1)
    return next(number for number, found in actions if number > after and found == action)


@pytest.mark.parametrize("command", ["feed", "run"])
def test_a_missing_file_is_named(command: str, folder: Path, shell_environment: Environment) -> None:
    assert fails(f"qmo {command} nowhere.dbn", 69, folder, shell_environment, "nowhere.dbn") == []


def test_a_folder_is_not_a_source(folder: Path, shell_environment: Environment) -> None:
    fails("qmo feed .", 69, folder, shell_environment, ".")


def test_a_glob_that_fits_nothing_is_named(folder: Path, shell_environment: Environment) -> None:
    fails("qmo feed 'nothing-*.dbn'", 69, folder, shell_environment, "nothing-*.dbn")


@pytest.mark.parametrize("name", ["a.dbn", "a.dbn.zst"])
def test_a_truncated_file_gives_all_before_the_damage(
    name: str, folder: Path, shell_environment: Environment,
) -> None:
    whole = (folder / name).read_bytes()
    (folder / f"cut-{name}").write_bytes(whole[:-5])
    printed = fails(f"qmo feed cut-{name}", 65, folder, shell_environment, f"cut-{name}")
    good = (folder / "a.ndjson").read_bytes().splitlines()
    assert printed == good[: len(printed)]
    assert name == "a.dbn.zst" or len(printed) == len(good) - 1


@pytest.mark.parametrize("content", [b"", b"DBN", b"this is not market data\n", b"\x00" * 100, b"[1, 2]\n", b"{\n"])
def test_an_empty_file_and_garbage_are_bad_data(
    content: bytes, folder: Path, shell_environment: Environment,
) -> None:
    (folder / "garbage").write_bytes(content)
    assert fails("qmo feed garbage", 65, folder, shell_environment, "garbage") == []


def test_a_corrupt_line_is_named_and_the_lines_before_it_are_delivered(
    folder: Path, shell_environment: Environment,
) -> None:
    lines = (folder / "a.ndjson").read_bytes().splitlines()
    lines[199] = lines[199][:40]
    (folder / "bad.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    printed = fails("qmo feed bad.ndjson", 65, folder, shell_environment, "bad.ndjson, line 200")
    assert printed == lines[:199]


@pytest.mark.parametrize(("field", "value"), [
    ("price", "a lot"), ("size", -1), ("size", 1.5), ("ts_event", "yesterday"), ("order_id", None), ("action", "Z"),
    ("side", "X"), ("flags", 256), ("instrument_id", "GC"), ("sequence", -1),
])
def test_a_wrong_value_names_line_and_field(
    field: str, value: object, folder: Path, shell_environment: Environment,
) -> None:
    edit(folder, 150, **{field: value})
    printed = fails("qmo feed bad.ndjson", 65, folder, shell_environment, "bad.ndjson, line 150", field)
    assert len(printed) == 149


def test_a_missing_field_is_named(folder: Path, shell_environment: Environment) -> None:
    lines = (folder / "a.ndjson").read_text().splitlines()
    record = json.loads(lines[9])
    del record["size"]
    lines[9] = json.dumps(record)
    (folder / "bad.ndjson").write_text("\n".join(lines) + "\n")
    fails("qmo feed bad.ndjson", 65, folder, shell_environment, "bad.ndjson, line 10", "size")


def test_the_price_of_an_add_must_be_known(folder: Path, shell_environment: Environment) -> None:
    number = line_with_action(folder, "A")
    edit(folder, number, price=None)
    fails("qmo run bad.ndjson", 65, folder, shell_environment, f"bad.ndjson, line {number}", "price")


def test_time_must_not_run_back_more_than_a_second(folder: Path, shell_environment: Environment) -> None:
    lines = (folder / "a.ndjson").read_text().splitlines()
    record = json.loads(lines[199])
    times = {name: str(int(record[name]) - 3_600_000_000_000) for name in ("ts_event", "ts_recv")}
    edit(folder, 200, **times)
    fails("qmo run bad.ndjson", 65, folder, shell_environment, "bad.ndjson, line 200", "time goes backward")


@pytest.mark.parametrize(("command", "missing"), [
    ("qmo score < a.ndjson", "qmo route"),
    ("qmo signal < a.ndjson", "qmo route"),
    ("qmo route < a.ndjson | qmo signal", "qmo score"),
    ("qmo route < a.ndjson | qmo route", "packet"),
    ("qmo run a.ndjson | qmo score", "signal"),
])
def test_the_wrong_kind_of_line_names_the_stage_that_is_missing(
    command: str, missing: str, folder: Path, shell_environment: Environment,
) -> None:
    fails(f"set -o pipefail; {command}", 65, folder, shell_environment, missing)


@pytest.mark.parametrize("command", [
    "qmo nonsense", "qmo feed --nonsense", "qmo feed sim --schema nonsense", "qmo feed sim --start yesterday",
    "qmo route --every soon < a.ndjson", "qmo route --access l9 < a.ndjson", "qmo engine < a.ndjson",
    "qmo engine nonsense < a.ndjson", "qmo schema nonsense", "qmo score --phase nonsense < a.ndjson",
    "qmo engine all --set nonsense < a.ndjson", "qmo feed sim --encoding xml",
])
def test_what_does_not_exist_is_a_usage_error(command: str, folder: Path, shell_environment: Environment) -> None:
    done = shell(command, shell_environment, cwd=folder)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Traceback" not in done.stderr


def test_skip_bad_goes_on_counts_and_says_so_in_the_stream(folder: Path, shell_environment: Environment) -> None:
    edit(folder, 150, price="a lot")
    done = shell("qmo feed --skip-bad bad.ndjson", shell_environment, cwd=folder)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    notices = [record for record in records if record["schema"] == "system"]
    assert done.returncode == 0
    assert len(records) - len(notices) == len((folder / "a.ndjson").read_bytes().splitlines()) - 1
    assert "skipped" in json.dumps(notices)
    assert b"Traceback" not in done.stderr


def configured(text: str, folder: Path) -> str:
    """Write a configuration file and return the option that names it."""
    (folder / "qmo.toml").write_text(text)
    return "qmo --config qmo.toml"


@pytest.mark.parametrize(("text", "says"), [
    ("[route]\nevry = '1s'\n", "evry"), ("[rout]\nevery = '1s'\n", "rout"), ("every = '1s'\n", "every"),
    ("[route]\nsweep_levels = 'three'\n", "sweep_levels"), ("[engine.icebrg]\nzone_ticks = 3\n", "icebrg"),
    ("[engine.iceberg]\nzone_tick = 3\n", "zone_tick"), ("not toml", "TOML"),
])
def test_a_wrong_key_in_the_configuration_names_file_and_key(
    text: str, says: str, folder: Path, shell_environment: Environment,
) -> None:
    fails(f"{configured(text, folder)} run a.ndjson", 78, folder, shell_environment, "qmo.toml", says)


def test_a_configuration_file_that_is_not_there_is_named(folder: Path, shell_environment: Environment) -> None:
    fails("qmo --config nowhere.toml run a.ndjson", 78, folder, shell_environment, "nowhere.toml")
