"""The drop protocol on a folder: equal bytes written twice have two ETags there, so workers can disturb each other."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from functions.registry.folder import FolderStore
from tests.unit.scoring.drops import (
    GOOD,
    KEY,
    REFUSED,
    TWO,
    WITH_BAD_ROW,
    Registry,
    assert_whole,
    score,
    summary,
)
from tests.unit.scoring.stores import Killed, WatchedStore, dying_at, interrupted_at

drops = pytest.mark.parametrize("now", [GOOD, WITH_BAD_ROW, REFUSED], ids=["good", "with a bad row", "refused"])


def folder(tmp_path: Path, number: int, now: bytes) -> FolderStore:
    """A folder with an older drop's results and a drop that waits."""
    data = FolderStore(tmp_path / str(number) / "drops")
    data.put(KEY, WITH_BAD_ROW)
    score(data, Registry())
    data.put(KEY, now)
    return data


def calls_of(tmp_path: Path, now: bytes) -> int:
    watched = WatchedStore(folder(tmp_path, 0, now))
    score(watched, Registry())
    return watched.calls


@drops
def test_workers_at_once_on_one_drop_come_to_one_result(tmp_path: Path, now: bytes) -> None:
    workers = 5
    for attempt in range(5):
        data, registry, together = folder(tmp_path, attempt, now), Registry(), Barrier(workers)

        def work(_: int, data: FolderStore = data, registry: Registry = registry, together: Barrier = together) -> str:
            together.wait()
            return score(data, registry).status

        with ThreadPoolExecutor(workers) as pool:
            statuses = set(pool.map(work, range(workers)))
        assert statuses <= {"scored", "refused", "already_done"}
        assert_whole(data)


@drops
def test_a_second_worker_comes_in_at_any_moment_after_a_promotion(tmp_path: Path, now: bytes) -> None:
    for number in range(1, calls_of(tmp_path, now) + 1):
        data, registry, versions = folder(tmp_path, number, now), Registry(), list[str | None]()

        def second(data: FolderStore = data, registry: Registry = registry, seen: list[str | None] = versions) -> None:
            registry.promote(TWO)
            seen.append(score(data, registry).version)
            assert_whole(data)

        score(interrupted_at(data, number, second), registry)
        assert_whole(data)
        found = summary(data)
        assert found is not None
        assert [found["model"]["version"]] == versions


@drops
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # who is killed closes nothing
@pytest.mark.parametrize("done", [False, True], ids=["before the call", "after the call"])
def test_a_worker_that_dies_at_any_call_is_made_good_by_the_next(tmp_path: Path, now: bytes, done: bool) -> None:
    for last in range(1, calls_of(tmp_path, now) + 1):
        data, registry = folder(tmp_path, last, now), Registry()
        with pytest.raises(Killed):
            score(dying_at(data, last, done=done), registry)
        score(data, registry)
        assert_whole(data)
        assert sorted(path.name for path in (tmp_path / str(last) / "drops" / "scored" / "day").iterdir()) in (
            ["x.csv", "x.csv.summary.json"],
            ["x.csv.summary.json"],
        )
