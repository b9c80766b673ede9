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
    if key := os.environ.get(VARIABLE, "").strip():
        return key, VARIABLE
    for path in key_files():
        if path.is_file():
            return read_private(path), str(path)
    return "", ""


def key_files() -> list[Path]:
    """Where a file with the key may stand: systemd's credentials first."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    return [*([Path(credentials, FILE)] if credentials else []), configuration_file(FILE)]


def read_private(path: Path) -> str:
    """The text of a file that only its owner may read."""
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise NotEntitled(f"{path} can be read by others; run: chmod 600 {path}")
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotEntitled(f"{path}: {getattr(error, 'strerror', None) or error}") from error
