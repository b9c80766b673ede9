"""The units that are shipped: ``units/*`` with a few words of our own, which are replaced here.

``@qmo@`` is the executable, ``@target@`` what wants the unit, ``@state@`` where files are kept; a line ``@include
FILE`` stands for that file, and a line that begins with ``@system`` is left out of a user's units, which cannot do it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files

from ..errors import UsageError
from ..places import data_file

KINDS = (".service", ".timer")
SYSTEM_LINE, INCLUDE_LINE = "@system ", "@include "
PLAIN = re.compile(r"/[\w./+@-]+")  # a path that needs no quotes, neither for systemd nor for a shell
HIDDEN = ("/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/")  # noqa: S108  # what ProtectHome and PrivateTmp hide


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit as it is to be written."""

    name: str
    text: str

    @property
    def description(self) -> str:
        """What it says of itself."""
        return self.first("Description").removeprefix("qmo: ")

    @property
    def command(self) -> str:
        """What it starts, or when, in one line."""
        return " ".join((self.first("ExecStart") or self.first("OnCalendar")).replace("\\\n", " ").split())

    def first(self, key: str) -> str:
        """The first value of a key; empty where there is none."""
        found = re.search(rf"^{key}=((?:.*\\\n)*.*)$", self.text, re.MULTILINE)
        return found[1] if found else ""


def names() -> list[str]:
    """Names of the units, those that belong together side by side."""
    return sorted((item.name for item in files(__package__).joinpath("units").iterdir() if item.name.endswith(KINDS)),
                  key=lambda name: name.replace(".timer", ".0"))


def unit(name: str, qmo: str, *, user: bool = False) -> Unit:
    """A unit for the system, or for a user. A name without a kind is a service. Raises UsageError for other names."""
    whole = name if name.endswith(KINDS) else f"{name}.service"
    if whole not in names():
        raise UsageError(f"there is no unit {name}; qmo systemd lists them")
    text = "".join(f"{line}\n" for line in lines(whole, user=user))
    target = "default.target" if user else "multi-user.target"
    return Unit(whole, text.replace("@qmo@", qmo).replace("@target@", target))


def lines(name: str, *, user: bool) -> Iterator[str]:
    """The lines of a file, with those of the files that it includes."""
    for line in files(__package__).joinpath("units", name).read_text(encoding="utf-8").splitlines():
        if line.startswith(INCLUDE_LINE):
            yield from lines(line.removeprefix(INCLUDE_LINE), user=user)
        elif not (user and line.startswith(SYSTEM_LINE)):
            yield line.removeprefix(SYSTEM_LINE)


def with_needed(wanted: Iterable[str]) -> list[str]:
    """The units, whole names, each followed by those that it does nothing without."""
    found: dict[str, None] = {}
    open_names = [unit(name, "qmo").name for name in reversed(list(wanted))]
    while open_names:
        name = open_names.pop()
        if name not in found:
            found[name] = None
            open_names += reversed(needed(name))
    return list(found)


def needed(name: str) -> list[str]:
    """The other units that a unit names; of a timer the service that it starts."""
    named = re.findall(r"^(?:Wants|OnSuccess)=(qmo\S+)$", unit(name, "qmo").text, re.MULTILINE)
    return sorted({*named, name.replace(".timer", ".service")} - {name})


def startable(wanted: Iterable[str]) -> list[str]:
    """Those of the units that can be enabled: the others are started by them."""
    return [name for name in wanted if "[Install]" in unit(name, "qmo").text]


def crontab(qmo: str) -> str:
    """The examples for cron."""
    text = files(__package__).joinpath("units", "crontab").read_text(encoding="utf-8")
    return text.replace("@qmo@", qmo).replace("@state@", str(data_file("")))


def executable(named: str | None, *, user: bool) -> str:
    """The qmo that units start: the one that was named, else this one. Raises UsageError where that cannot work."""
    found = named or running()
    path = os.path.abspath(found) if found else ""
    if not os.access(path, os.X_OK) or not os.path.isfile(path):
        raise UsageError(f"{found or 'qmo'}: no executable file; name one with --qmo PATH")
    if not PLAIN.fullmatch(path):
        raise UsageError(f"{path}: units start only a path of letters, digits and . _ + @ -; name one with --qmo PATH")
    if not user and path.startswith(HIDDEN):
        raise UsageError(f"{path}: units of the system see neither homes nor /tmp; install qmo elsewhere, such as in "
                         "/opt/qmo (python3 -m venv /opt/qmo), and name it with --qmo /opt/qmo/bin/qmo, or use --user")
    return path


def running() -> str | None:
    """The qmo that runs, if it is a file of that name; else the one beside this Python, or the first on PATH."""
    beside = os.path.join(os.path.dirname(sys.executable), "qmo")
    if os.path.basename(sys.argv[0]) == "qmo":
        return sys.argv[0]
    return beside if os.path.isfile(beside) else shutil.which("qmo")
