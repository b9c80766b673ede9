"""Bytes as they come from a file or from standard input, decompressed where they are compressed."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ..errors import BadData, SourceUnavailable

READ_SIZE = 1 << 20          # bytes asked of a file or pipe at once
COMPRESSED_SIZE = 1 << 16    # compressed bytes given to a decompressor at once: bounds what comes out
POLL = 0.05                  # s between looks at a growing file
SET_PIPE_SIZE = 1031         # F_SETPIPE_SZ of Linux

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZSTD_SKIPPABLE = b"\x2a\x4d\x18"     # after one byte of any value from 0x50 to 0x5f
GZIP_MAGIC = b"\x1f\x8b"


class Damage(Exception):
    """The bytes end too early or cannot be decompressed; what came before is whole."""


def widen_pipe(fd: int) -> None:
    """Let a pipe hold 1 MiB where the system allows it: fewer switches between the processes."""
    import fcntl

    with suppress(OSError):
        fcntl.fcntl(fd, SET_PIPE_SIZE, READ_SIZE)


@dataclass(slots=True)
class Source:
    """One open input. ``head`` is what was read ahead to see what it is."""

    name: str
    fd: int
    follow: bool = False
    head: bytes = b""
    ended: bool = field(default=False, init=False)

    def read(self, size: int = READ_SIZE) -> bytes:
        """Whatever is there, without waiting for more than the first byte; nothing at the end."""
        if self.head:
            data, self.head = self.head, b""
            return data
        while not self.ended:
            data = os.read(self.fd, size)
            if data:
                return data
            if not self.follow:
                self.ended = True
                break
            time.sleep(POLL)
        return b""

    def peek(self, size: int) -> bytes:
        """The first bytes (at least ``size``, unless the input is shorter), to be read again later."""
        while len(self.head) < size and not self.ended:
            ahead, self.head = self.head, b""
            data = self.read()
            self.head = ahead + data
            if not data:
                break
        return self.head

    def close(self) -> None:
        """Close a file; standard input stays open."""
        if self.fd > 2:
            os.close(self.fd)


def open_file(name: str, follow: bool) -> Source:
    """Open a path. Raises SourceUnavailable."""
    try:
        fd = os.open(name, os.O_RDONLY)
    except OSError as error:
        raise SourceUnavailable(f"{name}: {_reason(error)}") from error
    if os.path.isdir(name):
        os.close(fd)
        raise SourceUnavailable(f"{name}: is a directory; name its files, or a pattern such as '{name}/*.dbn.zst'")
    return Source(name, fd, follow)


def _reason(error: OSError) -> str:
    return {FileNotFoundError: "no such file", PermissionError: "permission denied"}.get(
        type(error), (error.strerror or str(error)).lower())


def chunks(source: Source) -> Iterator[bytes]:
    """The input's bytes, decompressed; never an empty piece. Raises Damage after the last whole piece."""
    magic = source.peek(4)
    if magic.startswith(ZSTD_MAGIC) or (magic[1:4] == ZSTD_SKIPPABLE and 0x50 <= magic[0] <= 0x5F):
        yield from _decompressed(source, _zstd, "zstd")
    elif magic.startswith(GZIP_MAGIC):
        yield from _decompressed(source, lambda: zlib.decompressobj(zlib.MAX_WBITS | 16), "gzip")
    else:
        while data := source.read():
            yield data


def _zstd() -> Any:
    import zstandard

    return zstandard.ZstdDecompressor().decompressobj()


def _decompressed(source: Source, start: Callable[[], Any], name: str) -> Iterator[bytes]:
    """Decompress frame after frame: a file may be many compressed ones behind one another."""
    import zstandard

    frame = None
    while data := source.read(COMPRESSED_SIZE):
        while data:
            frame = frame or start()
            try:
                out = frame.decompress(data[:COMPRESSED_SIZE])
            except (zstandard.ZstdError, zlib.error) as error:
                raise Damage(f"the {name} data is damaged ({str(error).lower()})") from error
            data = (frame.unused_data if frame.eof else b"") + data[COMPRESSED_SIZE:]
            frame = None if frame.eof else frame
            if out:
                yield out
    if frame is not None:
        raise Damage(f"the {name} data ends in the middle: the file is truncated")


def bad_data(name: str, words: str) -> BadData:
    """An error about an input as a whole."""
    return BadData(f"{name}: {words}")
