"""Writing units where systemd looks for them, without losing what a person changed there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import QmoError, UsageError
from .units import Unit

SYSTEM_FOLDER = Path("/etc/systemd/system")


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one unit."""

    path: Path
    outcome: Literal["written", "unchanged", "replaced"]


def folder(*, user: bool) -> Path:
    """Where units stand: an administrator's, or the user's own."""
    if not user:
        return SYSTEM_FOLDER
    return Path(os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config"), "systemd", "user")


def install(units: Iterable[Unit], place: Path, *, force: bool, dry_run: bool) -> list[Written]:
    """Write the units. Raises UsageError, before anything is written, where a file is there that differs."""
    plans = [(unit, Written(place / unit.name, outcome(place / unit.name, unit.text))) for unit in units]
    changed = [str(plan.path) for _, plan in plans if plan.outcome == "replaced"]
    if changed and not force:
        raise UsageError(f"{', '.join(changed)}: there already, and different; nothing is written. "
                         "--force replaces it; what you change is safer in a drop-in: systemctl edit NAME")
    if not dry_run:
        for unit, plan in plans:
            write(plan, unit.text)
    return [plan for _, plan in plans]


def outcome(path: Path, text: str) -> Literal["written", "unchanged", "replaced"]:
    """What writing the text there would be."""
    try:
        return "unchanged" if path.read_bytes() == text.encode() else "replaced"
    except FileNotFoundError:
        return "written"
    except OSError as error:
        raise QmoError(f"{path}: {error.strerror}") from error


def write(plan: Written, text: str) -> None:
    """Put the file there as a whole, to be read by everybody, as units are."""
    if plan.outcome == "unchanged":
        return
    part = plan.path.with_name(f".{plan.path.name}.{os.getpid()}")
    try:
        plan.path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(text.encode())
        part.chmod(0o644)
        os.replace(part, plan.path)
    except OSError as error:
        hint = "; run it as root, or with --user" if isinstance(error, PermissionError) else ""
        raise QmoError(f"{plan.path}: {error.strerror}{hint}") from error
