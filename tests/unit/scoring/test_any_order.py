"""Uploads, deletions, promotions and events in any order: what is there at the end is the newest upload's."""

import gzip
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.registry.memory import MemoryStore
from functions.scoring.drop import DropPaths
from tests.unit.scoring.drops import (
    GOOD,
    KEY,
    ONE,
    PATHS,
    REFUSED,
    TWO,
    WITH_BAD_ROW,
    Registry,
    assert_whole,
    body,
    results,
    score,
    summary,
    worker,
)

Happening: TypeAlias = bytes | str

uploads: st.SearchStrategy[Happening] = st.sampled_from([GOOD, WITH_BAD_ROW, REFUSED])
happenings = st.lists(uploads | st.sampled_from(["event", "event", "delete", "promote"]), max_size=12)


@given(happenings)
def test_once_the_last_event_is_handled_the_newest_upload_has_its_results_and_nothing_older_looks_current(
    happened: list[Happening],
) -> None:
    data, registry = MemoryStore("drops"), Registry()
    live, bound, there = ONE, None, False
    for one in [*happened, "event"]:
        if isinstance(one, bytes):
            data.put(KEY, one)
            bound, there = None, True
        elif one == "delete":
            data.delete(KEY)
            there = False
        elif one == "promote":
            live = TWO if live == ONE else ONE
            registry.promote(live)
        else:
            report = score(data, registry)
            if there:
                bound = bound or live
                assert report.version == bound, "a drop stays with the version that was live when it was begun"
            else:
                assert report.status == "gone"
    found = summary(data)
    if there:
        assert found is not None
        assert_whole(data)
        assert found["status"] == ("refused" if body(data, KEY) == REFUSED else "scored")
    assert not [key for key in data.keys("") if "claim" in key]


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "X.CSV.GZ"])
@pytest.mark.parametrize("packed", [True, False], ids=["packed", "plain"])
def test_whether_a_drop_is_packed_is_told_by_its_bytes_and_not_by_its_name(name: str, packed: bool) -> None:
    data, paths = MemoryStore("drops"), DropPaths(f"incoming/{name}")
    data.put(paths.incoming, gzip.compress(WITH_BAD_ROW) if packed else WITH_BAD_ROW)
    assert worker(data, Registry()).score(paths.incoming).status == "scored"
    for key, rows in ((paths.scored, b"id,x,prediction\na,1,one\nc,3,one\n"), (paths.rejected, None)):
        found = data.get(key).body
        assert found.startswith(b"\x1f\x8b") == packed
        assert rows in (None, gzip.decompress(found) if packed else found)


def test_a_file_of_a_header_alone_is_a_finished_drop() -> None:
    data = MemoryStore("drops")
    data.put(KEY, b"id,x\n")
    assert score(data, Registry()).status == "scored"
    found = summary(data)
    assert found is not None
    assert results(data) == {PATHS.scored: b"id,x,prediction\n", PATHS.summary: found}
    assert found["rows"] == {"input": 0, "scored": 0, "rejected": 0, "blank": 0}
    assert found["outputs"]["rejected"] is None
