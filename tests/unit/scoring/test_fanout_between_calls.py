"""A run in parts whose process dies between any two calls: tried again it ends as if nothing had happened, given up
it leaves nothing."""

import gzip
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache, partial
from itertools import chain, count, repeat
from typing import Any

import pytest

from functions.errors import RunEnded, StoreError
from functions.registry.memory import MemoryStore
from functions.registry.memory_uploads import MemoryUploads
from functions.registry.store import Stat
from functions.registry.uploads import Numbered
from functions.scoring.drop import digest_of
from functions.scoring.fanout.run import FanOut
from functions.scoring.report import Report
from functions.scoring.summary import Input
from functions.scoring.worker import Worker
from tests.unit.scoring.parts import (
    HEADER,
    KEY,
    LEAST,
    OPTIONS,
    PATHS,
    TELLING,
    OneModel,
    fan_out,
    planned,
    results,
    single,
    small,
)
from tests.unit.scoring.stores import Killed, WatchedStore, dying_at, interrupted_at

# Parts of every kind: with and without rejected rows, and some whose output is too little for a piece.
BODY = HEADER + b"a,1\n" * 30 + b"b,?\n" * 40 + b"c,2\n" * 30 + b"d,?\n"
PART_BYTES = 100
PARTS = 4


class WatchedUploads:
    """Uploads whose calls count with those of a store."""

    def __init__(self, inner: MemoryUploads, store: WatchedStore) -> None:
        self._inner = inner
        self._store = store
        self.least = inner.least

    def create(self, key: str, mark: str) -> str:
        return self._store.call(lambda: self._inner.create(key, mark))

    def put(self, key: str, upload: str, number: int, body: bytes) -> Numbered:
        return self._store.call(lambda: self._inner.put(key, upload, number, body))

    def complete(self, key: str, upload: str, pieces: Sequence[Numbered]) -> None:
        self._store.call(lambda: self._inner.complete(key, upload, pieces))

    def abort(self, key: str, upload: str) -> None:
        self._store.call(lambda: self._inner.abort(key, upload))

    def pending(self, key: str) -> list[str]:
        return self._store.call(lambda: self._inner.pending(key))

    def made(self, key: str, mark: str) -> Stat | None:
        return self._store.call(lambda: self._inner.made(key, mark))


@pytest.fixture(autouse=True)
def small_limits() -> Iterator[None]:
    with small(16):
        yield


class Bucket:
    """A store with the drop in it, its uploads, and whoever takes the steps."""

    def __init__(self, body: bytes = BODY) -> None:
        self.store = MemoryStore()
        self.uploads = MemoryUploads(self.store, LEAST)
        self.store.put(KEY, body)
        self.steps = fan_out(self.store, self.uploads, PART_BYTES)

    @property
    def digest(self) -> str:
        return digest_of(Input.of(KEY, self.store.stat(KEY)))

    def dying(self, last: int, *, done: bool) -> FanOut:
        """Steps whose process dies at call `last`, after it took effect if `done`."""
        store = dying_at(self.store, last, done=done)
        return fan_out(store, WatchedUploads(self.uploads, store), PART_BYTES)

    def planned(self) -> "Bucket":
        assert planned(self.steps).parts == PARTS
        return self

    def scored(self) -> "Bucket":
        self.planned()
        for number in range(PARTS):
            self.steps.part(KEY, self.digest, number)
        return self

    def finished(self) -> "Bucket":
        self.scored().steps.finish(KEY, self.digest)
        return self

    def assert_finished(self) -> None:
        assert results(self.store) == by_one_function()
        assert self.uploads.pending(PATHS.scored) == []

    def assert_given_up(self, *left: str) -> None:
        """Nothing is there but the claim, which binds whoever tries again to the same version, and `left`."""
        assert set(results(self.store)) <= {PATHS.claim_of(self.digest), *left}
        assert self.uploads.pending(PATHS.scored) == []


