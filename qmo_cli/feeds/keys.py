"""The vendor's key: from the environment or a file that only its owner reads, never from a flag."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ..errors import NotEntitled
from ..places import configuration_file

VARIABLE = "DATABENTO_API_KEY"
FILE = "databento.key"
LENGTH = 5                      # characters at the least: the last five go over the wire in clear


def api_key() -> str:
    """The key. Raises NotEntitled, saying where to put one, where there is none that could be right."""
    key, place = find_key()
    if not key:
        usual = configuration_file(FILE)
        raise NotEntitled(f"no Databento key: set {VARIABLE}, or put the key into {usual} (mode 600)")
    if len(key) < LENGTH or not key.isascii() or not key.isprintable() or " " in key or "|" in key:
        raise NotEntitled(f"the Databento key in {place} is damaged; a key is one word that begins with db-")
    return key


def find_key() -> tuple[str, str]:
    """The key and where it was found; nothing where there is none. Raises NotEntitled for a file others can read."""
    return find_secret(VARIABLE, FILE)


def find_secret(variable: str, file: str) -> tuple[str, str]:
    """A secret and where it was found: a variable, a credential that systemd passes on, or a file of ours."""
    if secret := os.environ.get(variable, "").strip():
        return secret, variable
    for path in secret_files(file):
        if path.is_file() and (secret := read_private(path)):
            return secret, str(path)
    return "", ""


def secret_files(file: str) -> list[Path]:
    """Where a file with a secret may stand, systemd's credentials first."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    return [*([Path(credentials, file)] if credentials else []), configuration_file(file)]


def read_private(path: Path) -> str:
    """The text of a file that only its owner may read."""
    try:
        if path.stat().st_mode & others(path):
            raise NotEntitled(f"{path} can be read by others; run: chmod 600 {path}")
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotEntitled(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def others(path: Path) -> int:
    """The bits that a private file's mode must not have.

    A credential has mode 0440: the group's bit is how the mode shows the access list by which systemd lets the
    service's user, and nobody else, read it.
    """
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials and path.parent == Path(credentials):
        return stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP
    return stat.S_IRWXO | stat.S_IRWXG
