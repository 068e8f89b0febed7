"""A version with a twin is served by it, or refused with its reason; scikit-learn never stands in for a broken twin."""

import hashlib
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from functions.errors import ModelRefused
from functions.inference import onnx_library, onnx_runtime
from functions.inference.engine import Predictions
from functions.inference.onnx_engine import OnnxEngine
from functions.loader import Reference, load
from functions.registry.manifest import Artifact, Manifest, decode, encode
from functions.registry.memory import MemoryStore
from tests.models import VERSION, publish_iris

FOLDER = f"models/iris/versions/{VERSION}/"
LIVE = Reference("iris")


@pytest.fixture(scope="module")
def published() -> MemoryStore:
    made = MemoryStore()
    publish_iris(made, twin=True)
    return made


@pytest.fixture
def store(published: MemoryStore) -> MemoryStore:
    """Of its own for each test."""
    made = MemoryStore()
    for key in ("model.joblib", "model.onnx", "manifest.json"):
        made.put(FOLDER + key, published.get(FOLDER + key).body)
    made.put("models/iris/aliases/live.json", published.get("models/iris/aliases/live.json").body)
    return made


def manifest_of(store: MemoryStore) -> Manifest:
    return decode(store.get(FOLDER + "manifest.json").body)


def rewrite(store: MemoryStore, **changes: Any) -> None:
    """Replaces the manifest by one that differs, as nobody does through the registry."""
    store.put(FOLDER + "manifest.json", encode(msgspec.structs.replace(manifest_of(store), **changes)))


def replace_twin(store: MemoryStore, body: bytes) -> None:
    """Another twin, with a manifest that vouches for it."""
    store.put(FOLDER + "model.onnx", body)
    own = [one for one in manifest_of(store).artifacts if one.key != "model.onnx"]
    rewrite(store, artifacts=[*own, Artifact.of("model.onnx", body)])


def refused(store: MemoryStore) -> str:
    with pytest.raises(ModelRefused) as raised:
        load(store, LIVE)
    return raised.value.message


def test_the_twin_serves_and_the_pipeline_is_not_even_read(store: MemoryStore) -> None:
    store.delete(FOLDER + "model.joblib")
    model = load(store, LIVE)
    assert model.engine.name == model.public["engine"] == "onnx"
    assert isinstance(model.engine, OnnxEngine)
    assert model.predict([[5.1, 3.5, 1.4, 0.2], [6.3, 2.5, 6.0, 2.5]]).classes == [0, 2]


def test_a_flipped_bit_of_the_twin_is_refused(store: MemoryStore) -> None:
    body = bytearray(store.get(FOLDER + "model.onnx").body)
    body[len(body) // 2] ^= 1
    store.put(FOLDER + "model.onnx", bytes(body))
    expected = manifest_of(store).artifacts[1].sha256
    assert refused(store) == (
        f"version {VERSION}: model.onnx has SHA-256 {hashlib.sha256(body).hexdigest()}, expected {expected}; "
        "somebody changed it: publish the model anew"
    )


def test_a_twin_cut_off_is_refused(store: MemoryStore) -> None:
    body = store.get(FOLDER + "model.onnx").body
    store.put(FOLDER + "model.onnx", body[:-1])
    assert refused(store) == (
        f"version {VERSION}: model.onnx has {len(body) - 1} bytes, expected {len(body)}; publish the model anew"
    )


def test_a_missing_twin_is_refused(store: MemoryStore) -> None:
    store.delete(FOLDER + "model.onnx")
    assert refused(store) == f"version {VERSION}: model.onnx is missing; publish the model anew"


def test_a_manifest_that_serves_by_twin_and_lists_none_is_refused(store: MemoryStore) -> None:
    rewrite(store, artifacts=manifest_of(store).artifacts[:1])
    assert refused(store) == f"version {VERSION}: the manifest lists no *.onnx; publish the model anew"


def test_a_manifest_of_an_unknown_engine_is_refused_whatever_it_lists(store: MemoryStore) -> None:
    body = store.get(FOLDER + "manifest.json").body
    store.put(FOLDER + "manifest.json", body.replace(b'"name": "onnx"', b'"name": "treelite"'))
    assert refused(store) == (
        f"version {VERSION}: the manifest does not fit version 1: Invalid enum value 'treelite' - at `$.engine.name`"
    )


def test_a_manifest_of_an_unknown_version_is_refused_before_the_twin_is_fetched(store: MemoryStore) -> None:
    store.delete(FOLDER + "model.onnx")
    body = store.get(FOLDER + "manifest.json").body
    store.put(FOLDER + "manifest.json", body.replace(b'"manifest_version": 1', b'"manifest_version": 2'))
    assert refused(store) == (
        f"version {VERSION}: the manifest's version is 2, this code reads 1; "
        "train the model again, or deploy the image that matches it"
    )


def test_a_twin_that_is_no_model_is_refused(store: MemoryStore) -> None:
    replace_twin(store, b"no model")
    runtime = onnx_runtime.runtime().version
    message = refused(store)
    assert message.startswith(f"version {VERSION}: the twin cannot be loaded here (ONNX Runtime: ")
    assert message.endswith(f"; onnxruntime {runtime}, trained with {runtime}")


def test_another_models_twin_is_refused(store: MemoryStore) -> None:
    features = [*manifest_of(store).features]
    rewrite(store, features=[msgspec.structs.replace(features[0], dtype="string"), *features[1:]])
    assert refused(store).startswith(
        f"version {VERSION}: the twin cannot be loaded here (ONNX Runtime: the model takes ['numbers'] to "
    )


def test_an_image_without_the_runtime_refuses_and_names_the_version_it_needs(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> str:
        raise ImportError("there is no onnxruntime here", name="onnxruntime")

    monkeypatch.setattr(onnx_runtime, "_making", None)
    monkeypatch.setattr(onnx_library, "_making", None)
    monkeypatch.setattr(onnx_library, "library_path", none)
    trained = manifest_of(store).libraries["onnxruntime"]
    assert refused(store) == (
        f"version {VERSION} needs onnxruntime {trained}: there is no onnxruntime here; deploy the image that matches it"
    )


def changed(store: MemoryStore, shape: tuple[int, ...], by: float) -> bytes:
    """The twin with its constants of one shape multiplied."""
    model = onnx.load_from_string(store.get(FOLDER + "model.onnx").body)
    for tensor in model.graph.initializer:
        if tuple(tensor.dims) == shape:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * by, tensor.name))
    body: bytes = model.SerializeToString()
    return body


def test_a_twin_that_answers_the_golden_rows_otherwise_is_refused(store: MemoryStore) -> None:
    replace_twin(store, changed(store, (4, 3), -1.0))
    assert f"version {VERSION}: golden row 0 gives " in refused(store)


def test_a_twin_two_hundred_thousandths_off_is_refused_and_one_within_the_tolerance_is_served(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = OnnxEngine.predict_rows
    off = 0.0

    def predict_rows(engine: OnnxEngine, rows: Any) -> Predictions:
        found = own(engine, rows)
        return Predictions(found.classes, (np.asarray(found.probabilities) + off).tolist(), None)

    monkeypatch.setattr(OnnxEngine, "predict_rows", predict_rows)
    off = 0.9e-5
    assert load(store, LIVE).engine.name == "onnx"
    off = 2e-5
    assert refused(store).startswith(f"version {VERSION}: golden row 0 gives a probability 2e-05 away")
