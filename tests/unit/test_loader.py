"""A version is served only when everything about it is as the trainer left it; every refusal says which and why."""

import hashlib
import io
import pickle
import platform
from collections.abc import Callable
from typing import Any

import joblib
import msgspec
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.datasets import load_iris

from functions.errors import ModelNotFound, ModelRefused, ServingError
from functions.inference.model import ServedModel
from functions.loader import Reference, load, load_from, load_version, resolve
from functions.registry import alias
from functions.registry.manifest import Artifact, GoldenRow, Manifest, decode, encode
from functions.registry.memory import MemoryStore
from tests.models import VERSION, iris_pipeline, publish_iris, publish_mixed, publish_regression

FOLDER = f"models/iris/versions/{VERSION}/"
LIVE = Reference("iris")


@pytest.fixture
def store() -> MemoryStore:
    made = MemoryStore()
    publish_iris(made)
    return made


def rewrite(store: MemoryStore, **changes: Any) -> None:
    """Replaces the manifest by one that differs, as nobody does through the registry."""
    manifest = decode(store.get(FOLDER + "manifest.json").body)
    store.put(FOLDER + "manifest.json", encode(msgspec.structs.replace(manifest, **changes)))


def replace_artifact(store: MemoryStore, body: bytes) -> None:
    """Another artifact, with a manifest that vouches for it."""
    store.put(FOLDER + "model.joblib", body)
    rewrite(store, artifacts=[Artifact.of("model.joblib", body)])


def manifest_of(store: MemoryStore) -> Manifest:
    return decode(store.get(FOLDER + "manifest.json").body)


def refusal(act: Callable[[], ServedModel]) -> tuple[type[ServingError], str]:
    with pytest.raises(ServingError) as raised:
        act()
    return type(raised.value), raised.value.message


def refused(store: MemoryStore) -> str:
    error, message = refusal(lambda: load(store, LIVE))
    assert error is ModelRefused
    return message


class Trap:
    """Counts how often it is unpickled."""

    sprung = 0

    def __reduce__(self) -> tuple[Callable[[], object], tuple[()]]:
        return Trap.spring, ()

    @staticmethod
    def spring() -> object:
        Trap.sprung += 1
        return object()


@pytest.mark.parametrize("publish", [publish_iris, publish_mixed, publish_regression])
def test_what_was_published_is_served(publish: Callable[[MemoryStore], Manifest]) -> None:
    store = MemoryStore()
    manifest = publish(store)
    model = load(store, Reference(manifest.name))
    assert (model.name, model.version) == (manifest.name, VERSION)
    assert model.signature == manifest.signature
    assert model.engine.name == "joblib"
    assert model.public == manifest.public()


def test_the_loaded_model_answers_as_scikit_learn_does(store: MemoryStore) -> None:
    rows = load_iris().data.tolist()
    model = load(store, LIVE)
    found = model.predict(rows)
    assert found.classes is not None
    labels = [model.signature.classes[index] for index in found.classes]
    table = pd.DataFrame(rows, columns=model.signature.names)
    assert labels == iris_pipeline().predict(table).tolist()
    assert np.asarray(found.probabilities).tolist() == iris_pipeline().predict_proba(table).tolist()


def test_the_alias_says_which_version_unless_one_is_pinned(store: MemoryStore) -> None:
    publish_iris(store, "20261123T000000Z-aaaaaaaa")
    assert resolve(store, LIVE) == "20261123T000000Z-aaaaaaaa"
    assert resolve(store, Reference("iris", version=VERSION)) == VERSION
    assert load(store, Reference("iris", version=VERSION)).version == VERSION
    alias.move(store, "iris", "canary", VERSION, by="test")
    assert load(store, Reference("iris", "canary")).version == VERSION


def test_a_model_nobody_published_is_not_found() -> None:
    store = MemoryStore()
    assert refusal(lambda: load(store, LIVE)) == (
        ModelNotFound,
        "iris has no alias live in memory:; train and publish it, or name another",
    )


def test_a_pinned_version_that_does_not_exist_is_not_found(store: MemoryStore) -> None:
    assert refusal(lambda: load_version(store, "iris", "20270101T000000Z-00000000")) == (
        ModelNotFound,
        "iris has no version 20270101T000000Z-00000000 in memory:; name one that was published",
    )


def test_a_version_without_its_manifest_does_not_exist_yet(store: MemoryStore) -> None:
    store.delete(FOLDER + "manifest.json")
    assert refusal(lambda: load(store, LIVE)) == (
        ModelNotFound,
        f"iris has no version {VERSION} in memory:; name one that was published",
    )


