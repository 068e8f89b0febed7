"""The drop protocol at every moment: dying after, or met by others before, each single call to the store."""

from collections.abc import Callable

import pytest

from functions.registry.memory import MemoryStore
from functions.scoring.summary import Input
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
    vouches,
)
from tests.unit.scoring.stores import Killed, WatchedStore, dying_at, interrupted_at

BEFORE = {"nothing before": None, "scored before": WITH_BAD_ROW, "refused before": REFUSED}
NOW = {"good": GOOD, "with a bad row": WITH_BAD_ROW, "refused": REFUSED}

situations = pytest.mark.parametrize(
    ("before", "now"),
    [(before, now) for before in BEFORE.values() for now in NOW.values()],
    ids=[f"{now}, {before}" for before in BEFORE for now in NOW],
)


def prepared(before: bytes | None, now: bytes) -> tuple[MemoryStore, Registry]:
    """A store with an older drop's results, if any, and a drop that waits."""
    data, registry = MemoryStore("drops"), Registry()
    if before is not None:
        data.put(KEY, before)
        score(data, registry)
    data.put(KEY, now)
    return data, registry


def version_of(data: MemoryStore) -> str:
    """The version that scored what is there, which is whole."""
    assert_whole(data)
    found = summary(data)
    assert found is not None
    return str(found["model"]["version"])


def calls_of(before: bytes | None, now: bytes) -> int:
    data, registry = prepared(before, now)
    watched = WatchedStore(data)
    score(watched, registry)
    return watched.calls


@situations
@pytest.mark.parametrize("done", [False, True], ids=["before the call", "after the call"])
def test_a_worker_that_dies_at_any_call_leaves_nothing_or_a_finished_result_after_the_retry(
    before: bytes | None, now: bytes, done: bool
) -> None:
    undisturbed, registry = prepared(before, now)
    score(undisturbed, registry)
    wanted = {key: body(undisturbed, key) for key in results(undisturbed) if key != PATHS.summary}
    calls = calls_of(before, now)
    assert calls > 10
    for last in range(1, calls + 1):
        data, registry = prepared(before, now)
        with pytest.raises(Killed):
            score(dying_at(data, last, done=done), registry)
        if vouches(data):
            assert {key: body(data, key) for key in wanted} == wanted  # nothing half that looks whole
        score(data, registry)
        assert_whole(data)
        assert {key: body(data, key) for key in results(data) if key != PATHS.summary} == wanted


def test_a_drop_stays_with_its_version_when_its_worker_dies_and_another_version_is_promoted() -> None:
    calls = calls_of(None, WITH_BAD_ROW)
    versions = []
    for last in range(1, calls + 1):
        data, registry = prepared(None, WITH_BAD_ROW)
        with pytest.raises(Killed):
            score(dying_at(data, last, done=True), registry)
        claimed = any("claim" in key for key in data.keys("")) or vouches(data)
        registry.promote(TWO)
        version = score(data, registry).version
        assert version == (ONE if claimed else TWO)
        assert_whole(data)
        versions.append(version)
    assert versions == sorted(versions, reverse=True)  # first unclaimed, then claimed
    assert set(versions) == {ONE, TWO}


@situations
def test_a_worker_dies_and_the_file_is_replaced_before_the_retry(before: bytes | None, now: bytes) -> None:
    for last in range(1, calls_of(before, now) + 1):
        data, registry = prepared(before, now)
        with pytest.raises(Killed):
            score(dying_at(data, last, done=True), registry)
        data.put(KEY, GOOD + b"c,3\n")
        score(data, registry)
        assert_whole(data)


@situations
def test_a_worker_dies_and_the_file_is_deleted_before_the_retry(before: bytes | None, now: bytes) -> None:
    for last in range(1, calls_of(before, now) + 1):
        data, registry = prepared(before, now)
        with pytest.raises(Killed):
            score(dying_at(data, last, done=True), registry)
        data.delete(KEY)
        assert score(data, registry).status == "gone"
        left = results(data)
        assert not [key for key in left if "claim" in key]
        found = summary(data)
        if found is None:
            assert left == {} or _of_older_drop(before, left)
        elif found["outputs"]["scored"] is not None:
            assert body(data, PATHS.scored) is not None


