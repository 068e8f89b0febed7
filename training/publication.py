"""A fitted pipeline becomes a publication: its files and its manifest, proven by the loader. It publishes nothing."""

import io
import pickle
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

import joblib

from functions import loader
from functions.errors import ModelRefused
from functions.inference.joblib_engine import JoblibEngine
from functions.registry.manifest import MANIFEST_VERSION, Artifact, Data, Engine, Manifest
from functions.registry.memory import MemoryStore
from functions.signature import Signature
from training import apart, parity
from training.card.facts import Facts
from training.card.write import write
from training.endings import Failure, Mistake
from training.evidence import Evidence
from training.golden import golden_rows
from training.loading import load_seconds
from training.models.pickles import modules_beyond
from training.parity import NoTwin, twin_of
from training.tables.table import Table

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
    """`files` by name: the artifacts the manifest lists, and the model card's page and figures."""

    manifest: Manifest
    files: dict[str, bytes]


def assemble(identity: Identity, table: Table, evidence: Evidence, artifact: str) -> Publication:
    """Dumps the pipeline under the name `artifact`, its twin beside it, describes and proves what will serve; the card.

    Raises Failure where the functions would refuse it, Mistake where a user's code is what they lack.
    """
    signature, pipeline = evidence.signature, evidence.to_publish
    files = {artifact: _pickled(pipeline)}
    engine = _engine(table, signature, pipeline, files, str(PurePath(artifact).with_suffix(".onnx")))
    manifest = Manifest(
        manifest_version=MANIFEST_VERSION,
        name=identity.name,
        version=identity.version,
        created=identity.created.isoformat(timespec="seconds"),
        task=signature.task,
        features=signature.features,
        target=signature.target,
        classes=signature.classes,
        metrics=_metrics(evidence),
        artifacts=[Artifact.of(key, body) for key, body in files.items()],
        engine=engine,
        libraries=identity.libraries,
        git_commit=identity.git_commit,
        data=Data(table.sha256, len(table.features), table.dropped),
        golden=golden_rows(JoblibEngine(pipeline, signature), signature, table.features),
    )
    _prove(manifest, files)
    return Publication(manifest, files | write(evidence, Facts(manifest, load_seconds(manifest, files))))


def _pickled(pipeline: Any) -> bytes:
    body = io.BytesIO()
    try:
        joblib.dump(pipeline, body)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise Mistake(f"the pipeline cannot be pickled ({error}); define its parts at the top of a module") from error
    return body.getvalue()


def _engine(table: Table, signature: Signature, pipeline: Any, files: dict[str, bytes], key: str) -> Engine:
    """What serves: the twin, which is put into `files` under `key`, or scikit-learn and why."""
    try:
        twin = apart.call(lambda: twin_of(pipeline, signature, table.features), seconds=LONGEST)
    except NoTwin as reason:
        return _by_scikit_learn(pipeline, str(reason))
    except apart.Lost as reason:  # by a library that is no Python
        return _by_scikit_learn(pipeline, f"making its twin and comparing it {reason}")
    files[key] = twin.model
    return Engine("onnx", parity.TOLERANCE, parity=twin.parity)


def _by_scikit_learn(pipeline: Any, reason: str) -> Engine:
    beyond = modules_beyond(pipeline)
    if beyond:
        raise Mistake(
            f"functions could not serve this pipeline, so it was not published: it holds code of {', '.join(beyond)}, "
            f"which they do not have, and it has no twin ({reason}); build it of scikit-learn's own parts"
        )
    return Engine("joblib", TOLERANCE, reason=reason)


def _prove(manifest: Manifest, files: dict[str, bytes]) -> None:
    """Loads it as a function will: digest, library versions, golden rows."""
    store = MemoryStore()
    for key, body in files.items():
        store.put(key, body)
    try:
        loader.load_from(store, "", manifest)
    except ModelRefused as refused:
        raise Failure(f"the functions would refuse this version, so it was not published: {refused.message}") from None


def _metrics(evidence: Evidence) -> dict[str, float]:
    """By name: the figure, the ends of its interval, a dummy's; and the score that the search maximised."""
    best = evidence.candidates[evidence.best]
    found: dict[str, float] = {}
    for metric in evidence.metrics:
        ends = {"": metric.value, "_low": metric.low, "_high": metric.high, "_baseline": metric.baseline}
        found |= {metric.name + end: value for end, value in ends.items() if value is not None}
    return found | {
        f"{evidence.scoring}_cross_validated": best.mean,
        f"{evidence.scoring}_cross_validated_std": best.std,
    }