@cache
def by_one_function() -> dict[str, Any]:
    return results(single(BODY)[0])


def deaths(bucket: Callable[[], Bucket], step: Callable[[FanOut, str], object]) -> Iterator[Bucket]:
    """A bucket for each call that the step makes, whose process died at it: before it took effect, and after."""
    for last in count(1):
        for done in (False, True):
            tried = bucket()
            try:
                step(tried.dying(last, done=done), tried.digest)
            except Killed:
                yield tried
            else:
                assert last > 5  # it did make calls
                return


def test_a_plan_that_dies_is_made_again() -> None:
    for bucket in deaths(Bucket, lambda steps, _: steps.plan(KEY)):
        bucket.finished().assert_finished()


def test_a_plan_that_dies_for_good_leaves_nothing() -> None:
    for bucket in deaths(Bucket, lambda steps, _: steps.plan(KEY)):
        bucket.steps.abort(KEY, None)
        bucket.assert_given_up()


@pytest.mark.parametrize("number", range(PARTS))
def test_a_part_that_dies_is_scored_again(number: int) -> None:
    for bucket in deaths(lambda: Bucket().planned(), lambda steps, digest: steps.part(KEY, digest, number)):
        bucket.finished().assert_finished()


@pytest.mark.parametrize("number", range(PARTS))
def test_a_part_that_dies_for_good_leaves_nothing_once_the_run_is_given_up(number: int) -> None:
    for bucket in deaths(lambda: Bucket().planned(), lambda steps, digest: steps.part(KEY, digest, number)):
        bucket.steps.abort(KEY, bucket.digest)
        bucket.assert_given_up()


def test_a_finish_that_dies_is_taken_again_and_once_more_changes_nothing() -> None:
    for bucket in deaths(lambda: Bucket().scored(), lambda steps, digest: steps.finish(KEY, digest)):
        for _ in range(2):
            bucket.steps.finish(KEY, bucket.digest)
            bucket.assert_finished()


def test_a_finish_that_dies_for_good_leaves_either_a_finished_drop_or_no_summary() -> None:
    for bucket in deaths(lambda: Bucket().scored(), lambda steps, digest: steps.finish(KEY, digest)):
        bucket.steps.abort(KEY, bucket.digest)
        bucket.assert_given_up(PATHS.scored, PATHS.rejected, PATHS.summary)
        finished = PATHS.summary in results(bucket.store)
        bucket.finished().assert_finished() if not finished else bucket.assert_finished()


def test_an_abort_that_dies_is_taken_again() -> None:
    for bucket in deaths(lambda: Bucket().scored(), lambda steps, digest: steps.abort(KEY, digest)):
        bucket.steps.abort(KEY, bucket.digest)
        bucket.assert_given_up()


@pytest.mark.parametrize("number", range(PARTS))
def test_a_part_that_comes_after_the_run_was_given_up_leaves_nothing(number: int) -> None:
    """A state machine stops waiting for a function; the function does not stop."""
    for call in count(1):
        bucket = Bucket().planned()
        store = interrupted_at(bucket.store, call, partial(bucket.steps.abort, KEY, bucket.digest))
        late = fan_out(store, WatchedUploads(bucket.uploads, store), PART_BYTES)
        with suppress(RunEnded):
            late.part(KEY, bucket.digest, number)
        if store.calls < call:
            assert call > 5  # it was interrupted at each of them
            break
        bucket.assert_given_up()


