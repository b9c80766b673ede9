"""The log of events in a file: SQLite in WAL mode, appended to by one process, read by several.

A row is named by contract, time, kind and key, so that the same data written again add nothing. A transaction is
whole or not there, whatever happens to the process.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from ...errors import BadData, ConfigurationError, QmoError, SourceUnavailable
from .log import Row

APPLICATION = 0x514D4F31                 # "QMO1", in the file's header
VERSION = 1
BUSY = 50                                # ms that a write waits for another process while packets wait for it
PATIENT = 10_000                         # ms that it waits where nothing else does
LARGEST = 2**63 - 1                      # ns: the end of time

TABLE = """
CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    symbol TEXT NOT NULL,
    ts INTEGER NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (symbol, ts, kind, key)
)
"""
INSERT = "INSERT OR IGNORE INTO event (symbol, ts, kind, key, body) VALUES (?, ?, ?, ?, ?)"


class Event(NamedTuple):
    """One row as it was stored."""

    symbol: str
    ts: int                              # ns
    kind: str
    key: str
    body: bytes


class Store:
    """One file of memory. ``start`` is what was in it when it was opened: later rows are nobody's past.

    Raises SourceUnavailable where the file cannot be opened, BadData where it is damaged or something else, and
    ConfigurationError where another version of qmo wrote it. What it cannot read it does not change.
    """

    def __init__(self, path: str, *, write: bool = False) -> None:
        self.path, self.write = path, write
        self.waiting: list[tuple[str, Row]] = []
        self.closed = False
        with explained(path):
            self.connection = opened(path, write=write)
            self.start = self._last()

    def _last(self) -> int:
        last: int = self.connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0]
        return last

    # --- writing

    def add(self, symbol: str, row: Row) -> None:
        """Remember to write a row at the next ``flush``."""
        self.waiting.append((symbol, row))

    def flush(self, *, patient: bool = False) -> bool:
        """Write what waits, in one transaction; False if another process is writing and it has to wait still."""
        if not self.waiting:
            return True
        with explained(self.path):
            self.connection.execute(f"PRAGMA busy_timeout = {PATIENT if patient else BUSY}")
            try:
                with self.connection:
                    self.connection.execute("BEGIN IMMEDIATE")
                    self.connection.executemany(INSERT, [(symbol, *row) for symbol, row in self.waiting])
            except sqlite3.OperationalError as error:
                if patient or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
                return False
        self.waiting = []
        return True

    def close(self) -> None:
        """Write what waits and let the file go; once is enough."""
        if self.closed:
            return
        try:
            self.flush(patient=True)
        finally:
            self.closed = True
            with suppress(sqlite3.Error):
                self.connection.close()

    def prune(self, before: int, symbols: Sequence[str] = (), *, dry_run: bool = False) -> int:
        """Delete the events before a time; how many there were."""
        where, values = conditions(symbols, 0, before)
        with explained(self.path):
            self.connection.execute(f"PRAGMA busy_timeout = {PATIENT}")
            if dry_run:
                counting = f"SELECT count(*) FROM event WHERE {where}"  # noqa: S608  (only marks: see conditions)
                found: int = self.connection.execute(counting, values).fetchone()[0]
                return found
            with self.connection:
                deleting = f"DELETE FROM event WHERE {where}"  # noqa: S608  (only marks: see conditions)
                return self.connection.execute(deleting, values).rowcount

    # --- reading

    def past(self, symbol: str, since: int, before: int, kinds: Iterable[str]) -> list[Event]:
        """Events of a contract in [since, before) that were there from the start, in the order of time."""
        return list(self.events((symbol,), since, before, kinds, newest=self.start))

    def events(
        self, symbols: Sequence[str] = (), since: int = 0, before: int = LARGEST, kinds: Iterable[str] = (),
        newest: int = LARGEST,
    ) -> Iterator[Event]:
        """Events in [since, before) in the order of time, of all contracts and kinds unless some are named."""
        where, values = conditions(symbols, since, before)
        named = tuple(kinds)
        if named:
            where += f" AND kind IN ({marks(named)})"
        with explained(self.path):
            statement = (
                f"SELECT symbol, ts, kind, key, body FROM event WHERE {where} AND seq <= ? "  # noqa: S608  (only marks)
                "ORDER BY ts, seq")
            yield from map(Event._make, self.connection.execute(statement, (*values, *named, newest)))

    def newest(self, symbols: Sequence[str] = (), before: int = LARGEST) -> int:
        """Time of the newest event, ns; 0 without one."""
        where, values = conditions(symbols, 0, before)
        statement = f"SELECT coalesce(max(ts), 0) FROM event WHERE {where}"  # noqa: S608  (only marks)
        with explained(self.path):
            found: int = self.connection.execute(statement, values).fetchone()[0]
            return found

    def symbols(self) -> list[str]:
        """The contracts of which something is known."""
        with explained(self.path):
            return [row[0] for row in self.connection.execute("SELECT DISTINCT symbol FROM event ORDER BY symbol")]


def conditions(symbols: Sequence[str], since: int, before: int) -> tuple[str, tuple[object, ...]]:
    """The WHERE of a selection, and its values."""
    where = "ts >= ? AND ts < ?"
    if symbols:
        where = f"symbol IN ({marks(symbols)}) AND {where}"
    return where, (*symbols, since, before)


def marks(values: Sequence[object]) -> str:
    """As many question marks as values: the values themselves never stand in a statement."""
    return ", ".join("?" * len(values))


def opened(path: str, *, write: bool) -> sqlite3.Connection:
    """A connection to a file of this version; to write, the file is made if it is not there."""
    if write:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    where = f"{Path(path).absolute().as_uri()}?mode={'rw' if write else 'ro'}"
    connection = sqlite3.connect(where, uri=True, timeout=PATIENT / 1000, isolation_level=None)
    try:
        prepare(connection, path, write=write)
    except BaseException:
        connection.close()
        raise
    return connection


def prepare(connection: sqlite3.Connection, path: str, *, write: bool) -> None:
    """See whose file it is; make the table in an empty one."""
    empty = not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if empty and write:
        connection.execute("PRAGMA journal_mode = WAL")
        create(connection)
    check(connection, path)
    if write:
        connection.execute("PRAGMA synchronous = NORMAL")
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise BadData(damaged(path, "its pages do not fit together"))


def create(connection: sqlite3.Connection) -> None:
    """The table, unless another process has made it in the meantime."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            connection.execute(TABLE)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def check(connection: sqlite3.Connection, path: str) -> None:
    """Refuse a file that is not ours, or not of this version."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION:
        raise BadData(f"{path}: this database is not a memory of qmo; it was left as it is")
    if version != VERSION:
        raise ConfigurationError(
            f"{path}: a memory of version {version}, this qmo reads version {VERSION}; it was left as it is")


@contextmanager
def explained(path: str) -> Iterator[None]:
    """Turn what SQLite says into what a person can act on."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise unavailable(path, error) from error
    except sqlite3.DatabaseError as error:
        raise BadData(damaged(path, str(error))) from error
    except OSError as error:
        raise SourceUnavailable(f"{path}: {error.strerror}") from error


def unavailable(path: str, error: sqlite3.OperationalError) -> QmoError:
    """A file that could not be opened, read or written."""
    if not os.path.exists(path):
        return SourceUnavailable(f"{path}: there is no such file")
    if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
        return SourceUnavailable(f"{path}: another process has been writing for {PATIENT // 1000} s; try again")
    return SourceUnavailable(f"{path}: {error}")


def damaged(path: str, why: str) -> str:
    """What to say of a file that makes no sense."""
    return f"{path}: this is not a memory of qmo, or it is damaged ({why}); it was left as it is"
