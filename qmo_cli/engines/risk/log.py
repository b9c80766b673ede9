"""The account's log in a file: one line for each record that came, only ever appended to, read once at the start."""

from __future__ import annotations

import os
from collections import Counter, deque
from typing import Any

import msgspec
from msgspec import Struct

from ...packets import ContextFact, FillFact, OptionalFloat, OptionalInt, OptionalStr

Identity = tuple[Any, ...]

_encode = msgspec.json.Encoder().encode


class Entry(Struct, frozen=True, omit_defaults=True):
    """One line: a fact as an engine took it, or how high the account had come."""

    series: str
    ts: str                              # ns: when it was known
    fact: ContextFact | None = None
    contract: OptionalStr = None         # of a fill
    value: OptionalFloat = None          # of the contract: money per point, 1e-9
    instrument_id: OptionalInt = None
    number: int = 0                      # how many that are alike in everything came before it
    peak: OptionalStr = None             # money, 1e-18
    low: OptionalStr = None              # of the trade date's result, 1e-18


_decode = msgspec.json.Decoder(Entry).decode


def identity(fact: ContextFact, contract: str | None) -> Identity:
    """What makes a fact the same one when it comes again."""
    fields = [getattr(fact, name) for name in fact.__struct_fields__ if name not in ("late", "symbol")]
    return (type(fact).__name__, contract, *fields)


class Log:
    """The file, and what was in it when it was opened. With a ``fault`` nothing is written."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.fault: str | None = None
        self.entries: dict[str, list[Entry]] = {}
        self.names: set[Identity] = set()
        self.fd = -1
        self._open()

    def _open(self) -> None:
        """Read what is there and stay at its end. A file that others could change is not made: mode 600."""
        try:
            self.fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            with open(self.fd, "rb", closefd=False) as file:
                data = file.read()
        except OSError as error:
            self.fault = f"its state {self.path} cannot be read: {(error.strerror or str(error)).lower()}"
            return
        for number, line in enumerate(data.splitlines(), 1):
            try:
                entry = _decode(line)
                int(entry.ts)
            except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
                self.fault = f"its state {self.path} cannot be read: line {number}: {str(error).lower()}"
                return
            self._add(entry)
        if data and not data.endswith(b"\n"):
            self.fault = f"its state {self.path} ends in the middle of a line"

    def _add(self, entry: Entry) -> None:
        """Two processes that met the same record have each written it."""
        if entry.fact is not None:
            name = (entry.series, entry.number, *identity(entry.fact, entry.contract))
            if name in self.names:
                return
            self.names.add(name)
        self.entries.setdefault(entry.series, []).append(entry)

    def past(self, series: str) -> list[Entry]:
        """What was known of a series, in the order of time."""
        return sorted(self.entries.get(series, []), key=lambda entry: int(entry.ts))

    def add(self, entry: Entry) -> None:
        """Append a line, whole, before anything is said that depends on it."""
        if self.fault is None and self.fd >= 0:
            os.write(self.fd, _encode(entry) + b"\n")

    def close(self) -> None:
        """Let the file go; once is enough."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class Recall:
    """Entries of one series that wait for their time, and which facts of the stream they already hold."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = deque(entries)
        self.waiting = Counter(identity(entry.fact, entry.contract) for entry in entries if entry.fact is not None)
        self.count = self.waiting.copy()            # of those alike, in the file and in the stream
        self.ahead: Counter[Identity] = Counter()   # of those that wait: taken from the stream before their time
        self.behind: Counter[Identity] = Counter()  # taken from here, and not yet seen in the stream

    @property
    def next(self) -> int | None:
        """When the next entry is due, ns."""
        return int(self.entries[0].ts) if self.entries else None

    def due(self, ts: int) -> list[Entry]:
        """The entries from before a time, without those that came with the stream earlier."""
        found: list[Entry] = []
        while self.entries and int(self.entries[0].ts) < ts:
            entry = self.entries.popleft()
            if entry.fact is None or self._take(identity(entry.fact, entry.contract)):
                found.append(entry)
        return found

    def _take(self, key: Identity) -> bool:
        self.waiting[key] -= 1
        counter = self.ahead if self.ahead[key] else self.behind
        counter[key] += -1 if counter is self.ahead else 1
        return counter is self.behind

    def is_new(self, fact: ContextFact, contract: str | None) -> tuple[bool, int | None]:
        """Whether a fact of the stream is to be taken, and its number if it is to be written."""
        key = identity(fact, contract)
        if self.behind[key]:
            self.behind[key] -= 1
            return False, None
        known = self.waiting[key] > self.ahead[key]
        self.ahead[key] += known
        if known:
            return True, None
        self.count[key] += 1
        return True, self.count[key] - 1


def contract_of(fact: ContextFact, own: str) -> str | None:
    """The contract of a fill: its own symbol, else that of the packet."""
    return (fact.symbol or own) if isinstance(fact, FillFact) else None
