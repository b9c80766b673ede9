"""Where files have their usual places: the XDG base directories, each with a folder of ours."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def configuration_file(name: str) -> Path:
    """Where configuration stands: ``$XDG_CONFIG_HOME/qmo``; the file need not be there."""
    return _below("XDG_CONFIG_HOME", "~/.config", name)


def data_file(name: str) -> Path:
    """Where what is kept from run to run stands: ``$XDG_DATA_HOME/qmo``; the file need not be there."""
    return _below("XDG_DATA_HOME", "~/.local/share", name)


def state_file(name: str) -> Path:
    """Where what a restart goes on with stands: ``$XDG_STATE_HOME/qmo``; the file need not be there."""
    return _below("XDG_STATE_HOME", "~/.local/state", name)


def cache_file(name: str) -> Path:
    """Where what can be fetched again stands: ``$XDG_CACHE_HOME/qmo``; the file need not be there."""
    return _below("XDG_CACHE_HOME", "~/.cache", name)


def _below(variable: str, usual: str, name: str) -> Path:
    return Path(os.environ.get(variable) or os.path.expanduser(usual), "qmo", name)


def replace_file(path: Path, data: bytes) -> None:
    """Put a whole file in a place at once, readable by its owner only: a reader sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
