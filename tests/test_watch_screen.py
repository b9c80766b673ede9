"""The whole picture in every size, as golden screens, and what a person at the keyboard can do to it."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest

from qmo_cli.board import Frame, History
from qmo_cli.watch.glance import Glance
from qmo_cli.watch.keys import keys
from qmo_cli.watch.look import Look
from qmo_cli.watch.screen import View, lines

from .watching import (
    COLOUR,
    MONO,
    NOON,
    PLAIN,
    SECOND,
    TEXT,
    bare,
    feed,
    frame,
    history,
    mark,
    market,
    signal,
    zone,
)

SCREENS = Path(__file__).parent / "screens"
MARKED = history(marks=[mark("sweep", "A", 200), mark("signal", "B", 113)])
LONG = "Sellers were the more aggressive over 60 s, delta -107 of 231; price is inside an iceberg zone of asks"
HOLD = signal("HOLD", "hold", reasons=["score 0.338744 is neither above 0.75 (BUY) nor below 0.25 (SELL)"])
STARTING: dict[str, Any] = {
    "series": None, "symbol": None, "ts": None, "timestamp": None, "seq": 0, "all_series": [], "market": None,
    "health": None, "session": None, "flow": None, "zones": [], "score": None, "signal": None, "marks": [],
    "system": [], "feed": feed("starting", age=None, quality=None)}
STATES: dict[str, Frame] = {
    "buy": frame(),
    "hold-simulated": frame(signal=HOLD, market=market(quality="simulated"), feed=feed(quality="simulated")),
    "stale": frame(signal=signal("HOLD", "stale", reasons=["the feed is stale: no packet for 12 s"]),
                   feed=feed("stale", detail="no packet for 12 s", age=12.0)),
    "failed": frame(signal=signal("HOLD", "stale", reasons=["the feed has failed: gone"]),
                    feed=feed("failed", detail="gone"), market=market(quality="replay")),
    "warmup": frame(signal=None, market=market(quality="warmup"), feed=feed(quality="warmup"),
                    missing={"signal": "history ahead of a live stream gives no signals"}),
    "starting": frame(**STARTING),
    "bare-signal": frame(market=None, health=None, session=None, flow=None, score=None, zones=[]),
}
SIZES = {"80x24": (80, 24), "120x40": (120, 40), "60x15": (60, 15), "40x10": (40, 10)}
GOLDEN = [("buy", "80x24", TEXT), ("buy", "120x40", TEXT), ("buy", "60x15", PLAIN), ("buy", "40x10", PLAIN),
          ("hold-simulated", "80x24", TEXT), ("stale", "80x24", TEXT), ("stale", "40x10", TEXT),
          ("failed", "60x15", TEXT), ("warmup", "80x24", TEXT), ("starting", "80x24", TEXT),
          ("bare-signal", "80x24", TEXT), ("buy", "80x24", COLOUR)]


def known(name: str) -> History | None:
    """The candles of a state."""
    return None if STATES[name].market is None else MARKED


@pytest.mark.parametrize(("name", "size", "look"), GOLDEN)
def test_a_screen_is_what_it_was(name: str, size: str, look: Look, update: bool) -> None:
    kind = "-colour" if look.colours else "" if look.unicode else "-ascii"
    shown = lines(STATES[name], known(name), *SIZES[size], look, View(keys=True))
    text = "".join(f"{row}\n" for row in shown).replace("\x1b", "\\e")
    path = SCREENS / f"{name}-{size}{kind}.txt"
    if update:
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("look", [TEXT, PLAIN, COLOUR, MONO])
def test_a_picture_has_the_size_of_the_terminal_whatever_that_is(name: str, look: Look) -> None:
    for width in (1, 19, 20, 39, 40, 51, 60, 71, 72, 80, 100, 117, 118, 200):
        for height in (1, 4, 5, 7, 10, 12, 15, 20, 21, 24, 40, 60):
            shown = lines(STATES[name], known(name), width, height, look, View(keys=True))
            assert len(shown) == height
            widths = {len(bare(row)) for row in shown}
            assert widths == {width} if look.escapes else max(widths) <= width
            assert look.unicode or "".join(shown).isascii()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["hold-simulated", "stale", "failed", "warmup"])
def test_what_must_not_be_missed_is_there_in_every_size(name: str, size: str) -> None:
    word = {"hold-simulated": "SIMULATED", "warmup": "WARM-UP"}.get(name, name.upper())
    shown = lines(STATES[name], known(name), *SIZES[size], TEXT)
    assert f"[{word}]" in shown[0]
    assert shown[2].startswith(f"*** {word}")


@pytest.mark.parametrize("size", SIZES)
def test_price_and_decision_are_there_in_every_size(size: str) -> None:
    text = "\n".join(lines(STATES["buy"], MARKED, *SIZES[size], TEXT))
    for word in ("2567.5", "BUY", "ACTIVE", "limit 2568.0", "stop 2566.6", "target 2569.0", "4 MGC", "risk 420+costs"):
        assert word in text


def test_no_text_from_outside_controls_the_terminal() -> None:
    evil = "\x1b]0;pwned\x07\x9b2J\x1b[?1049l\u202e\n金\u0301"
    shown = frame(
        series=evil, symbol=evil, all_series=[evil, "GC.v.0"], feed=feed("failed", detail=evil),
        signal=signal(reasons=[evil], signal={**signal()["signal"], "rationale": [evil]}),
        marks=[mark("sweep", "A", 5, evil)], zones=[zone("B", 2567.0, 2567.0, state=evil)],
        system=[{"ts": str(NOON * SECOND), "kind": evil, "detail": evil}], missing={"score": evil}, score=None)
    for size in SIZES.values():
        for look in (TEXT, PLAIN, COLOUR):
            text = bare("".join(lines(shown, MARKED, *size, look)))
            assert all(unicodedata.category(character)[0] not in "CM" for character in text)


def test_without_colours_inverse_video_and_letters_are_left() -> None:
    text = "\n".join(lines(STATES["stale"], MARKED, 80, 24, MONO))
    assert "\x1b[1;7m STALE " in text
    assert "38;5" not in text


def test_a_larger_screen_shows_more_of_what_was_seen() -> None:
    talkative = frame(signal=signal(signal={**signal()["signal"], "rationale": [f"{n} {LONG}" for n in range(4)]}))
    small, large = (" ".join("\n".join(lines(talkative, MARKED, *SIZES[size], TEXT)).split())
                    for size in ("80x24", "120x40"))
    assert small.count("aggressive") < large.count("aggressive")
    assert "zones that stand" in large


def test_the_page_of_help_fits_and_names_the_keys() -> None:
    shown = "\n".join(lines(frame(), MARKED, 80, 24, TEXT, View(keys=True, help=True)))
    for words in ("quit", "length of a candle", "next series", "hold the picture still"):
        assert words in shown


# ---- keys


class Fixed:
    """Two series of which one can look at the frames."""

    def __init__(self) -> None:
        self.seq = 0
        self.asked: list[tuple[str | None, int]] = []
        self.state = "live"

    def frame(self, series: str | None) -> Frame:
        self.seq += 1
        names = ["GC.v.0", "SI.v.0"]
        return frame(series=series or names[0], symbol=series, all_series=names, seq=self.seq, feed=feed(self.state))

    def history(self, series: str | None, step: int, candles: int) -> History | None:
        self.asked.append((series, step))
        return history(step=step)


@pytest.fixture
def glance() -> Glance:
    """A look at two series."""
    return Glance(Fixed(), TEXT)


def drawn(glance: Glance) -> str:
    """The picture as text."""
    return "\n".join(glance.picture(80, 24))


def test_s_goes_through_the_lengths_of_candles(glance: Glance) -> None:
    found = []
    for _ in range(4):
        found.append(next(words for words in ("15 s", "1 min", "5 min") if f"{words} candles" in drawn(glance)))
        assert glance.press("step")
    assert found == ["1 min", "5 min", "15 s", "1 min"]


def test_tab_goes_to_the_next_series_and_round(glance: Glance) -> None:
    found = []
    for key in ("next", "next", "previous"):
        glance.press(key)
        found.append(drawn(glance).split()[0])
    assert found == ["SI.v.0", "GC.v.0", "SI.v.0"]
    assert "series 2 of 2" in drawn(glance)


def test_space_holds_the_picture_still_but_not_what_is_said_of_the_feed(glance: Glance) -> None:
    glance.press("pause")
    first = drawn(glance)
    assert "PAUSED at 15:00:00" in first
    assert drawn(glance) == first
    glance.sight.state = "stale"  # type: ignore[attr-defined]
    assert "[STALE]" in drawn(glance)
    number = first.split("#")[1].split()[0]
    assert f"#{number}" in drawn(glance)
    glance.press("pause")
    assert "PAUSED" not in drawn(glance)
    assert f"#{number}" not in drawn(glance)


def test_any_key_leaves_the_page_of_help_and_only_q_leaves_it_all(glance: Glance) -> None:
    assert glance.press("help")
    assert "this page" in drawn(glance)
    assert glance.press("step")
    assert "1 min candles" in drawn(glance)
    assert glance.press("other")
    assert not glance.press("quit")


def test_keys_are_told_apart_from_what_a_terminal_sends_beside_them() -> None:
    assert list(keys(b"q")) == ["quit"]
    assert list(keys(b"\x1b[A\x1bOP\x1b[1;5C\x1b[<0;1;1M")) == ["other"] * 4
    assert list(keys(b"\x1b")) == ["other"]
    assert list(keys("é".encode())) == ["other"] * 2
    assert list(keys(b"")) == []
