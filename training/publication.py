"""A fitted pipeline becomes a publication: its files and its manifest, proven by the loader. It publishes nothing."""

import io
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

import joblib

from functions import loader
from functions.errors import ModelRefused
from functions.inference.joblib_engine import JoblibEngine
from functions.registry.manifest import MANIFEST_VERSION, Artifact, Data, Engine, Manifest
from functions.registry.memory import MemoryStore
from functions.signature import Signature
from training import apart, parity
from training.endings import Failure
from training.fit import Fitted
from training.golden import golden_rows
from training.parity import NoTwin, twin_of
from training.table import Table

LONGEST = 600  # seconds for a twin
TOLERANCE = 1e-6  # of scikit-learn with itself on another processor


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
    """Dumps the pipeline under the name `artifact`, its twin beside it, describes and proves what will serve.

    Raises Failure where the functions would refuse it.
    """
    pickled = io.BytesIO()
    joblib.dump(fitted.pipeline, pickled)
    files = {artifact: pickled.getvalue()}
    engine = _engine(table, signature, fitted, files, str(PurePath(artifact).with_suffix(".onnx")))
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
        artifacts=[Artifact.of(key, body) for key, body in files.items()],
        engine=engine,
        libraries=identity.libraries,
        git_commit=identity.git_commit,
        data=Data(table.sha256, len(table.features), table.dropped),
        golden=golden_rows(JoblibEngine(fitted.pipeline, signature), signature, table.features),
    )
    _prove(manifest, files)
    return Publication(manifest, files | {"metrics.json": _metrics_file(fitted)})


def _engine(table: Table, signature: Signature, fitted: Fitted, files: dict[str, bytes], key: str) -> Engine:
    """What serves: the twin, which is put into `files` under `key`, or scikit-learn and why."""
    try:
        twin = apart.call(lambda: twin_of(fitted.pipeline, signature, table.features), seconds=LONGEST)
    except NoTwin as reason:
        return Engine("joblib", TOLERANCE, reason=str(reason))
    except apart.Lost as reason:  # by a library that is no Python
        return Engine("joblib", TOLERANCE, reason=f"making its twin and comparing it {reason}")
    files[key] = twin.model
    return Engine("onnx", parity.TOLERANCE, parity=twin.parity)


def _prove(manifest: Manifest, files: dict[str, bytes]) -> None:
    """Loads it as a function will: digest, library versions, golden rows."""
    store = MemoryStore()
    for key, body in files.items():
        store.put(key, body)
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
