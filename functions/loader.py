"""Registry and engine meet here: a version in a store becomes a served model, or is refused with its reason.

Nothing is unpickled before the manifest was read and the artifact's digest was right, and nothing is served before
the golden rows came out as the trainer saw them.
"""

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from functions.errors import ModelError, ModelNotFound, ModelRefused, ObjectNotFound
from functions.inference.engine import Engine, Predictions
from functions.inference.model import ServedModel
from functions.inference.schema import Schema
from functions.registry import alias, keys
from functions.registry.digest import sha256
from functions.registry.manifest import Artifact, GoldenRow, Manifest, decode
from functions.registry.store import Reader


class Reference(msgspec.Struct, frozen=True):
    """Which version to load: the pinned one, else the one its alias names when it is asked."""

    name: str
    alias: str = "live"
    version: str | None = None


class Pointer(msgspec.Struct, frozen=True):
    """What the alias names, and the ETag it was read with; a pinned version has no ETag and never moves."""

    version: str
    etag: str | None


def resolve(store: Reader, reference: Reference) -> str:
    """The version to load. Raises ModelNotFound."""
    return reference.version or alias.read(store, reference.name, reference.alias).version


def load(store: Reader, reference: Reference) -> ServedModel:
    """The model that `reference` names now. Raises ModelNotFound, ModelRefused, StoreError."""
    return load_version(store, reference.name, resolve(store, reference))


class RegistrySource:
    """Where a function's models come from: one alias, or one pinned version, of one model in a store."""

    def __init__(self, store: Reader, reference: Reference) -> None:
        self._store = store
        self._reference = reference

    def latest(self, known: str | None, /) -> Pointer:
        """What to serve now, by one conditional GET. Raises NotModified, ModelNotFound, StoreError."""
        if self._reference.version:
            return Pointer(self._reference.version, None)
        with _naming(model=self._reference.name, alias=self._reference.alias):
            found, etag = alias.current(self._store, self._reference.name, self._reference.alias, known=known)
        return Pointer(found.version, etag)

    def load(self, version: str, /) -> ServedModel:
        """Raises ModelNotFound, ModelRefused, StoreError."""
        with _naming(model=self._reference.name, version=version):
            return load_version(self._store, self._reference.name, version)


@contextmanager
def _naming(**asked: str) -> Iterator[None]:
    """Lets the error say what was asked for, in words a client may see."""
    try:
        yield
    except ModelError as error:
        error.details = [asked]
        raise


def load_version(store: Reader, name: str, version: str) -> ServedModel:
    """One version of one model. Raises ModelNotFound, ModelRefused, StoreError."""
    folder = keys.version_folder(name, version)
    try:
        manifest = decode(store.get(folder + keys.MANIFEST).body)
    except ObjectNotFound:
        raise ModelNotFound(f"{name} has no version {version} in {store.url}; name one that was published") from None
    except ModelRefused as error:
        raise ModelRefused(f"version {version}: {error.message}") from None
    if (manifest.name, manifest.version) != (name, version):
        raise ModelRefused(f"version {version}: its manifest is of {manifest.name} {manifest.version}; publish it anew")
    return load_from(store, folder, manifest)


def load_from(store: Reader, folder: str, manifest: Manifest) -> ServedModel:
    """A model from its manifest and the folder its artifacts lie in. Raises ModelRefused, StoreError."""
    engine = (_onnx if manifest.engine.name == "onnx" else _joblib)(store, folder, manifest)
    _replay(engine, manifest)
    return ServedModel(
        name=manifest.name,
        version=manifest.version,
        signature=manifest.signature,
        schema=Schema(manifest.signature),
        engine=engine,
        public=manifest.public(),
    )


def _onnx(store: Reader, folder: str, manifest: Manifest) -> Engine:
    body = _verified(store, folder, manifest, _artifact(manifest, ".onnx"))
    trained = manifest.libraries.get("onnxruntime")

    from functions.inference.onnx_engine import OnnxEngine
    from functions.inference.onnx_runtime import OnnxRuntimeError, runtime

    try:
        return OnnxEngine(body, manifest.signature)
    except ImportError as error:
        raise ModelRefused(
            f"version {manifest.version} needs onnxruntime {trained}: {error}; deploy the image that matches it"
        ) from None
    except OnnxRuntimeError as error:
        raise ModelRefused(
            f"version {manifest.version}: the twin cannot be loaded here ({error}); "
            f"onnxruntime {runtime().version}, trained with {trained}"
        ) from error