def test_a_flipped_bit_is_refused(store: MemoryStore) -> None:
    body = bytearray(store.get(FOLDER + "model.joblib").body)
    body[len(body) // 2] ^= 1
    store.put(FOLDER + "model.joblib", bytes(body))
    found, expected = hashlib.sha256(body).hexdigest(), manifest_of(store).artifacts[0].sha256
    assert refused(store) == (
        f"version {VERSION}: model.joblib has SHA-256 {found}, expected {expected}; "
        "somebody changed it: publish the model anew"
    )


def test_an_artifact_cut_off_is_refused(store: MemoryStore) -> None:
    body = store.get(FOLDER + "model.joblib").body
    store.put(FOLDER + "model.joblib", body[:-1])
    assert refused(store) == (
        f"version {VERSION}: model.joblib has {len(body) - 1} bytes, expected {len(body)}; publish the model anew"
    )


def test_a_missing_artifact_is_refused(store: MemoryStore) -> None:
    store.delete(FOLDER + "model.joblib")
    assert refused(store) == f"version {VERSION}: model.joblib is missing; publish the model anew"


def test_nothing_is_unpickled_before_its_digest_was_right(store: MemoryStore) -> None:
    Trap.sprung = 0
    trap = pickle.dumps(Trap())
    store.put(FOLDER + "model.joblib", trap)
    refused(store)
    padded = trap.ljust(manifest_of(store).artifacts[0].size, b"\0")
    store.put(FOLDER + "model.joblib", padded)
    assert "SHA-256" in refused(store)
    assert Trap.sprung == 0
    replace_artifact(store, padded)  # vouched for, it is unpickled: the trap works
    refused(store)
    assert Trap.sprung == 1


def test_nothing_is_unpickled_for_another_scikit_learn(store: MemoryStore) -> None:
    Trap.sprung = 0
    replace_artifact(store, pickle.dumps(Trap()))
    rewrite(store, libraries={"python": "3.13.5", "scikit-learn": "0.24.2"})
    assert refused(store) == (
        f"version {VERSION} was fitted with scikit-learn 0.24.2, this image has {sklearn.__version__}; "
        "train it again with this image's lock, or deploy the image it was trained with"
    )
    assert Trap.sprung == 0


def test_an_artifact_that_is_no_pickle_is_refused(store: MemoryStore) -> None:
    replace_artifact(store, b"not a pickle")
    assert refused(store).startswith(f"version {VERSION}: the pipeline cannot be loaded here (")
    assert refused(store).endswith(f"; Python {platform.python_version()}, trained on 3.13.5")


def test_a_manifest_without_a_pipeline_is_refused(store: MemoryStore) -> None:
    rewrite(store, artifacts=[])
    assert refused(store) == f"version {VERSION}: the manifest lists no *.joblib; publish the model anew"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the manifest is not JSON with a manifest_version: Input data was truncated"),
        (
            b"[]",
            "the manifest is not JSON with a manifest_version: Expected `object`, got `array`",
        ),
        (
            b"{}",
            "the manifest is not JSON with a manifest_version: Object missing required field `manifest_version`",
        ),
        (
            b'{"manifest_version": 2}',
            "the manifest's version is 2, this code reads 1; "
            "train the model again, or deploy the image that matches it",
        ),
        (
            b'{"manifest_version": 1}',
            "the manifest does not fit version 1: Object missing required field `name`",
        ),
        (
            b'{"manifest_version": 1, "more": 1}',
            "the manifest does not fit version 1: Object contains unknown field `more`",
        ),
        (
            b'{"manifest_version": 1, "name": "\xff"}',
            "the manifest does not fit version 1: "
            "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        ),
    ],
)
def test_a_manifest_that_cannot_be_read_is_refused(store: MemoryStore, body: bytes, reason: str) -> None:
    store.put(FOLDER + "manifest.json", body)
    assert refused(store) == f"version {VERSION}: {reason}"


def test_a_manifest_nested_without_end_is_refused(store: MemoryStore) -> None:
    store.put(FOLDER + "manifest.json", b'{"manifest_version":1,"name":' + b"[" * 100_000)
    assert refused(store).startswith(f"version {VERSION}: the manifest ")


def test_another_versions_manifest_is_refused(store: MemoryStore) -> None:
    rewrite(store, version="20261123T000000Z-aaaaaaaa")
    assert refused(store) == (f"version {VERSION}: its manifest is of iris 20261123T000000Z-aaaaaaaa; publish it anew")
    rewrite(store, name="other", version=VERSION)
    assert refused(store) == f"version {VERSION}: its manifest is of other {VERSION}; publish it anew"


