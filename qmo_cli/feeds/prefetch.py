"""Decoding ahead in a thread: decompression and the reader do not wait for each other."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ..blocks import Block

LEAVE = 0.2  # s to wait for a thread that may sit in a read


@dataclass(slots=True)
class _Ahead:
    """A bounded queue between two threads."""

    depth: int
    blocks: deque[Block] = field(default_factory=deque)
    error: BaseException | None = None
    done: bool = False          # no more blocks will come
    left: bool = False          # nobody wants them
    changed: threading.Condition = field(default_factory=threading.Condition)

    def fill(self, blocks: Iterable[Block]) -> None:
        """Run in the thread: put blocks in until they end or nobody wants them."""
        try:
            for block in blocks:
                if not self._put(block):
                    break
        except BaseException as error:  # noqa: BLE001 - it is raised again where the blocks are read
            self.error = error
        with self.changed:
            self.done = True
            self.changed.notify_all()

    def _put(self, block: Block) -> bool:
        with self.changed:
            self.changed.wait_for(lambda: self.left or len(self.blocks) < self.depth)
            self.blocks.append(block)
            self.changed.notify_all()
            return not self.left

    def take(self) -> Iterator[Block]:
        """The blocks in order, then the error that ended them, if one did."""
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.blocks or self.done)
                if not self.blocks:
                    break
                block = self.blocks.popleft()
                self.changed.notify_all()
            yield block
        if self.error is not None:
            raise self.error

    def leave(self) -> None:
        """Tell the thread that nobody wants more."""
        with self.changed:
            self.left = True
            self.changed.notify_all()


def prefetch(blocks: Iterable[Block], depth: int = 4) -> Iterator[Block]:
    """The same blocks, read up to ``depth`` ahead by a thread. Errors come in their place."""
    ahead = _Ahead(depth)
    thread = threading.Thread(target=ahead.fill, args=(blocks,), name="qmo-decode", daemon=True)
    thread.start()
    try:
        yield from ahead.take()
    finally:
        ahead.leave()
        thread.join(LEAVE)
