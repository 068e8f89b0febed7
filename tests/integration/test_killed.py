"""Killed (SIGKILL) at any step of publishing or pruning: readers see the old version or the new, never a mixture."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from functions import loader
from functions.registry import catalogue
from functions.registry.store import Store, open_store
from tests.killing import Deaths, Order, deaths
from tests.minio_server import Minio, allow_s3
from tests.models import iris_publication
from tests.training_runs import everything_in
from training.commands.verify import check
from training.destinations import Registry

FIRST = "20261122T000000Z-00000000"
LAST = "20261122T999999Z-00000000"
MOST_STEPS = 400


@dataclass(frozen=True, slots=True)
class Place:
    """A store with a live version in it, and how a process that dies in it is started."""

    store: Store
    url: str
    environment: Mapping[str, str]


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    environment: dict[str, str] = {}
    url = str(tmp_path)
    if request.param == "bucket":
        minio: Minio = request.getfixturevalue("minio")
        bucket = minio.bucket(f"killed-{secrets.token_hex(6)}")
        environment = minio.environment(minio.user(allow_s3(bucket)))
        url = f"s3://{bucket}"
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    store = open_store(url)
    Registry(store, "live", "start").publish(iris_publication(FIRST, 1.0))
    return Place(store, url, environment)


@pytest.fixture
def dying(place: Place) -> Iterator[Deaths]:
    with deaths(place.environment) as process:
        yield process


def campaign(place: Place, dying: Deaths, act: str, steps: str) -> Iterator[str]:
    """Dies at every step, each time with a version of its own; gives it while the store is as the dead left it."""
    for at in range(MOST_STEPS):
        version = f"20261122T{at + 1:06d}Z-{at:08x}"
        ended = dying.die(Order(act, place.url, version, at, steps, strength=(0.01, 0.1, 10.0)[at % 3]))
        yield version
        if ended:
            return
    pytest.fail(f"it did not come to its end in {MOST_STEPS} steps")


def assert_whole(store: Store, version: str) -> None:
    """Every digest is right and every golden row comes out, by both engines."""
    found = check(store, "iris", version)
    assert (found.ok, found.problems, found.engines) == (True, [], ["onnx", "joblib"])


def assert_one_history(store: Store, now: str) -> None:
    """Each move follows the one before, from the first to where the alias is."""
    moves = catalogue.history(store, "iris", "live")
    assert [move.previous for move in moves] == [None, *(move.version for move in moves[:-1])]
    assert (moves[0].version, moves[-1].version) == (FIRST, now)
    assert len({move.version for move in moves}) == len(moves)


@pytest.mark.parametrize(
    ("place", "steps"), [("folder", "calls"), ("folder", "system"), ("bucket", "calls")], indirect=["place"]
)
def test_readers_see_the_old_version_or_the_new_wherever_publishing_is_killed(
    place: Place, dying: Deaths, steps: str
) -> None:
    before = version = FIRST
    seen = set()
    for version in campaign(place, dying, "publish", steps):
        model = loader.load(place.store, loader.Reference("iris"))
        assert model.version in (before, version)
        there = catalogue.contents(place.store, "iris")
        seen.add((version in there.versions, version in there.unfinished, model.version == version))
        if version in there.versions:
            assert_whole(place.store, version)
        assert_one_history(place.store, model.version)
        before = model.version
    assert before == version
    # Nothing of it; files without a manifest; a version that no alias names; all of it.
    assert seen == {(False, False, False), (False, True, False), (True, False, False), (True, False, True)}


def test_of_a_version_whose_pruning_is_killed_all_is_there_or_nothing_for_readers(place: Place, dying: Deaths) -> None:
    for index in range(18):
        Registry(place.store, None, "start").publish(iris_publication(f"20261121T0000{index:02d}Z-00000000", 0.1))
    before = everything_in(place.store)
    left = set()
    for _ in campaign(place, dying, "prune", "calls"):
        now = catalogue.contents(place.store, "iris")
        left.add(bool(now.unfinished))
        present = list(place.store.keys("models/"))
        for version in now.versions:  # not a file of it is missing
            folder = f"models/iris/versions/{version}/"
            assert [key for key in present if key.startswith(folder)] == [
                key for key in before if key.startswith(folder)
            ]
    assert (now.versions, left) == ([FIRST], {True, False})
    assert {key: body for key, body in before.items() if "/20261121T" not in key}.items() <= everything_in(
        place.store
    ).items()
