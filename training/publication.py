"""A fitted pipeline becomes a publication: its files and its manifest, proven by the loader. It publishes nothing."""

import io
import json
from dataclasses import dataclass
from datetime import datetime

import joblib

from functions import loader
from functions.errors import ModelRefused
from functions.inference.joblib_engine import JoblibEngine
from functions.registry.manifest import MANIFEST_VERSION, Artifact, Data, Engine, Manifest
from functions.registry.memory import MemoryStore
from functions.signature import Signature
from training.endings import Failure
from training.fit import Fitted
from training.golden import golden_rows
from training.table import Table

TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the version is, settled before the fit: `created` in UTC, `libraries` by name."""

    name: str
    version: str
    created: datetime
    libraries: dict[str, str]
    git_commit: str | None


@dataclass(frozen=True, slots=True)
class Publication:
    """`files` by name: the artifacts the manifest lists, and the metrics in full."""

    manifest: Manifest
    files: dict[str, bytes]


def assemble(identity: Identity, table: Table, signature: Signature, fitted: Fitted, artifact: str) -> Publication:
    """Dumps the pipeline under the name `artifact`, describes and proves it. Raises Failure where it cannot serve."""
    pickled = io.BytesIO()
    joblib.dump(fitted.pipeline, pickled)
    manifest = Manifest(
        manifest_version=MANIFEST_VERSION,
        name=identity.name,
        version=identity.version,
        created=identity.created.isoformat(timespec="seconds"),
        task=signature.task,
        features=signature.features,
        target=signature.target,
        classes=signature.classes,
        metrics=_metrics(fitted),
        artifacts=[Artifact.of(artifact, pickled.getvalue())],
        engine=Engine("joblib", TOLERANCE),
        libraries=identity.libraries,
        git_commit=identity.git_commit,
        data=Data(table.sha256, len(table.features), table.dropped),
        golden=golden_rows(JoblibEngine(fitted.pipeline, signature), signature, table.features),
    )
    _prove(manifest, artifact, pickled.getvalue())
    return Publication(manifest, {artifact: pickled.getvalue(), "metrics.json": _metrics_file(fitted)})


def _prove(manifest: Manifest, artifact: str, body: bytes) -> None:
    """Loads it as a function will: digest, library versions, golden rows."""
    store = MemoryStore()
    store.put(artifact, body)
    try:
        loader.load_from(store, "", manifest)
    except ModelRefused as refused:
        raise Failure(f"the functions would refuse this version, so it was not published: {refused.message}") from None


def _metrics(fitted: Fitted) -> dict[str, float]:
    return {
        "accuracy_cross_validated": fitted.best.accuracy,
        "accuracy_cross_validated_std": fitted.best.std,
        "accuracy_baseline": fitted.baseline,
    }


def _metrics_file(fitted: Fitted) -> bytes:
    candidates = [{"parameters": one.parameters, "accuracy": one.accuracy, "std": one.std} for one in fitted.candidates]
    content = {**_metrics(fitted), "parameters": fitted.best.parameters, "candidates": candidates}
    return json.dumps(content, indent=2).encode() + b"\n"
