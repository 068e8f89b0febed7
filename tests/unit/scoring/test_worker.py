"""The drop protocol, one worker at a time."""

import time

import pytest

from functions.errors import DropRefused, ModelNotFound, ModelRefused, OutOfTime, StoreError
from functions.registry.memory import MemoryStore
from functions.scoring import pace
from functions.scoring.claim import Claim, ClaimedModel, encode
from functions.scoring.report import Report
from functions.scoring.summary import Input, Rows
from functions.scoring.worker import Worker
from tests.unit.scoring.drops import (
    GOOD,
    KEY,
    ONE,
    OPTIONS,
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
from tests.unit.scoring.stores import WatchedStore


@pytest.fixture
def data() -> MemoryStore:
    return MemoryStore("drops")


@pytest.fixture
def registry() -> Registry:
    return Registry()


def test_a_drop_becomes_scored_and_rejected_rows_and_a_summary_that_vouches(
    data: MemoryStore, registry: Registry
) -> None:
    dropped = data.put(KEY, WITH_BAD_ROW)
    assert score(data, registry) == Report("scored", None, Rows(3, 2, 1, 0), ONE, len(WITH_BAD_ROW))
    scored, rejected = data.stat(PATHS.scored), data.stat(PATHS.rejected)
    assert results(data) == {
        PATHS.scored: b"id,x,prediction\na,1,one\nc,3,one\n",
        PATHS.rejected: (
            b"line,reason,message,record\n3,not_a_number,\"column 'x': found '?', expected a number\",\"b,?\"\n"
        ),
        PATHS.summary: {
            "status": "scored",
            "reason": None,
            "message": None,
            "input": {
                "key": KEY,
                "etag": dropped.etag,
                "last_modified": dropped.last_modified,
                "version_id": dropped.version_id,
                "bytes": len(WITH_BAD_ROW),
            },
            "model": {"name": "m", "version": ONE, "engine": "joblib"},
            "rows": {"input": 3, "scored": 2, "rejected": 1, "blank": 0},
            "rejected_by_reason": {"not_a_number": 1},
            "warnings": {},
            "outputs": {
                "scored": {"key": PATHS.scored, "etag": scored.etag, "bytes": scored.size},
                "rejected": {"key": PATHS.rejected, "etag": rejected.etag, "bytes": rejected.size},
            },
            "predictions": {"classes": {"one": 2, "two": 0}},
            "features": {"x": {"missing": 0.0, "out_of_range": 0.5, "unseen": None, "drift": 1.0}},
        },
    }


def test_the_same_event_twice_does_the_work_once_also_after_a_promotion(data: MemoryStore, registry: Registry) -> None:
    data.put(KEY, GOOD)
    score(data, registry)
    before = {key: data.stat(key) for key in results(data)}
    registry.promote(TWO)
    assert score(data, registry) == Report("already_done", "this drop was scored before", Rows(2, 2, 0, 0), ONE)
    assert {key: data.stat(key) for key in results(data)} == before


def test_the_same_bytes_uploaded_again_are_a_new_drop_for_the_model_that_is_live_then(
    data: MemoryStore, registry: Registry
) -> None:
    data.put(KEY, GOOD)
    score(data, registry)
    registry.promote(TWO)
    data.put(KEY, GOOD)
    assert score(data, registry).version == TWO
    assert_whole(data)


def test_a_new_drop_without_bad_rows_removes_the_old_rejected_file(data: MemoryStore, registry: Registry) -> None:
    data.put(KEY, WITH_BAD_ROW)
    score(data, registry)
    data.put(KEY, GOOD)
    score(data, registry)
    assert body(data, PATHS.rejected) is None
    assert_whole(data)


def test_a_refused_drop_leaves_a_summary_with_the_reason_and_no_older_result(
    data: MemoryStore, registry: Registry
) -> None:
    data.put(KEY, WITH_BAD_ROW)
    score(data, registry)
    data.put(KEY, REFUSED)
    told = (
        "the header lacks 'x'; it has 'id', 'y'. Names must match exactly; where the separator is none of comma, "
        "semicolon and tab, set BATCH_SEPARATOR"
    )
    assert score(data, registry) == Report("refused", f"missing_columns: {told}", Rows(0, 0, 0, 0), ONE, len(REFUSED))
    assert_whole(data)
    found = summary(data)
    assert found is not None
    assert (found["reason"], found["message"]) == ("missing_columns", told)
    assert found["outputs"] == {"scored": None, "rejected": None}
    assert score(data, registry).status == "already_done"


def test_too_large_a_share_of_rejected_rows_marks_the_summary_failed_and_keeps_the_results(
    data: MemoryStore, registry: Registry
) -> None:
    data.put(KEY, WITH_BAD_ROW)
    report = worker(data, registry, max_rejected_share=0.3).score(KEY)
    told = (
        "1 of 3 rows were rejected, more than a share of 0.3 (BATCH_MAX_REJECTED_SHARE); the others are in "
        "scored/day/x.csv, look at rejected/day/x.csv"
    )
    assert report == Report("failed", f"too_many_rejected: {told}", Rows(3, 2, 1, 0), ONE, len(WITH_BAD_ROW))
    assert_whole(data)
    assert score(data, registry).reason == "this drop was failed before"


@pytest.mark.parametrize("share", [1 / 3, 0.5, 1.0])
def test_a_share_that_is_reached_and_not_passed_is_no_failure(
    data: MemoryStore, registry: Registry, share: float
) -> None:
    data.put(KEY, WITH_BAD_ROW)
    assert worker(data, registry, max_rejected_share=share).score(KEY).status == "scored"


def test_an_object_that_is_gone_is_told_so_and_makes_nothing(data: MemoryStore, registry: Registry) -> None:
    assert score(data, registry) == Report("gone", "there is no such object any more", None)
    assert results(data) == {}


def test_what_an_unfinished_worker_left_of_a_file_that_is_gone_goes_too(data: MemoryStore, registry: Registry) -> None:
    data.put(PATHS.claim_of("0" * 16), b"{}")
    data.put(PATHS.scored, b"something")
    assert score(data, registry).status == "gone"
    assert results(data) == {}


def test_finished_results_of_a_file_that_is_gone_stay(data: MemoryStore, registry: Registry) -> None:
    data.put(KEY, GOOD)
    score(data, registry)
    before = results(data)
    data.delete(KEY)
    assert score(data, registry).status == "gone"
    assert results(data) == before


def test_the_claimed_version_is_used_whatever_is_live(data: MemoryStore, registry: Registry) -> None:
    dropped = data.put(KEY, GOOD)
    claim = Claim(ClaimedModel("m", ONE), "2026-01-01T00:00:00.000+00:00")
    data.put(PATHS.claim(Input.of(KEY, dropped)), encode(claim))
    registry.promote(TWO)
    assert score(data, registry).version == ONE
    assert_whole(data)


def test_claims_of_older_drops_are_swept_and_look_alikes_stay(data: MemoryStore, registry: Registry) -> None:
    data.put(KEY, GOOD)
    data.put(PATHS.claim_of("0123456789abcdef"), b"{}")
    others = ["scored/day/x.csv.gz.0123456789abcdef.claim.json", "scored/day/x.csv.mine.claim.json"]
    for key in others:
        data.put(key, b"{}")
    score(data, registry)
    assert [key for key in data.keys("") if "claim" in key] == sorted(others)


@pytest.mark.parametrize(
    ("claim", "told"),
    [(b"no json", "is unreadable"), (encode(Claim(ClaimedModel("other", ONE), "")), "is for the model other")],
)
def test_a_claim_that_binds_to_nothing_is_told(data: MemoryStore, registry: Registry, claim: bytes, told: str) -> None:
    key = PATHS.claim(Input.of(KEY, data.put(KEY, GOOD)))
    data.put(key, claim)
    with pytest.raises(ModelRefused) as raised:
        score(data, registry)
    assert raised.value.message == f"the claim {key} {told}; delete it, and replay the event"


def test_a_claimed_version_that_is_no_more_is_told_with_what_binds_to_it(data: MemoryStore, registry: Registry) -> None:
    key = PATHS.claim(Input.of(KEY, data.put(KEY, GOOD)))
    data.put(key, encode(Claim(ClaimedModel("m", "20250101T000000Z-gone"), "")))
    with pytest.raises(ModelNotFound) as raised:
        score(data, registry)
    assert raised.value.message == (
        "m has no version 20250101T000000Z-gone in memory:; name one that was published "
        f"(incoming/day/x.csv is bound to this version by {key}; delete that to bind it anew)"
    )
    data.delete(key)
    assert score(data, registry).version == ONE


def test_a_version_that_cannot_be_loaded_binds_no_drop(data: MemoryStore, registry: Registry) -> None:
    data.put(KEY, GOOD)
    registry.store.delete("models/m/aliases/live.json")
    with pytest.raises(ModelNotFound):
        score(data, registry)
    assert results(data) == {}
    registry.promote(TWO)
    assert score(data, registry).version == TWO


def test_a_summary_somebody_broke_is_made_anew_by_the_version_it_names(data: MemoryStore, registry: Registry) -> None:
    data.put(KEY, GOOD)
    score(data, registry)
    registry.promote(TWO)
    data.put(PATHS.scored, b"changed by hand")
    assert score(data, registry).version == ONE
    assert_whole(data)


def test_a_summary_that_is_none_vouches_for_nothing(data: MemoryStore, registry: Registry) -> None:
    data.put(KEY, GOOD)
    data.put(PATHS.summary, b"not json")
    assert score(data, registry).status == "scored"
    assert_whole(data)


def test_an_input_that_never_rests_is_left_to_a_retry(data: MemoryStore, registry: Registry) -> None:
    data.put(KEY, GOOD)

    def replace(_: int) -> None:
        data.put(KEY, GOOD)

    restless = WatchedStore(data, replace)
    with pytest.raises(StoreError, match="kept changing while it was scored; the event is to be retried"):
        score(restless, registry)
    score(data, registry)
    assert_whole(data)


def test_what_the_time_left_does_not_allow_is_refused_with_the_remedy(
    data: MemoryStore, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.scoring.windows.BLOCK", 4096)
    monkeypatch.setattr("functions.scoring.loop.PIECE", 4096)
    data.put(KEY, b"id,x\n" + b"a,1\n" * 50_000)
    now = [0.0]

    def tick() -> float:
        now[0] += 0.5
        return now[0]

    monkeypatch.setattr(time, "monotonic", tick)
    monkeypatch.setattr(pace.Pace.__init__, "__defaults__", (None, None, tick))
    report = worker(data, registry).score(KEY, lambda: 10.0 - now[0], 10.0)
    assert report.status == "refused"
    assert report.reason is not None
    assert report.reason.startswith("too_large: 200005 bytes at 0.0")
    assert_whole(data)


def test_a_file_that_a_fresh_invocation_could_finish_is_left_to_it(data: MemoryStore, registry: Registry) -> None:
    data.put(KEY, GOOD + b"a,1\n" * 1_000_000)
    with pytest.raises(OutOfTime):
        worker(data, registry).score(KEY, lambda: 0.0, 900.0)
    assert body(data, PATHS.summary) is None
    assert score(data, registry).status == "scored"


def test_refusals_are_errors_of_the_tree() -> None:
    assert DropRefused("code", "message").code == "code"


def test_a_drop_too_large_for_the_function_is_handed_over_where_somebody_takes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def too_large(*_: object) -> None:
        raise DropRefused("too_large", "it needs longer than there is")

    monkeypatch.setattr(pace.Pace, "check", too_large)
    data, registry = MemoryStore(), Registry()
    data.put(KEY, GOOD)
    taken: list[Input] = []
    one = Worker(data, registry.models(), OPTIONS, 0.5, taken.append)
    assert one.score(KEY) == Report("handed_over", "it needs longer than there is", None, ONE)
    assert taken == [Input.of(KEY, data.stat(KEY))]
    assert set(results(data)) == {PATHS.claim(taken[0])}  # whoever has it now scores it by the same version


def test_a_drop_replaced_while_it_turned_out_too_large_is_not_handed_over_but_the_newer_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data, registry = MemoryStore(), Registry()
    data.put(KEY, GOOD)

    def replaced_and_too_large(*_: object) -> None:
        if data.get(KEY).body == GOOD:
            data.put(KEY, WITH_BAD_ROW)
        raise DropRefused("too_large", "it needs longer than there is")

    monkeypatch.setattr(pace.Pace, "check", replaced_and_too_large)
    taken: list[Input] = []
    one = Worker(data, registry.models(), OPTIONS, 0.5, taken.append)
    assert one.score(KEY) == Report("handed_over", "it needs longer than there is", None, ONE)
    assert taken == [Input.of(KEY, data.stat(KEY))]


def test_a_drop_refused_for_another_reason_is_not_handed_over() -> None:
    data, registry = MemoryStore(), Registry()
    data.put(KEY, REFUSED)
    taken: list[Input] = []
    assert Worker(data, registry.models(), OPTIONS, 0.5, taken.append).score(KEY).status == "refused"
    assert taken == []
