"""All figures of a card, as `metrics.json` holds them; the page is drawn from the same. It draws nothing.

To bump METRICS_VERSION: raise it where a field goes, or means another thing, and write what changed in the list below.
A new field is no new version.

1   first
"""

from dataclasses import dataclass

import msgspec

from functions.signature import Task
from training.card.facts import Facts
from training.card.sections import (
    calibration,
    columns,
    confusion,
    data,
    importance,
    plane,
    probabilities,
    ranking,
    residuals,
    scores,
    search,
    serving,
    target,
)
from training.evidence import Evidence

METRICS_VERSION = 1


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which version it is. created: UTC, ISO 8601."""

    name: str
    version: str
    created: str
    task: Task
    target: str
    estimator: str


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A section that does not apply is null, and `left_out` says why, by its name."""

    metrics_version: int
    model: Model
    data: data.Data
    columns: list[columns.Column]
    target: target.Target
    cross_validation: search.Search | None
    held_out: list[scores.Score]
    confusion: confusion.Confusion | None
    residuals: residuals.Residuals | None
    ranking: list[ranking.Ranked] | None
    calibration: calibration.Calibration | None
    importance: importance.Importance | None
    plane: plane.Plane | None
    serving: serving.Serving
    libraries: dict[str, str]
    git_commit: str | None
    command: str
    notes: list[str]
    left_out: dict[str, str]


@dataclass(frozen=True, slots=True)
class Study:
    """The report, and the points of its PCA plane, which are rows rather than figures."""

    report: Report
    points: plane.Points | None


def study(evidence: Evidence, facts: Facts) -> Study:
    """Measures everything; the same evidence and facts give the same figures."""
    manifest = facts.manifest
    left_out: dict[str, str] = {}
    nothing = "No rows were held out to judge it on."
    found_scores = scores.measure(evidence)
    found_confusion = confusion.measure(evidence)
    found_residuals = residuals.measure(evidence)
    found_ranking = ranking.measure(evidence)
    found_importance = importance.measure(evidence)
    found_plane = plane.measure(evidence)
    found_search = search.measure(evidence)
    if found_search is None:
        left_out["cross_validation"] = "Nothing was searched over, so nothing was cross-validated."
    if not found_scores:
        left_out["held_out"] = nothing
    regression = evidence.signature.task == "regression"
    if found_confusion is None:
        left_out["confusion"] = "A regression has no classes to confuse." if regression else nothing
    if found_residuals is None:
        left_out["residuals"] = nothing if regression else "A classifier's answers are right or wrong, not near or far."
    if found_ranking is None:
        left_out["ranking"] = left_out["calibration"] = probabilities.why_not(evidence)
    if isinstance(found_importance, str):
        left_out["importance"] = found_importance
    if isinstance(found_plane, str):
        left_out["plane"] = found_plane
    report = Report(
        metrics_version=METRICS_VERSION,
        model=Model(
            name=manifest.name,
            version=manifest.version,
            created=manifest.created,
            task=manifest.task,
            target=manifest.target,
            estimator=_estimator(evidence),
        ),
        data=data.measure(evidence, facts),
        columns=columns.measure(evidence),
        target=target.measure(evidence),
        cross_validation=found_search,
        held_out=found_scores,
        confusion=found_confusion,
        residuals=found_residuals,
        ranking=found_ranking,
        calibration=calibration.measure(evidence),
        importance=None if isinstance(found_importance, str) else found_importance,
        plane=None if isinstance(found_plane, str) else found_plane[0],
        serving=serving.measure(facts),
        libraries=dict(manifest.libraries),
        git_commit=manifest.git_commit,
        command=evidence.command,
        notes=list(evidence.notes),
        left_out=left_out,
    )
    return Study(report, None if isinstance(found_plane, str) else found_plane[1])


def encode(report: Report) -> bytes:
    """JSON with a line for each field. What is not a finite number is null."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def decode(body: bytes) -> Report:
    """Raises msgspec.MsgspecError where it is no such report."""
    return msgspec.json.decode(body, type=Report)


def _estimator(evidence: Evidence) -> str:
    pipeline = getattr(evidence.pipeline, "best_estimator_", evidence.pipeline)
    steps = getattr(pipeline, "steps", None)
    parts = [type(step).__name__ for _, step in steps if not isinstance(step, str)] if steps else []
    return " → ".join(parts) if parts else type(pipeline).__name__