def _of_older_drop(before: bytes | None, left: dict[str, object]) -> bool:
    """A worker that died before it claimed left the older results as they were."""
    return before is not None and PATHS.summary in left


def met(
    before: bytes | None, now: bytes, act: Callable[[MemoryStore, Registry], None], check: Callable[[MemoryStore], None]
) -> None:
    """Lets `act` happen right before each call of a worker, and checks when the worker is through."""
    calls = calls_of(before, now)
    for number in range(1, calls + 1):
        data, registry = prepared(before, now)
        watched = interrupted_at(data, number, lambda data=data, registry=registry: act(data, registry))  # type: ignore[misc] # mypy cannot infer a lambda with defaults
        score(watched, registry)
        check(data)


@situations
def test_a_second_worker_on_the_same_drop_comes_in_at_any_moment(before: bytes | None, now: bytes) -> None:
    def second(data: MemoryStore, registry: Registry) -> None:
        score(data, registry)
        assert_whole(data)

    met(before, now, second, assert_whole)


@situations
def test_a_second_worker_comes_in_after_a_promotion(before: bytes | None, now: bytes) -> None:
    versions: list[str] = []

    def second(data: MemoryStore, registry: Registry) -> None:
        registry.promote(TWO)
        versions.append(score(data, registry).version or "")
        assert_whole(data)

    def check(data: MemoryStore) -> None:
        assert version_of(data) == versions[-1]  # the drop stayed with the version it was bound to

    met(before, now, second, check)


@situations
def test_a_newer_upload_in_the_middle_ends_with_the_newer_results(before: bytes | None, now: bytes) -> None:
    newer = GOOD + b"c,3\n"

    def replace(data: MemoryStore, _: Registry) -> None:
        data.put(KEY, newer)

    def check(data: MemoryStore) -> None:
        assert body(data, KEY) == newer
        if not vouches(data):  # replaced after the last look, it is left to its own event
            score(data, Registry())
        assert_whole(data)

    met(before, now, replace, check)


@situations
@pytest.mark.parametrize("newer", [GOOD + b"c,3\n", REFUSED + b"b,2\n"], ids=["good", "refused"])
def test_a_newer_upload_is_finished_by_another_worker_in_the_middle(
    before: bytes | None, now: bytes, newer: bytes
) -> None:
    def replaced(data: MemoryStore, registry: Registry) -> None:
        registry.promote(TWO)
        data.put(KEY, newer)
        score(data, registry)
        assert_whole(data)

    def check(data: MemoryStore) -> None:
        assert (body(data, KEY), version_of(data)) == (newer, TWO)

    met(before, now, replaced, check)


@situations
def test_a_newer_upload_stays_with_the_version_it_was_claimed_for_by_a_worker_that_died(
    before: bytes | None, now: bytes
) -> None:
    newer = GOOD + b"c,3\n"

    def claimed(data: MemoryStore, registry: Registry) -> None:
        claim = PATHS.claim(Input.of(KEY, data.put(KEY, newer)))

        def die(_: int) -> None:
            if claim in data.keys(""):
                raise Killed

        with pytest.raises(Killed):
            score(WatchedStore(data, after=die), registry)
        registry.promote(TWO)

    def check(data: MemoryStore) -> None:
        registry = Registry()
        registry.promote(TWO)
        score(data, registry)
        assert (body(data, KEY), version_of(data)) == (newer, ONE)

    met(before, now, claimed, check)


@situations
def test_the_same_bytes_uploaded_in_the_middle_are_scored_by_the_model_that_is_live_then(
    before: bytes | None, now: bytes
) -> None:
    def again(data: MemoryStore, registry: Registry) -> None:
        registry.promote(TWO)
        data.put(KEY, now)

    def check(data: MemoryStore) -> None:
        if not vouches(data):
            registry = Registry()
            registry.promote(TWO)
            score(data, registry)
        assert version_of(data) == TWO

    met(before, now, again, check)


@situations
def test_a_file_deleted_in_the_middle_leaves_no_claim_and_no_unvouched_result(before: bytes | None, now: bytes) -> None:
    def check(data: MemoryStore) -> None:
        score(data, Registry())
        left = results(data)
        assert not [key for key in left if "claim" in key]
        if summary(data) is None:
            assert left == {}

    met(before, now, lambda data, _: data.delete(KEY), check)