def test_a_drop_that_is_replaced_at_any_moment_ends_the_run_and_has_its_own() -> None:
    newer = BODY.replace(b"a,1", b"e,2")
    for step in ("part", "finish"):
        calls = 0
        while True:
            calls += 1
            bucket = Bucket()
            if step == "part":
                bucket.planned()
            else:
                bucket.scored()
            digest = bucket.digest
            store = interrupted_at(bucket.store, calls, partial(bucket.store.put, KEY, newer))
            steps = fan_out(store, WatchedUploads(bucket.uploads, store), PART_BYTES)
            with suppress(RunEnded):
                if step == "part":
                    steps.part(KEY, digest, 1)
                else:
                    steps.finish(KEY, digest)
            unchanged = digest == bucket.digest
            bucket.steps.abort(KEY, digest)
            if unchanged:
                break
            bucket.finished()
            assert results(bucket.store) == results(single(newer)[0])


def test_a_run_that_comes_after_a_drop_is_done_says_so_and_changes_nothing() -> None:
    bucket = Bucket().finished()
    before = dict(results(bucket.store))
    report = bucket.steps.plan(KEY)
    assert isinstance(report, Report)
    assert (report.status, report.reason) == ("already_done", "this drop was scored before")
    assert results(bucket.store) == before


def test_two_runs_of_one_drop_share_a_plan() -> None:
    bucket = Bucket().planned()
    assert planned(bucket.steps) == planned(fan_out(bucket.store, bucket.uploads, PART_BYTES // 2))
    assert len(bucket.uploads.pending(PATHS.scored)) == 1


def test_a_worker_that_finishes_the_drop_meanwhile_leaves_the_run_nothing_to_do() -> None:
    bucket = Bucket().scored()
    Worker(bucket.store, OneModel(TELLING), OPTIONS, 0.5).score(KEY)
    report = bucket.steps.finish(KEY, bucket.digest)
    assert report.status == "scored"
    bucket.assert_finished()


def test_a_part_that_takes_too_long_refuses_the_drop_and_the_summary_says_so() -> None:
    bucket = Bucket(HEADER + b"a,1\n" * 300_000)
    with small(1 << 18):
        steps = fan_out(bucket.store, bucket.uploads, 1 << 19)
        assert planned(steps).parts == 3  # three times half a MiB
        for number in range(3):
            left = chain([1.0], repeat(0.0))
            steps.part(KEY, bucket.digest, number, lambda left=left: next(left), 1.0)  # type: ignore[misc] # bound early
        report = steps.finish(KEY, bucket.digest)
    assert report.status == "refused"
    assert report.reason is not None
    assert report.reason.startswith("too_large: part 0, bytes 5 to 524285: 524280 bytes at ")
    assert set(results(bucket.store)) == {PATHS.summary}
    assert bucket.uploads.pending(PATHS.scored) == []


def test_an_upload_that_nobody_wrote_down_is_given_up_by_the_next_plan() -> None:
    bucket = Bucket()
    bucket.uploads.create(PATHS.scored, "of nobody")
    bucket.finished().assert_finished()


def test_a_part_that_was_not_scored_is_asked_for() -> None:
    bucket = Bucket().planned()
    with pytest.raises(StoreError, match=r"part 0 of incoming/day/x\.csv was not scored; do that first"):
        bucket.steps.finish(KEY, bucket.digest)


def test_gzip_is_refused_with_its_reason() -> None:
    bucket = Bucket(gzip.compress(BODY))
    report = bucket.steps.plan(KEY)
    assert isinstance(report, Report)
    assert report.status == "refused"
    assert report.reason is not None
    assert report.reason.startswith("gzip_not_cut: ")
    assert set(results(bucket.store)) == {PATHS.summary}
    assert bucket.uploads.pending(PATHS.scored) == []


def test_a_header_that_lacks_a_feature_refuses_the_drop() -> None:
    report = Bucket(b"id,y\n" + BODY).steps.plan(KEY)
    assert isinstance(report, Report)
    assert (report.status, str(report.reason).partition(":")[0]) == ("refused", "missing_columns")


def test_a_drop_that_is_gone_has_no_run() -> None:
    bucket = Bucket()
    bucket.store.delete(KEY)
    report = bucket.steps.plan(KEY)
    assert isinstance(report, Report)
    assert report.status == "gone"
