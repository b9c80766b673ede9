"""Choices that a string of bytes makes, so that Hypothesis can shrink what follows from them."""

from __future__ import annotations


class Dice:
    """Choices out of a string of bytes; zero once it is used up."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    @property
    def empty(self) -> bool:
        return self.position >= len(self.data)

    def below(self, limit: int) -> int:
        """A number from 0 to limit - 1 (limit up to 256)."""
        value = 0 if self.empty else self.data[self.position]
        self.position += 1
        return value % limit

    def chance(self, of_256: int) -> bool:
        """True in about ``of_256`` of 256 throws; never once the bytes are used up."""
        return not self.empty and 255 - self.below(256) < of_256
