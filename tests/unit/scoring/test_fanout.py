"""A drop scored in parts: for any file and any cuts the very bytes that one function writes."""

import random
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from functions.errors import DropRefused
from functions.registry.memory import MemoryStore
from functions.scoring.fanout import plan as plans
from functions.scoring.fanout.joining import renumbered
from functions.scoring.report import Report
from functions.scoring.summary import Rows
from tests.unit.scoring.parts import HEADER, KEY, LIMIT, PATHS, in_parts, results, single, small

cell = st.sampled_from(
    ["1", "2.5", "", "x", '"1"', '"a,b"', '"a\nb"', '"a""b"', '"""', '"open', '"a"b', 'a"b', "é", "\r"]
)
odd = st.lists(cell, min_size=1, max_size=4).map(",".join)
plain = st.tuples(st.text("abcé", max_size=6), st.sampled_from(["1", "2", "", "?"])).map(",".join)
quoted = st.tuples(st.sampled_from(['"a"', '"a\nb"', '"a""b"', '""', '"a,b"']), st.just("1")).map(",".join)
long = st.integers(1, 3 * LIMIT).map(lambda size: "y" * size)
ends = st.sampled_from(["\n", "\n", "\r\n", "\n\n"])


def files(*kinds: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    rows = st.lists(st.tuples(st.one_of(*kinds), ends), max_size=60)
    return st.tuples(rows, st.booleans()).map(
        lambda given: ("".join(one + end for one, end in given[0]).encode())[: -1 if given[1] else None]
    )


any_file = st.one_of(files(plain), files(plain, quoted), files(quoted), files(plain, quoted, odd, long), files(odd))


@given(any_file, st.integers(8, 90), st.integers(0, 60), st.integers(1, 60), st.lists(st.integers(), max_size=7))
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(b'"open\n' + b"a,1\n" * 60, 16, 0, 20, [])
@example(b"a,1\n" * 20 + b'"a\n\n\n\nb",1\n' * 20, 16, 40, 20, [])
@example(b"?,?\n" * 40 + b"a,1\n" * 40 + b"?,?\n" * 10, 16, 0, 16, [3, 1, 2])
@example(b'"""\n' * 60, 20, 30, 20, [])
def test_parts_joined_are_what_one_function_writes(
    body: bytes, block: int, slack: int, part_bytes: int, order: list[int]
) -> None:
    with small(block, slack=slack):
        whole, report = single(HEADER + body)
        store = MemoryStore()
        store.put(KEY, HEADER + body)
        joined, parts = in_parts(store, part_bytes, order)
    if joined.status == "refused":
        assert joined.reason is not None
        assert joined.reason.startswith("no_safe_cut")
        assert set(results(store)) == {PATHS.summary}
        return
    assert (joined.status, joined.rows) == (report.status, report.rows)
    assert results(store) == results(whole)
    assert parts >= 1


def cut_as_whole(body: bytes, block: int, part_bytes: int) -> tuple[Report, int]:
    """What was told, and how many parts there were; what they come to is what one function writes."""
    with small(block):
        store = MemoryStore()
        store.put(KEY, body)
        report, parts = in_parts(store, part_bytes)
        whole, _ = single(body)
    assert results(store) == results(whole)
    return report, parts


def test_a_file_of_many_blocks_is_cut_into_as_many_parts_as_it_should() -> None:
    body = HEADER + b"a,1\n" * 4000
    report, parts = cut_as_whole(body, 64, 256)
    assert (report.status, parts) == ("scored", -(-len(body) // 256))


def test_blank_lines_before_the_header_are_counted_once() -> None:
    body = b"\n\r\n" + HEADER + b"a,1\n\n" * 40
    report, parts = cut_as_whole(body, 64, 64)
    assert parts > 1
    assert report.rows == Rows(input=40, scored=40, rejected=0, blank=42)


@pytest.mark.parametrize("quoted", [b'"a",1\n', b'"a\nb","1"\r\n', b'"a""b",1\n"",2\n'])
def test_a_file_full_of_quotes_is_cut_where_its_records_show(quoted: bytes) -> None:
    body = HEADER + quoted * 4000
    report, parts = cut_as_whole(body, 512, 1024)
    assert report.status == "scored"
    assert parts > len(body) // 1024 // 2


def test_a_file_whose_lines_can_be_read_in_two_ways_is_refused_with_its_reason() -> None:
    # From a line start inside the cell everything else looks like records, and never meets what really are.
    body = HEADER + b'a,"\nb,"\n' * 4000
    with small(512):
        store = MemoryStore()
        store.put(KEY, body)
        report, parts = in_parts(store, 1024)
    assert (report.status, parts) == ("refused", 0)
    assert report.reason is not None
    assert report.reason.startswith("no_safe_cut: from byte ")


@given(st.integers(1, 10**14), st.integers(1, 10**6), st.sampled_from([512 * 1024, 1]), st.integers(1, 5 * 2**30))
@settings(max_examples=300, deadline=None)
def test_no_more_cuts_are_wanted_than_an_upload_has_numbers_for(
    size: int, header: int, block: int, wanted: int
) -> None:
    length = plans.length_of_parts(size, block, wanted)
    cuts = plans.wanted_cuts(header, size, length)
    assert len(cuts) < plans.MOST_PARTS
    assert length % block == 0
    assert length >= wanted
    assert all(header < cut < size for cut in (*cuts[:2], *cuts[-2:]))


@given(st.integers(0, 50), st.lists(st.none() | st.integers(0, 1000), max_size=30))
def test_parts_are_the_whole_file_after_its_header_in_order(header: int, starts: list[int | None]) -> None:
    parts = plans.parts_between(header, 1000, starts, 1000)
    assert parts[0].start == header
    assert parts[-1].end == 1000
    assert all(one.end == other.start for one, other in pairwise(parts))
    assert all(part.start < part.end for part in parts)


def test_cuts_that_fell_away_side_by_side_refuse_the_file() -> None:
    with pytest.raises(DropRefused, match="from byte 100 to byte 600 it cannot be told where records start"):
        plans.parts_between(0, 700, [100, None, None, None, None, 600], 100)


@given(st.lists(st.binary(max_size=30), max_size=8), st.integers(0, 10**10), st.booleans(), st.integers(1, 12))
def test_rejected_rows_are_renumbered_and_nothing_else_changes(
    records: list[bytes], lines: int, first: bool, cut: int
) -> None:
    def rows(more: int) -> bytes:
        told = [
            b'%d,not_a_number,"say ""x""\n","%s"\n' % (7 + index + more, record.replace(b'"', b'""'))
            for index, record in enumerate(records)
        ]
        return b"".join(told)

    header = b"line,reason,message,record\n"
    body = header + rows(0)
    chunks = [body[start : start + cut] for start in range(0, len(body), cut)]
    assert b"".join(renumbered(chunks, lines, first=first)) == (header if first else b"") + rows(lines)


def test_a_cut_file_has_its_rejected_rows_by_their_lines_in_the_whole() -> None:
    randomly = random.Random(7)  # noqa: S311 # a file, not a secret
    body = HEADER + b"".join(randomly.choice([b"a,1\n", b"b,?\n", b'"c\nd",?\n', b"\n"]) for _ in range(3000))
    report, parts = cut_as_whole(body, 256, 512)
    assert parts > 10
    assert report.status == "scored" or report.status == "failed"
