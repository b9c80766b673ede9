"""Files of our own records merged into the stream: each in its place, however the stream is cut."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmo_cli.blocks import MAPPING, UNDEF_TIME, Block
from qmo_cli.errors import BadData, SourceUnavailable, UsageError
from qmo_cli.feeds.merge import merge
from qmo_cli.market import stream
from qmo_cli.records import Account, Fill, Kill, System, encode_record, from_dbn, to_dbn

from .laws import ENCODINGS, Setup, lines, read_back, written
from .laws_streams import Case, cases
from .support import START, blocks, mapping, split, trade
from .test_laws import assert_same

MS = 1_000_000
few = settings(max_examples=20, deadline=None, derandomize=True, database=None)


def fill(ms: float, order: str = "1", **more: object) -> Fill:
    fields: dict[str, object] = {"side": "B", "price": 2000.0, "size": 1, "order_id": order, **more}
    return Fill(ts_event=str(START + round(ms * MS)), **fields)  # type: ignore[arg-type]


def traded(ms: float) -> bytes:
    ts = START + round(ms * MS)
    return trade("B", 2000.0, 1, ts_event=ts, ts_recv=ts)


def text_of(*records: object) -> bytes:
    return b"".join(encode_record(record) + b"\n" for record in records)


def saved(folder: Path, *records: object, name: str = "account.ndjson") -> str:
    path = folder / name
    path.write_bytes(text_of(*records))
    return str(path)


def joined(found: Iterable[Block]) -> list[bytes]:
    return split(b"".join(block.data for block in found))


def naive(records: Sequence[bytes], own: Sequence[bytes]) -> list[bytes]:
    """The definition, record by record: ahead of the first one whose time is later, and of the names before that."""
    found, waiting = list[bytes](), sorted(own, key=lambda record: stream.record_time(record, 0))
    for record in records:
        ts = UNDEF_TIME if record[1] == MAPPING else stream.record_time(record, 0)
        due = [one for one in waiting if ts != UNDEF_TIME and stream.record_time(one, 0) < ts]
        waiting = waiting[len(due):]
        place = len(found)
        while place and found[place - 1][1] == MAPPING:
            place -= 1
        found[place:place] = due
        found.append(record)
    return found


@few
@given(case=cases(most=800), data=st.data())
def test_every_record_goes_in_ahead_of_the_first_market_record_that_is_later(
    tmp_path_factory: pytest.TempPathFactory, case: Case, data: st.DataObject,
) -> None:
    times = [stream.record_time(record, 0) for record in case.records]
    drawn = data.draw(st.lists(st.tuples(st.sampled_from(times), st.integers(-2, 2)), max_size=8))
    own = [Fill(ts_event=str(ts + shift), side="A", price=1.0, size=1, order_id=str(index))
           for index, (ts, shift) in enumerate(drawn) if 0 <= ts + shift < UNDEF_TIME]
    path = saved(tmp_path_factory.mktemp("merge"), *own)
    cuts = data.draw(st.lists(st.integers(1, len(case.records)), max_size=6))
    found = joined(merge(case.blocks(cuts), [path]))
    assert found == naive(case.records, [to_dbn(record) for record in own])


@few
@given(case=cases(most=800), data=st.data())
def test_a_merged_stream_prints_the_same_through_pipes_of_either_form(
    tmp_path_factory: pytest.TempPathFactory, case: Case, data: st.DataObject,
) -> None:
    times = [ts for record in case.records if START <= (ts := stream.record_time(record, 0)) < UNDEF_TIME]
    own = [Kill(ts_event=str(ts), detail=str(ts)) for ts in data.draw(st.lists(st.sampled_from(times), max_size=4))]
    path = saved(tmp_path_factory.mktemp("merge"), *own)
    whole = lines(merge(case.blocks(), [path]), Setup())
    for encoding in ENCODINGS:
        text = written(merge(case.blocks(), [path]), encoding)
        assert_same(lines(read_back(text), Setup()), whole)


def test_two_files_are_put_in_order_and_lines_of_one_time_stay_as_they_stood(tmp_path: Path) -> None:
    one = saved(tmp_path, fill(2, "a"), fill(1, "b"), fill(1, "c"), name="one")
    two = saved(tmp_path, fill(1, "d"), fill(0, "e"), name="two")
    found = joined(merge(blocks([traded(0.5), traded(1), traded(3)]), [one, two]))
    orders = [getattr(from_dbn(record, 0, {}), "order_id", "trade") for record in found]
    assert orders == ["e", "trade", "trade", "b", "c", "d", "a", "trade"]


def test_what_is_later_than_the_end_of_the_input_is_left_out_with_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture,
) -> None:
    path = saved(tmp_path, fill(1), fill(2), fill(5))
    assert len(joined(merge(blocks([traded(1.5), traded(2)]), [path]))) == 3
    assert caplog.messages == [f"{path}: 2 records are later than the end of the input, and left out"]


def test_without_files_the_blocks_pass_untouched() -> None:
    given_blocks = blocks([traded(1), traded(2)], [1])
    assert all(one is other for one, other in zip(merge(given_blocks, []), given_blocks, strict=True))


def test_a_damaged_line_is_named_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "account.ndjson"
    path.write_bytes(text_of(fill(1)) + b'{"schema":"fill","ts_event":"5","side":"X","price":1,"size":1}\n')
    with pytest.raises(BadData, match=r"account\.ndjson, line 2, field side: "):
        list(merge(blocks([traded(3)]), [str(path)]))


def test_market_records_and_records_without_a_time_cannot_be_merged(tmp_path: Path) -> None:
    path = tmp_path / "own"
    path.write_bytes(text_of(fill(1)) + written(blocks([mapping("GC.v.0", "GCJ6"), traded(1)]), "ndjson"))
    with pytest.raises(BadData, match="own, line 2, --merge takes account, fill, kill, news, quote, system records"):
        list(merge(blocks([traded(3)]), [str(path)]))
    path.write_bytes(text_of(Kill(ts_event=None)))
    with pytest.raises(BadData, match="own, line 1, field ts_event: null"):
        list(merge(blocks([traded(3)]), [str(path)]))


def test_damaged_lines_are_skipped_on_request_and_the_stream_says_so(tmp_path: Path) -> None:
    path = tmp_path / "own"
    path.write_bytes(text_of(fill(1)) + b"no record\n" + text_of(fill(2)))
    found = [from_dbn(record, 0, {}) for record in joined(merge(blocks([traded(3)]), [str(path)], skip_bad=True))]
    assert [record.__struct_config__.tag for record in found] == ["fill", "system", "fill", "trades"]
    assert isinstance(found[1], System)
    assert (found[1].kind, found[1].count) == ("skipped", 1)


def test_a_missing_file_and_standard_input_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="no such file"):
        merge([], [str(tmp_path / "nothing")])
    with pytest.raises(UsageError, match="standard input"):
        merge([], ["-"])


def test_an_account_file_with_nothing_in_it_yet_is_no_mistake(tmp_path: Path) -> None:
    assert joined(merge(blocks([traded(1)]), [saved(tmp_path)])) == [traded(1)]


def test_a_file_that_grows_is_followed_and_what_comes_late_goes_in_at_once(tmp_path: Path) -> None:
    path = saved(tmp_path, fill(1, "early"))
    market = iter(blocks([traded(ms) for ms in (2, 4, 6, 8)], range(4)))

    def growing() -> Iterable[Block]:
        for number, block in enumerate(market):
            if number == 2:
                with Path(path).open("ab") as file:
                    file.write(text_of(fill(3, "late"), fill(7, "due")) + encode_record(fill(7.5, "torn"))[:20])
            yield block

    records = joined(merge(growing(), [path], follow=True))
    found = [getattr(from_dbn(record, 0, {}), "order_id", "trade") for record in records]
    assert found == ["early", "trade", "trade", "late", "trade", "due", "trade"]


def test_a_late_fill_goes_into_the_open_frame_and_counts_as_late(tmp_path: Path) -> None:
    late = to_dbn(fill(500))
    records = [mapping("GC.v.0", "GCJ6"), traded(100), traded(1100), late, traded(1200)]
    router = Setup().router()
    packets = [*router.read(blocks(records)[0]), *router.finish()]
    facts = [packet.inputs.context for packet in packets]
    assert facts[0] is None
    assert [(fact.ts_event, fact.late) for fact in facts[1] or []] == [
        (str(START + 500 * MS), str(START + 1100 * MS))]
    assert [packet.health.late for packet in packets] == [0, 1]


FEED = "qmo feed market --merge own"


@pytest.mark.parametrize("chain", [
    f"{FEED} | qmo route", f"{FEED} --encoding dbn | qmo route", f"qmo feed {FEED[9:]} --encoding dbn | qmo feed - | "
    "qmo route", "qmo route market --merge own", "qmo route --merge own < market",
])
def test_every_command_merges_alike(chain: str, tmp_path: Path, shell_environment: dict[str, str]) -> None:
    (tmp_path / "market").write_bytes(written(
        blocks([mapping("GC.v.0", "GCJ6"), *map(traded, (100, 1100, 3300))]), "ndjson"))
    saved(tmp_path, fill(50), Account(ts_event=str(START + 2200 * MS), balance=100.0), name="own")
    done = subprocess.run(chain, shell=True, capture_output=True, cwd=tmp_path, env=shell_environment, check=True)
    own = done.stdout.splitlines()
    assert [b'"context":[' in line for line in own] == [True, False, True, False]
    assert own == lines(merge(blocks([mapping("GC.v.0", "GCJ6"), *map(traded, (100, 1100, 3300))]),
                              [str(tmp_path / "own")]), Setup()) or b'"balance":100.0' in own[2]


def test_packets_cannot_be_merged_into(tmp_path: Path, shell_environment: dict[str, str]) -> None:
    saved(tmp_path, fill(1), name="own")
    done = subprocess.run(
        """printf '{"schema":"packet"}\\n' | qmo engine bars --merge own""", shell=True, capture_output=True,
        cwd=tmp_path, env=shell_environment, check=False)
    assert done.returncode == 2
    assert b"give it to the stage before" in done.stderr
