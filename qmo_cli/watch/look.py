"""How a terminal is written to: colours, attributes, and the characters that its locale can show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

# Blue is buying and support, orange is selling and resistance: told apart by every eye, on black and on white.
# Letters and arrows say the same, and are all there is without colours.
FEW = {"buy": "94", "sell": "33", "dim": "2", "faint buy": "2;34", "faint sell": "2;33"}
MANY = {"buy": "38;5;33", "sell": "38;5;172", "dim": "38;5;245", "faint buy": "38;5;25", "faint sell": "38;5;94"}
NONE = {"dim": "2", "faint buy": "2", "faint sell": "2"}
ATTRIBUTES = {"bold": "1", "inverse": "7", "alarm": "1;7"}


class Glyphs(NamedTuple):
    """The characters of pictures. Halves of a candle are told as nothing, wick or body, from the top."""

    rise: str
    fall: str
    flat: str
    levels: str              # of a bar that grows upwards
    full: str                # a cell of a horizontal bar
    empty: str
    middle: str              # of the scale of a score
    rule: str
    edge: str                # between the candles and the prices
    at: str                  # at the price of now
    zone: str                # a cell within a zone
    trade: str               # a cell at entry, stop or target
    wicks: Mapping[str, str]         # by the two halves of a cell: nothing " ", wick "|", body "#"
    rising: Mapping[str, str]
    falling: Mapping[str, str]
    deltas: str              # strong and weak selling, nothing, weak and strong buying
    more: str                # where a text was cut


WICKS = {"  ": " ", "| ": "╵", " |": "╷", "||": "│"}
UNICODE = Glyphs(
    rise="▲", fall="▼", flat="─", levels="▁▂▃▄▅▆▇█", full="█", empty="·", middle="│", rule="─", edge="┤", at="◄",
    zone="╌", trade="┈", wicks=WICKS,
    rising={**WICKS, "# ": "╹", " #": "╻", "##": "┃", "|#": "╽", "#|": "╿"},
    falling={**WICKS, "# ": "▀", " #": "▄", "##": "█", "|#": "▄", "#|": "▀"},
    deltas="▼▾·▴▲", more="…",
)
PLAIN_WICKS = {"  ": " ", "| ": "|", " |": "|", "||": "|"}
ASCII = Glyphs(
    rise="^", fall="v", flat="-", levels="_.:-=+*#", full="#", empty=".", middle="|", rule="-", edge="|", at="<",
    zone="-", trade=".", wicks=PLAIN_WICKS,
    rising={**PLAIN_WICKS, "# ": "o", " #": "o", "##": "o", "|#": "o", "#|": "o"},
    falling={**PLAIN_WICKS, "# ": "#", " #": "#", "##": "#", "|#": "#", "#|": "#"},
    deltas="Vv.^A", more="~",
)


@dataclass(frozen=True, slots=True)
class Look:
    """What may be sent: ``escapes`` for attributes, ``colours`` how many (0, 16 or 256), ``unicode`` characters."""

    escapes: bool = False
    colours: int = 0
    unicode: bool = True

    @property
    def glyphs(self) -> Glyphs:
        """The characters of pictures."""
        return UNICODE if self.unicode else ASCII

    def code(self, style: str) -> str:
        """The parameters that select a style, such as ``bold buy``; nothing where it is plain or cannot be shown.

        >>> Look(escapes=True, colours=16).code("bold buy"), Look(escapes=True).code("bold buy"), Look().code("bold")
        ('1;94', '1', '')
        """
        return codes(style, self.colours) if self.escapes and style else ""


PLAIN = Look()


@lru_cache(maxsize=256)
def codes(style: str, colours: int) -> str:
    """The parameters of a style's names; those that cannot be shown are left out."""
    known = {**ATTRIBUTES, **{0: NONE, 16: FEW}.get(colours, MANY)}
    if style in known:
        return known[style]
    return ";".join(known[name] for name in style.split() if name in known)


def look_of(environment: Mapping[str, str], *, terminal: bool, plain: bool = False) -> Look:
    """What an environment says of its terminal. ``plain``: only ASCII was asked for.

    >>> look_of({"TERM": "xterm-256color", "LANG": "C.UTF-8"}, terminal=True)
    Look(escapes=True, colours=256, unicode=True)
    >>> look_of({"TERM": "vt220", "NO_COLOR": "1", "LANG": "C"}, terminal=True)
    Look(escapes=True, colours=0, unicode=False)
    """
    return Look(
        escapes=terminal, colours=colours_of(environment) if terminal else 0,
        unicode=not plain and speaks_unicode(environment),
    )


def colours_of(environment: Mapping[str, str]) -> int:
    """How many colours to use; an empty NO_COLOR counts as none set, as its standard says."""
    name = environment.get("TERM", "")
    if environment.get("NO_COLOR") or name in ("", "dumb") or name.startswith("vt"):
        return 0
    return 256 if "256color" in name or environment.get("COLORTERM") else 16


def speaks_unicode(environment: Mapping[str, str]) -> bool:
    """Whether the locale's characters are UTF-8: the first of these that is set decides, as everywhere."""
    named = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := environment.get(name))), "")
    return named.partition("@")[0].upper().replace("-", "").endswith("UTF8")