def _joblib(store: Reader, folder: str, manifest: Manifest) -> Engine:
    trained = manifest.libraries.get("scikit-learn")
    try:
        import joblib
        import sklearn
    except ImportError:
        raise ModelRefused(
            f"version {manifest.version} needs scikit-learn {trained}, and this image has none; deploy the full image"
        ) from None
    if trained != sklearn.__version__:
        raise ModelRefused(
            f"version {manifest.version} was fitted with scikit-learn {trained}, this image has {sklearn.__version__}; "
            "train it again with this image's lock, or deploy the image it was trained with"
        )
    body = _verified(store, folder, manifest, _artifact(manifest, ".joblib"))
    import io

    from functions.inference.joblib_engine import JoblibEngine

    try:
        pipeline = joblib.load(io.BytesIO(body))
    except Exception as error:
        raise ModelRefused(
            f"version {manifest.version}: the pipeline cannot be loaded here ({type(error).__name__}: {error}); "
            f"Python {sys.version.split()[0]}, trained on {manifest.libraries.get('python')}"
        ) from error
    known = pipeline.classes_.tolist() if hasattr(pipeline, "classes_") else manifest.classes
    if known != manifest.classes:  # probabilities come in the pipeline's order, so names would be mixed up
        raise ModelRefused(
            f"version {manifest.version}: the pipeline's classes are {known}, the manifest's {manifest.classes}; "
            "publish the model anew"
        )
    return JoblibEngine(pipeline, manifest.signature)


def _verified(store: Reader, folder: str, manifest: Manifest, artifact: Artifact) -> bytes:
    key = artifact.key
    try:
        body = store.get(folder + key).body
    except ObjectNotFound:
        raise ModelRefused(f"version {manifest.version}: {key} is missing; publish the model anew") from None
    if len(body) != artifact.size:
        raise ModelRefused(
            f"version {manifest.version}: {key} has {len(body)} bytes, expected {artifact.size}; publish the model anew"
        )
    digest = sha256(body)
    if digest != artifact.sha256:
        raise ModelRefused(
            f"version {manifest.version}: {key} has SHA-256 {digest}, expected {artifact.sha256}; "
            "somebody changed it: publish the model anew"
        )
    return body


def _artifact(manifest: Manifest, ending: str) -> Artifact:
    for artifact in manifest.artifacts:
        if artifact.key.endswith(ending):
            return artifact
    raise ModelRefused(f"version {manifest.version}: the manifest lists no *{ending}; publish the model anew")


def _replay(engine: Engine, manifest: Manifest) -> None:
    if not manifest.golden:
        raise ModelRefused(f"version {manifest.version}: the manifest has no golden rows; publish the model anew")
    try:
        predicted = engine.predict_rows([golden.row for golden in manifest.golden])
    except Exception as error:
        raise ModelRefused(
            f"version {manifest.version}: the golden rows cannot be predicted ({type(error).__name__}: {error})"
        ) from error
    for index, golden in enumerate(manifest.golden):
        difference = _difference(golden, index, predicted, manifest)
        if difference:
            raise ModelRefused(
                f"version {manifest.version}: golden row {index} gives {difference}; this environment computes "
                "something else than the trainer did: compare the libraries in the manifest"
            )


def _difference(golden: GoldenRow, index: int, predicted: Predictions, manifest: Manifest) -> str | None:
    """What is not as the trainer saw it, or None. Labels are equal; numbers lie within the manifest's tolerance."""
    tolerance = manifest.engine.tolerance
    if predicted.classes is None:
        value = (predicted.values or [math.nan])[index]
        expected = float(golden.prediction)
        close = math.isclose(value, expected, rel_tol=tolerance, abs_tol=tolerance)
        return None if close else f"{value!r}, expected {expected!r}"
    label = manifest.classes[predicted.classes[index]]
    if label != golden.prediction:
        return f"{label!r}, expected {golden.prediction!r}"
    if golden.probabilities is None or predicted.probabilities is None:
        same = golden.probabilities is None and predicted.probabilities is None
        return None if same else "probabilities where there were none, or none where there were"
    found = predicted.probabilities[index]
    if len(found) != len(golden.probabilities):
        return f"{len(found)} probabilities, expected {len(golden.probabilities)}"
    distances = [abs(one - other) for one, other in zip(found, golden.probabilities, strict=True)]
    if all(distance <= tolerance for distance in distances):  # not true of NaN either
        return None
    return f"a probability {max(distances):.3g} away from the trainer's"
