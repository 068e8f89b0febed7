"""How long a version's files take to load where it is made. It publishes nothing and draws nothing."""

import io
import time
from collections.abc import Callable, Mapping

import joblib

from functions.inference.onnx_engine import OnnxEngine
from functions.registry.manifest import Manifest

TIMES = 3


def load_seconds(manifest: Manifest, files: Mapping[str, bytes]) -> dict[str, float]:
    """By an artifact's key the shortest of three loads, from memory, with its libraries imported already."""
    return {
        artifact.key: _shortest(_load(artifact.key, files[artifact.key], manifest)) for artifact in manifest.artifacts
    }


def _load(key: str, body: bytes, manifest: Manifest) -> Callable[[], object]:
    if key.endswith(".onnx"):
        return lambda: OnnxEngine(body, manifest.signature)
    return lambda: joblib.load(io.BytesIO(body))


def _shortest(load: Callable[[], object]) -> float:
    load()  # imports, and whatever else is done once
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        load()
        times.append(time.perf_counter() - began)
    return min(times)
