"""The page and its files: read once, served from memory, so that no path of a request ever reaches the disk."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

TYPES = {
    "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8", "svg": "image/svg+xml", "png": "image/png",
    "txt": "text/plain; charset=utf-8", "webmanifest": "application/manifest+json",
}
PAGE = "index.html"


class File(NamedTuple):
    """A file of the page."""

    data: bytes
    kind: str
    tag: str


def files() -> dict[str, File]:
    """All files of the page, by name."""
    found: dict[str, File] = {}
    folder = resources.files(__package__).joinpath("static")
    for entry in folder.iterdir() if folder.is_dir() else ():
        kind = TYPES.get(entry.name.rpartition(".")[2], TYPES["txt"])
        if entry.is_file():
            data = entry.read_bytes()
            found[entry.name] = File(data, kind, f'"{hashlib.blake2b(data, digest_size=12).hexdigest()}"')
    return found


def answer(request: Request, file: File) -> Response:
    """The file, or that it has not changed. A browser asks each time, so that a new release shows at once."""
    headers = {"etag": file.tag, "cache-control": "no-cache"}
    if file.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.data, media_type=file.kind, headers=headers)