def test_a_manifest_without_golden_rows_is_refused(store: MemoryStore) -> None:
    rewrite(store, golden=[])
    assert refused(store) == f"version {VERSION}: the manifest has no golden rows; publish the model anew"


ELSEWHERE = "; this environment computes something else than the trainer did: compare the libraries in the manifest"


def changed(golden: GoldenRow, **changes: Any) -> list[GoldenRow]:
    return [msgspec.structs.replace(golden, **changes)]


def test_a_golden_row_with_another_label_is_refused(store: MemoryStore) -> None:
    first, second, third = manifest_of(store).golden
    rewrite(store, golden=[first, second, *changed(third, prediction="setosa")])
    assert refused(store) == f"version {VERSION}: golden row 2 gives 'virginica', expected 'setosa'{ELSEWHERE}"


def test_a_golden_row_with_another_probability_is_refused(store: MemoryStore) -> None:
    golden = manifest_of(store).golden[0]
    assert golden.probabilities is not None
    moved = [golden.probabilities[0] - 2e-6, golden.probabilities[1] + 2e-6, golden.probabilities[2]]
    rewrite(store, golden=changed(golden, probabilities=moved))
    assert refused(store) == (
        f"version {VERSION}: golden row 0 gives a probability 2e-06 away from the trainer's{ELSEWHERE}"
    )


def test_a_probability_within_the_tolerance_is_served(store: MemoryStore) -> None:
    golden = manifest_of(store).golden[0]
    assert golden.probabilities is not None
    moved = [golden.probabilities[0] - 5e-7, golden.probabilities[1] + 5e-7, golden.probabilities[2]]
    rewrite(store, golden=changed(golden, probabilities=moved))
    assert load(store, LIVE).version == VERSION


def test_golden_rows_with_other_probabilities_than_the_pipeline_has_are_refused(store: MemoryStore) -> None:
    golden = manifest_of(store).golden[0]
    rewrite(store, golden=changed(golden, probabilities=[0.5, 0.5]))
    assert refused(store) == f"version {VERSION}: golden row 0 gives 3 probabilities, expected 2{ELSEWHERE}"
    rewrite(store, golden=changed(golden, probabilities=None))
    assert refused(store) == (
        f"version {VERSION}: golden row 0 gives probabilities where there were none, or none where there were"
        f"{ELSEWHERE}"
    )


def test_golden_rows_the_pipeline_cannot_take_are_refused(store: MemoryStore) -> None:
    rewrite(store, golden=changed(manifest_of(store).golden[0], row=[5.1, 3.5]))
    assert refused(store) == (
        f"version {VERSION}: the golden rows cannot be predicted (IndexError: list index out of range)"
    )


def test_classes_in_another_order_are_refused(store: MemoryStore) -> None:
    rewrite(store, classes=["virginica", "versicolor", "setosa"])
    assert refused(store) == (
        f"version {VERSION}: the pipeline's classes are ['setosa', 'versicolor', 'virginica'], "
        "the manifest's ['virginica', 'versicolor', 'setosa']; publish the model anew"
    )


def test_a_pipeline_that_answers_not_a_number_is_refused(store: MemoryStore) -> None:
    broken = iris_pipeline()
    spoiled = joblib.load(io.BytesIO(_dumped(broken)))
    spoiled[-1].intercept_ = np.array([0.0, 0.0, np.nan])
    replace_artifact(store, _dumped(spoiled))
    assert f"version {VERSION}: golden row " in refused(store)


def test_a_regression_is_replayed_within_its_relative_tolerance() -> None:
    store = MemoryStore()
    manifest = publish_regression(store)
    folder = f"models/price/versions/{VERSION}/"
    golden = manifest.golden[1]
    near, far = (
        msgspec.structs.replace(manifest, golden=changed(golden, prediction=float(golden.prediction) * share))
        for share in (1 + 5e-7, 1 + 2e-6)
    )
    assert load_from(store, folder, near).version == VERSION
    error, message = refusal(lambda: load_from(store, folder, far))
    found, expected = golden.prediction, float(golden.prediction) * (1 + 2e-6)
    assert error is ModelRefused
    assert message == f"version {VERSION}: golden row 0 gives {found!r}, expected {expected!r}{ELSEWHERE}"


def _dumped(pipeline: Any) -> bytes:
    body = io.BytesIO()
    joblib.dump(pipeline, body)
    return body.getvalue()
