"""What can be looked at on this machine alone."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..errors import NotEntitled
from ..places import cache_file, configuration_file, data_file
from ..times import SECOND, iso
from .examination import Check, Finding
from .options import DoctorOptions

OLDEST, NEWEST = (3, 11), (3, 13)                 # Python
PINNED = {"databento": "0.87.0", "databento-dbn": "0.70.0"}
NEEDED = ("msgspec", "numpy", "orjson", "tzdata", "yfinance", "zstandard")
LITTLE, TOO_LITTLE = 1 << 30, 50 << 20            # bytes free
KEY_ADVICE = "set DATABENTO_API_KEY, or put the key into {} (mode 600); without one prices are Yahoo's"


def python(options: DoctorOptions) -> Iterator[Finding]:
    """The interpreter's version."""
    text = sys.version.split()[0]
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        yield Finding("ok", "python", text)
    else:
        wanted = f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}"
        yield Finding("warn", "python", f"{text}; qmo is tested with {wanted}", f"install it under Python {wanted}")


def reader(options: DoctorOptions) -> Iterator[Finding]:
    """Whether the hot loops are compiled."""
    from ..market.reader import COMPILED

    if COMPILED:
        yield Finding("ok", "reader", "compiled")
    else:
        yield Finding("warn", "reader", "interpreted: too slow for a busy market",
                      "install a C compiler, then: pip install --force-reinstall --no-deps qmo-cli")


def packages(options: DoctorOptions) -> Iterator[Finding]:
    """The vendor's packages at the versions that were measured, and the others at all."""
    for name, wanted in PINNED.items():
        there = installed(name)
        if there == wanted:
            yield Finding("ok", name, there)
        else:
            status, words = ("fail", "missing") if there is None else ("warn", f"{there}, tested is {wanted}")
            yield Finding(status, name, words, f"pip install {name}=={wanted}")  # type: ignore[arg-type]
    missing = [name for name in NEEDED if installed(name) is None]
    if missing:
        yield Finding("fail", "packages", f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    else:
        yield Finding("ok", "packages", ", ".join(f"{name} {installed(name)}" for name in NEEDED))


def installed(name: str) -> str | None:
    """The version of a package; None where it is not there."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def key(options: DoctorOptions) -> Iterator[Finding]:
    """Where the vendor's key is. It is not shown."""
    from ..feeds.keys import FILE, api_key, find_key

    try:
        text, place = find_key()
        if not text:
            yield Finding("warn", "key", "none", KEY_ADVICE.format(configuration_file(FILE)))
            return
        api_key()
    except NotEntitled as error:
        yield Finding("fail", "key", str(error), "take it anew from https://databento.com/portal/keys")
        return
    yield Finding("ok", "key", f"found in {place}")


def zones(options: DoctorOptions) -> Iterator[Finding]:
    """Whether the exchange's time zone is known, and how."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        hours = [datetime(2026, month, 1, tzinfo=ZoneInfo("America/Chicago")).strftime("%z") for month in (1, 7)]
    except ZoneInfoNotFoundError as error:
        hours = [str(error)]
    if hours == ["-0600", "-0500"]:
        yield Finding("ok", "time zones", "Chicago's is known")
    else:
        yield Finding("fail", "time zones", f"Chicago's is not as it should be: {hours}", "pip install -U tzdata")


def directories(options: DoctorOptions) -> Iterator[Finding]:
    """Where things are kept: whether they can be, whether others could change them, and the room that is left."""
    for name, path in (("cache", cache_file("")), ("data", data_file("")), ("settings", configuration_file(""))):
        yield directory(name, Path(path), written=name != "settings")


def directory(name: str, path: Path, *, written: bool) -> Finding:
    """One directory, or the nearest one above it that is there."""
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    mode, free = stat.S_IMODE(there.stat().st_mode), shutil.disk_usage(there).free
    words = f"{path}{'' if there == path else ', not made yet'}, {free / (1 << 30):.1f} GiB free"
    if not there.is_dir():
        return Finding("fail", name, f"{there} is no directory", f"move it away: mv {there} {there}.old")
    if written and not os.access(there, os.W_OK | os.X_OK):
        return Finding("fail", name, f"{there} cannot be written", f"chown {os.getuid()} {there}, or set XDG_*_HOME")
    if there == path and mode & (stat.S_IWGRP | stat.S_IWOTH):
        return Finding("warn", name, f"{path} can be changed by others (mode {mode:o})", f"chmod go-w {path}")
    if written and free < TOO_LITTLE:
        return Finding("fail", name, words, "make room on that disk")
    if written and free < LITTLE:
        return Finding("warn", name, words, "make room on that disk: a day of orders takes more")
    return Finding("ok", name, words)


def memory(options: DoctorOptions) -> Iterator[Finding]:
    """The store of memory, where there is one."""
    from ..engines.memory.store import Store

    path = os.path.expanduser(options.parameter("memory", "path")) or str(data_file("memory.db"))
    if not os.path.exists(path):
        yield Finding("ok", "memory", f"none yet; --memory makes it, by custom {path}")
        return
    store = Store(path)
    try:
        yield Finding("ok", "memory", f"{path}, {os.path.getsize(path) / (1 << 20):.1f} MiB, events of "
                                      f"{', '.join(store.symbols()) or 'no contract'}")
    finally:
        store.close()


def holidays(options: DoctorOptions) -> Iterator[Finding]:
    """Whether the exchange's holidays of this year are known, and what it is doing now."""
    from ..sessions import session

    now = session(time.time_ns())
    words = f"the market is {'open until ' + iso(now.closes) if now.open else 'closed until ' + iso(now.reopens)}"
    if now.covered:
        yield Finding("ok", "holidays", words)
    else:
        yield Finding("warn", "holidays", f"not known for {now.trade_date[:4]}; by weekdays alone {words}",
                      "install a newer qmo")


def calendar(options: DoctorOptions) -> Iterator[Finding]:
    """The calendar of news, where one is configured: whether it can be read, and has anything to say of now."""
    from ..engines.news.schedule import read_schedule

    path = os.path.expanduser(options.parameter("news", "calendar"))
    if not path:
        yield Finding("warn", "calendar", "none configured: no blackout around news",
                      'name one in the configuration file: [engine.news] calendar = "events.ics"')
        return
    schedule, now = read_schedule(path, options.parameter("news", "zone")), time.time_ns()
    ends = schedule.ends
    if ends is not None and ends < now:
        when = datetime.fromtimestamp(ends / SECOND, UTC).date()
        yield Finding("warn", "calendar", f"{path} ended on {when}", "fetch a newer one")
    else:
        yield Finding("ok", "calendar", f"{path}{'' if ends is None else ', until ' + iso(ends)}")


LOCAL: tuple[tuple[str, Check], ...] = (
    ("python", python), ("reader", reader), ("packages", packages), ("key", key), ("time zones", zones),
    ("directories", directories), ("memory", memory), ("holidays", holidays), ("calendar", calendar),
)
