"""What ``qmo explain`` says: true to the packet, complete, and no wider than a screen of 80 columns."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given

from qmo_cli.errors import BadData
from qmo_cli.explanation import explain
from qmo_cli.packets import Notice
from qmo_cli.signals import Signaler, SignalOptions
from qmo_cli.tray import Packet
from qmo_cli.views import AstroView, CycleView, GannView, IcebergView, MentorView
from tests.handmade import NEW_YORK, SECOND, at, health, market, opinions, orderflow, packet, scored, zone

from .scenes import options_of, scenes


def decided(one: Packet, **options: float | str) -> Packet:
    """The packet with its signal, as ``signal --full`` prints it."""
    one.slots["signal"] = Signaler(SignalOptions(**options)).update(one)  # type: ignore[arg-type]
    return one


def speaking() -> Packet:
    """The readings of the original description, by hand."""
    return scored(packet(
        **opinions(liquidity=0.75, absorption=0.78), orderflow=orderflow(0.82),
        iceberg=IcebergView(0.85, active=True, zones=[zone("B", 2566.0), zone("A", 2600.0, state="broken")]),
        gann=GannView(0.88, active=True, signal="breakout_up", confluence=3),
        astro=AstroView(0.65, active=True, reversal_window=True),
        cycle=CycleView(0.72, active=True, is_21=False, is_45=True, is_90=False),
    ))


def lines(one: Packet) -> list[str]:
    return explain(one).splitlines()


def line_of(one: Packet, start: str) -> str:
    (found,) = [line for line in lines(one) if line.split()[:1] == [start]]
    return found


def test_every_pillar_shows_its_score_its_weight_and_what_it_adds() -> None:
    # qmo .785, imo .815: .25 x .285 = .07125, .25 x .315 = .07875; gann .20 x .38, astro .15 x .15, cycle .15 x .22.
    one = speaking()
    assert line_of(one, "qmo").split() == ["qmo", "0.785", "0.25", "+0.07125"]
    assert line_of(one, "imo").split() == ["imo", "0.815", "0.25", "+0.07875"]
    assert line_of(one, "gann").split()[:4] == ["gann", "0.880", "0.2", "+0.07600"]
    assert line_of(one, "astro").split()[:4] == ["astro", "0.650", "0.15", "+0.02250"]
    assert line_of(one, "cycle").split()[:4] == ["cycle", "0.720", "0.15", "+0.03300"]


def test_the_parts_say_what_their_engines_saw() -> None:
    text = explain(speaking())
    for words in (
        "BUY, delta +240, heat 90 of 100", "1 live zone\n", "breakout up, 3 families of levels", "reversal window open",
        "at the 45-bar count",
    ):
        assert words in text


def test_the_sum_names_the_boosts_and_the_cap() -> None:
    one = speaking()
    assert "base 0.7815, +0.15 iceberg zones, +0.1 gann confluence = total 1.0000, capped" in explain(one)
    assert "known 1 of the weight (at least 0.5), active 1 (at least 0.35); phase default" in explain(one)


def test_a_missing_pillar_says_why_and_adds_nothing() -> None:
    one = scored(packet(**opinions(orderflow=0.9, iceberg=0.9), missing={"gann": "3 of 4 pivots"}, gann=None))
    assert line_of(one, "gann").split(maxsplit=3) == ["gann", "-", "0.2", "not known: 3 of 4 pivots"]


def test_without_a_signal_the_score_speaks_for_itself() -> None:
    assert "BUY, by the score alone (no `qmo signal` has decided yet)" in lines(at(0.9))
    assert "  - coverage 0.25 is below 0.5" in lines(at(0.9, iceberg=None, missing={"iceberg": "needs mbo"}))


def test_a_trade_shows_entry_stop_target_and_size() -> None:
    text = explain(decided(at(0.83), margin=0.09))
    assert "BUY since 2026-01-27T15:30:45Z (active), confidence 0.830 (agreement)" in text
    assert "entry limit 2568, stop 2557.5 (1.25 ATR), target 2587.5, 1:2" in text
    assert "size 4 MGC: at most 420 lost before costs, margin 9243" in text


def test_a_veto_is_the_reason_and_the_mentor_may_remark() -> None:
    one = decided(at(0.9, mentor=MentorView("5 minutes to payrolls", ["Balance over 300 s."])))
    assert "  - mentor: 5 minutes to payrolls" in lines(one)
    assert lines(one)[lines(one).index("mentor:") + 1] == "  - Balance over 300 s."


def test_an_episode_that_outlives_its_score_says_so() -> None:
    signaler, later = Signaler(), at(0.7, NEW_YORK + SECOND)
    signaler.update(at(0.9))
    later.slots["signal"] = signaler.update(later)
    assert "  - the episode is still open, but the score would open none now: total 0.7" in lines(later)


def test_doubts_about_the_data_are_listed() -> None:
    one = at(0.9)
    one.slots["health"] = msgspec.structs.replace(
        health(), late=3, book="partial", crossed=True, flags=["maybe_bad_book"])
    one.slots["system"] = [Notice("gap", None, "12 records lost", 12, None)]
    start = lines(one).index("data (mbo):")
    assert lines(one)[start + 1:start + 6] == [
        "  - 3 records late", "  - the book is only partly known", "  - the book is crossed",
        "  - flag maybe_bad_book", "  - gap: 12 records lost"]
    assert "data (mbo):" not in lines(at(0.9))


def test_what_is_unknown_is_listed_once_for_each_reason() -> None:
    one = scored(packet(
        **opinions(orderflow=0.9, iceberg=0.9), missing={"orderflow.heat": "3 of 30 minutes", "bars.atr": "0 of 14",
                                                         "orderflow.cvd": "3 of 30 minutes"}))
    assert "  - orderflow.cvd, orderflow.heat: 3 of 30 minutes" in lines(one)


def test_an_open_frame_and_a_price_that_is_not_there_are_said() -> None:
    one = scored(packet(at=market(None), **opinions(orderflow=0.9)))
    one.closed = False
    assert lines(one)[:2] == [
        "GC.v.0 (GCG6)  2026-01-27T15:30:45Z, frame still open",
        "price no price, 2567.3 / 2567.7; real-time, GLBX.MDP3"]


def test_a_packet_without_a_score_names_the_missing_stages() -> None:
    with pytest.raises(BadData, match=r"qmo engine all \| qmo score"):
        explain(packet(**opinions(orderflow=0.9)))


@given(scenes(), options_of)
def test_whatever_the_packet_it_is_explained_within_eighty_columns(one: Packet, options: SignalOptions) -> None:
    scored(one)
    one.slots["signal"] = Signaler(options).update(one)
    text = explain(one)
    assert max(map(len, text.splitlines())) <= 80
    assert "None" not in text
    for reason in one.slots["signal"].reasons:
        assert reason.split()[0] in text


@given(scenes())
def test_a_packet_off_the_wire_is_explained_alike(one: Packet) -> None:
    one.slots["system"] = []
    scored(one)
    whole = explain(one)
    assert explain(Packet.decode(one.encode())) == whole
