"""The vendor's key, where it may stand and who may read it; and files that are replaced as a whole."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from qmo_cli.errors import NotEntitled
from qmo_cli.feeds.keys import api_key, find_key, find_secret
from qmo_cli.places import cache_file, configuration_file, data_file, replace_file

SECRET = "db-very-secret-key"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a key."""
    for name in ("DATABENTO_API_KEY", "CREDENTIALS_DIRECTORY", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def put(path: Path, text: str = SECRET + "\n", mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_without_a_key_it_is_said_where_to_put_one(home: Path) -> None:
    with pytest.raises(NotEntitled, match=r"set DATABENTO_API_KEY, or put .*/config/qmo/databento.key") as no:
        api_key()
    assert no.value.exit_code == 77


def test_the_environment_comes_first_then_the_credentials_then_the_configuration(
    home: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    put(home / "config" / "qmo" / "databento.key", "db-of-the-configuration")
    assert api_key() == "db-of-the-configuration"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(home / "credentials"))
    assert api_key() == "db-of-the-configuration"
    put(home / "credentials" / "databento.key", " db-of-systemd \n")
    assert api_key() == "db-of-systemd"
    monkeypatch.setenv("DATABENTO_API_KEY", " db-of-the-environment\n")
    assert find_key() == ("db-of-the-environment", "DATABENTO_API_KEY")


def test_a_credential_has_the_mode_that_systemd_gives_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(home / "credentials"))
    put(home / "credentials" / "databento.key", mode=0o440)  # an access list shows as the bits of the group
    assert api_key() == SECRET


@pytest.mark.parametrize("mode", [0o444, 0o460, 0o640 | 0o004])
def test_a_credential_that_anybody_can_reach_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch, mode: int) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(home / "credentials"))
    put(home / "credentials" / "databento.key", mode=mode)
    with pytest.raises(NotEntitled, match="can be read by others"):
        api_key()


def test_an_empty_credential_is_none_and_the_next_place_counts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(home / "credentials"))
    put(home / "credentials" / "databento.key", "\n", mode=0o440)
    with pytest.raises(NotEntitled, match="no Databento key"):
        api_key()
    put(home / "config" / "qmo" / "databento.key")
    assert api_key() == SECRET


def test_other_secrets_have_the_same_places(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_secret("QMO_TOKEN", "serve.token") == ("", "")
    path = put(home / "config" / "qmo" / "serve.token", "t0ken\n")
    assert find_secret("QMO_TOKEN", "serve.token") == ("t0ken", str(path))
    monkeypatch.setenv("QMO_TOKEN", "another")
    assert find_secret("QMO_TOKEN", "serve.token") == ("another", "QMO_TOKEN")


def test_an_empty_variable_is_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABENTO_API_KEY", "  ")
    put(home / "config" / "qmo" / "databento.key")
    assert api_key() == SECRET


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666, 0o644, 0o700 | 0o010])
def test_a_file_that_others_can_reach_is_refused_with_the_remedy(home: Path, mode: int) -> None:
    path = put(home / "config" / "qmo" / "databento.key", mode=mode)
    with pytest.raises(NotEntitled, match=f"chmod 600 {path}") as refused:
        api_key()
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_of_ones_own_is_read(home: Path, mode: int) -> None:
    put(home / "config" / "qmo" / "databento.key", mode=mode)
    assert api_key() == SECRET


@pytest.mark.parametrize("damaged", [
    f"{SECRET} {SECRET}", f"{SECRET}|x", f"{SECRET}\nmore", f"{SECRET}\N{EURO SIGN}", f"{SECRET}\x07", "db-1",
])
def test_a_damaged_key_is_refused_and_not_shown(home: Path, monkeypatch: pytest.MonkeyPatch, damaged: str) -> None:
    monkeypatch.setenv("DATABENTO_API_KEY", damaged)
    with pytest.raises(NotEntitled, match="in DATABENTO_API_KEY is damaged") as refused:
        api_key()
    assert damaged not in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_file_that_is_no_text_is_refused_and_not_shown(home: Path) -> None:
    path = put(home / "config" / "qmo" / "databento.key")
    path.write_bytes(b"db-\xff\xfe secret")
    with pytest.raises(NotEntitled, match=r"databento\.key") as refused:
        api_key()
    assert "secret" not in str(refused.value)


def test_places_are_the_usual_ones_and_follow_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_file("x") == home / ".local" / "share" / "qmo" / "x"
    assert cache_file("x") == home / ".cache" / "qmo" / "x"
    assert configuration_file("x") == home / "config" / "qmo" / "x"
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert cache_file("x") == Path("/elsewhere/qmo/x")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_file("x") == home / ".cache" / "qmo" / "x"


def test_a_file_is_replaced_as_a_whole_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    replace_file(path, b"one")
    replace_file(path, b"two")
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["file"]


def test_what_cannot_be_written_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "file"
    replace_file(path, b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("qmo_cli.places.os.replace", full)
    with pytest.raises(OSError, match="No space"):
        replace_file(path, b"new")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("file", b"old")]


def test_a_reader_sees_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path, wanted = tmp_path / "file", {bytes([number]) * 200_000 for number in range(40)}
    replace_file(path, min(wanted))

    def write() -> None:
        for data in sorted(wanted):
            replace_file(path, data)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    seen = set()
    while writer.is_alive():
        seen.add(path.read_bytes())
    writer.join(10)
    assert seen <= wanted
