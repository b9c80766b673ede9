"""Lines of styled text whose width is known: every character is one column wide, and none of them moves the cursor.

What a screen shows comes from outside: symbols, reasons, messages. A character that is not printable, that joins
others or that is wide is shown as a question mark, so that no text can send commands to the terminal or shift columns.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from .look import Look

UNKNOWN = "?"
ODD = ("C", "M", "Zl", "Zp")         # categories: controls, surrogates, unassigned; marks; line and paragraph ends


class Span(NamedTuple):
    """A piece of text in one style of :class:`Look`."""

    text: str
    style: str = ""


Line = tuple[Span, ...]
EMPTY: Line = ()
STYLE = itemgetter(1)


@lru_cache(maxsize=2048)
def safe(character: str) -> str:
    """The character where it is printable and one column wide, else a question mark.

    >>> safe("é"), safe("\\x1b"), safe("\\x9b"), safe("金"), safe("\\u0301"), safe("\\u202e")
    ('é', '?', '?', '?', '?', '?')
    """
    odd = unicodedata.category(character).startswith(ODD) or unicodedata.east_asian_width(character) in "WF"
    return UNKNOWN if odd else character


def clean(text: str, *, ascii_only: bool = False) -> str:
    """The text with a question mark for every character that a terminal might not show as one column.

    >>> clean("GC\\x1b[2J"), clean("4002 ▲", ascii_only=True)
    ('GC?[2J', '4002 ?')
    """
    if text.isascii() and text.isprintable():
        return text
    if ascii_only:
        return "".join(character if " " <= character <= "~" else UNKNOWN for character in text)
    return "".join(map(safe, text))


def line(*parts: str | Span) -> Line:
    """A line of these parts."""
    return tuple(part if isinstance(part, Span) else Span(part) for part in parts)


def joined(spans: Iterable[Span]) -> Line:
    """The same line, with one span for each run of a style."""
    return tuple(Span("".join([span[0] for span in run]), style) for style, run in groupby(spans, key=STYLE))


def width(spans: Line) -> int:
    """Columns of a line."""
    return sum([len(span[0]) for span in spans])


def clip(spans: Line, columns: int, more: str = "") -> Line:
    """The line cut to so many columns; ``more`` replaces its end where something was cut."""
    if width(spans) <= columns:
        return spans
    kept, room = [], max(columns - len(more), 0)
    for span in spans:
        kept.append(Span(span.text[:room], span.style))
        room -= len(kept[-1].text)
        if room == 0:
            break
    return (*kept, Span(more[:columns]))


def padded(spans: Line, columns: int) -> Line:
    """The line, exactly so wide."""
    cut = clip(spans, columns)
    return (*cut, Span(" " * (columns - width(cut))))


def spread(left: Line, right: Line, columns: int, more: str = "") -> Line:
    """One line at both margins; where there is no room for all, the left one is cut."""
    right = clip(right, columns, more)
    room = columns - width(right)
    return (*padded(clip(left, max(room - 1, 0), more), room), *right)


def fitting(words: Sequence[str], columns: int) -> str:
    """The first words, as many as there is room for: no number is ever cut to another one.

    >>> fitting(["CVD", "+5625", "heat", "21"], 16)
    'CVD +5625 heat'
    """
    shown = list(words)
    while shown and sum(map(len, shown)) + len(shown) - 1 > columns:
        shown.pop()
    return " ".join(shown)


def beside(left: Iterable[Line], right: Iterable[Line], columns: int, gap: str = "  ") -> list[Line]:
    """Two blocks next to each other, the left one so wide."""
    one, two = list(left), list(right)
    rows = max(len(one), len(two))
    one += [EMPTY] * (rows - len(one))
    two += [EMPTY] * (rows - len(two))
    return [(*padded(first, columns), Span(gap), *second) for first, second in zip(one, two, strict=True)]


def wrapped(text: str, columns: int, style: str = "", *, lead: str = "") -> list[Line]:
    """The text in lines of so many columns; ``lead`` stands before the first, blanks before the others."""
    room = max(columns - len(lead), 1)
    words = textwrap.wrap(text, room, break_on_hyphens=False)
    return [line(lead if number == 0 else " " * len(lead), Span(part, style)) for number, part in enumerate(words)]


def rendered(spans: Line, columns: int, look: Look) -> str:
    """The line as a terminal takes it, exactly so wide; as mere text without blanks at its end."""
    pieces, ascii_only = [], not look.unicode
    for text, style in joined(padded(clip(spans, columns, look.glyphs.more), columns)):
        shown = clean(text, ascii_only=ascii_only)
        code = look.code(style)
        pieces.append(f"\x1b[{code}m{shown}\x1b[0m" if code and shown else shown)
    whole = "".join(pieces)
    return whole if look.escapes else whole.rstrip(" ")
