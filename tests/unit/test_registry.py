"""Publishing writes a version once, its manifest last; and the manifest is as strict as it is said to be."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from functions.errors import ModelRefused, PreconditionFailed, StoreUnavailable
from functions.registry.manifest import MANIFEST_VERSION, Manifest, decode, encode
from functions.registry.memory import MemoryStore
from functions.registry.publish import publish
from functions.registry.store import Stat
from tests.models import VERSION, publish_iris, publish_mixed, publish_regression

FOLDER = f"models/iris/versions/{VERSION}/"
OLD_MANIFESTS = Path(__file__).parent / "manifests"


class Recorder(MemoryStore):
    """Remembers the order of writes, and fails before the write of one key where it is told to."""

    def __init__(self, fails_at: str | None = None) -> None:
        super().__init__()
        self.written: list[str] = []
        self.fails_at = fails_at

    def put(self, key: str, body: bytes, *, create: bool = False, if_match: str | None = None) -> Stat:
        if self.fails_at is not None and key.endswith(self.fails_at):
            raise StoreUnavailable("the network is gone")
        self.written.append(key)
        return super().put(key, body, create=create, if_match=if_match)


@pytest.fixture
def manifest() -> Manifest:
    return publish_iris(MemoryStore())


def test_the_manifest_is_written_last(manifest: Manifest) -> None:
    store = Recorder()
    folder = publish(store, manifest, {"model.joblib": b"model", "metrics.json": b"{}"})
    assert folder == FOLDER
    assert store.written == [FOLDER + name for name in ("model.joblib", "metrics.json", "manifest.json")]
    assert decode(store.get(FOLDER + "manifest.json").body) == manifest


@pytest.mark.parametrize("fails_at", ["model.joblib", "metrics.json", "manifest.json"])
def test_a_publication_cut_short_leaves_no_version(manifest: Manifest, fails_at: str) -> None:
    store = Recorder(fails_at)
    with pytest.raises(StoreUnavailable):
        publish(store, manifest, {"model.joblib": b"model", "metrics.json": b"{}"})
    assert FOLDER + "manifest.json" not in list(store.keys(""))


@pytest.mark.parametrize("there", ["model.joblib", "metrics.json", "manifest.json"])
def test_nothing_of_a_version_is_ever_overwritten(manifest: Manifest, there: str) -> None:
    store = MemoryStore()
    store.put(FOLDER + there, b"there before")
    with pytest.raises(PreconditionFailed) as raised:
        publish(store, manifest, {"model.joblib": b"model", "metrics.json": b"{}"})
    assert raised.value.message == (
        f"version {VERSION} of iris exists already, and a version never changes; train again"
    )
    assert store.get(FOLDER + there).body == b"there before"


@pytest.mark.parametrize("make", [publish_iris, publish_mixed, publish_regression])
def test_a_manifest_is_read_as_it_was_written(make: Any) -> None:
    manifest = make(MemoryStore())
    assert decode(encode(manifest)) == manifest


def test_a_manifest_names_its_fields_as_the_design_does(manifest: Manifest) -> None:
    written = json.loads(encode(manifest))
    assert list(written) == [
        "manifest_version",
        "name",
        "version",
        "created",
        "task",
        "features",
        "target",
        "classes",
        "metrics",
        "artifacts",
        "engine",
        "libraries",
        "git_commit",
        "data",
        "golden",
    ]
    assert list(written["artifacts"][0]) == ["key", "bytes", "sha256"]
    assert written["features"][0] == {
        "name": "sepal_length",
        "dtype": "float64",
        "nullable": False,
        "categories": None,
        "minimum": 4.3,
        "maximum": 7.9,
        "mean": 5.843,
        "std": 0.825,
    }


def test_the_public_part_holds_no_rows_no_digests_and_no_file_names(manifest: Manifest) -> None:
    public = json.dumps(manifest.public())
    private = [manifest.data.sha256, *(artifact.sha256 for artifact in manifest.artifacts), "model.joblib", "golden"]
    assert [secret for secret in private if secret in public] == []
    assert list(manifest.public()) == [
        "name",
        "version",
        "created",
        "task",
        "features",
        "target",
        "classes",
        "metrics",
        "engine",
        "libraries",
    ]


@dataclass
class Broken:
    """One way to spoil a manifest, and what is said of it."""

    path: list[str | int]
    value: Any
    said: str


BROKEN = [
    Broken(["more"], 1, "Object contains unknown field `more`"),
    Broken(["name"], 5, "Expected `str`, got `int` - at `$.name`"),
    Broken(["task"], "ranking", "Invalid enum value 'ranking' - at `$.task`"),
    Broken(["engine", "name"], "tensorflow", "Invalid enum value 'tensorflow' - at `$.engine.name`"),
    Broken(["engine", "more"], 1, "Object contains unknown field `more` - at `$.engine`"),
    Broken(["features", 0, "dtype"], "int8", "Invalid enum value 'int8' - at `$.features[0].dtype`"),
    Broken(["features", 0, "more"], 1, "Object contains unknown field `more` - at `$.features[0]`"),
    Broken(["artifacts", 0, "bytes"], "many", "Expected `int`, got `str` - at `$.artifacts[0].bytes`"),
    Broken(["metrics", "accuracy"], "good", "Expected `float`, got `str` - at `$.metrics[...]`"),
    Broken(["data"], None, "Expected `object`, got `null` - at `$.data`"),
]


@pytest.mark.parametrize("broken", BROKEN, ids=[".".join(map(str, one.path)) for one in BROKEN])
def test_a_manifest_that_does_not_fit_is_refused_with_the_place(manifest: Manifest, broken: Broken) -> None:
    written = json.loads(encode(manifest))
    place = written
    for step in broken.path[:-1]:
        place = place[step]
    place[broken.path[-1]] = broken.value
    with pytest.raises(ModelRefused) as raised:
        decode(json.dumps(written).encode())
    assert raised.value.message == f"the manifest does not fit version 1: {broken.said}"


@pytest.mark.parametrize("missing", [one.name for one in msgspec.structs.fields(Manifest)])
def test_every_field_of_the_manifest_is_needed(manifest: Manifest, missing: str) -> None:
    written = json.loads(encode(manifest))
    del written[missing]
    with pytest.raises(ModelRefused) as raised:
        decode(json.dumps(written).encode())
    assert raised.value.message.endswith(f"Object missing required field `{missing}`")


@pytest.mark.parametrize("number", [0, 2, 10**6])
def test_a_manifest_of_another_number_is_refused_whatever_else_it_says(number: int) -> None:
    with pytest.raises(ModelRefused) as raised:
        decode(json.dumps({"manifest_version": number, "anything": "else"}).encode())
    assert raised.value.message == (
        f"the manifest's version is {number}, this code reads {MANIFEST_VERSION}; "
        "train the model again, or deploy the image that matches it"
    )


def test_a_manifest_of_every_number_there_was_is_kept_and_still_read() -> None:
    kept = {path.name: decode(path.read_bytes()) for path in sorted(OLD_MANIFESTS.glob("*.json"))}
    assert sorted(kept) == [f"{number}.json" for number in range(1, MANIFEST_VERSION + 1)]
    assert (kept["1.json"].name, kept["1.json"].task) == ("iris", "classification")
