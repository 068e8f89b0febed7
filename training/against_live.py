"""The live version's figure on the rows that a new one is judged by, through the loader that serves. Moves nothing."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, r2_score

from functions import loader
from functions.errors import ModelNotFound, ModelRefused
from functions.gate import Comparison
from functions.inference.model import ServedModel
from functions.registry import keys
from functions.registry.manifest import decode
from functions.registry.store import Store
from functions.signature import Signature
from training.asking import ask
from training.evidence import HeldOut
from training.probes import columns_of

SCORES = {"classification": accuracy_score, "regression": r2_score}


def compare(store: Store, name: str, version: str, held_out: HeldOut, signature: Signature, data: str) -> Comparison:
    """signature: of the new version, which takes `held_out.features`. data: SHA-256 of the file the rows are from.

    What keeps the two from being compared is the comparison's problem. Raises StoreError.
    """
    try:
        live = loader.load_version(store, name, version)
    except (ModelRefused, ModelNotFound) as error:
        return Comparison(version, problem=error.message)
    problem = _problem(live.signature, signature)
    if problem:
        return Comparison(version, problem=problem)
    rows, predicted = _answers(live, held_out)
    if not len(rows):
        return Comparison(version, problem="it refuses every one of the rows")
    score = SCORES[signature.task]
    weights = None if held_out.weights is None else held_out.weights[rows]
    own, its = (
        float(score(held_out.truth[rows].tolist(), answers, sample_weight=weights))
        for answers in (held_out.predicted[rows].tolist(), predicted)
    )
    manifest = decode(store.get(keys.version_folder(name, version) + keys.MANIFEST).body)
    refused = len(held_out.truth) - len(rows)
    notes = (*_differences(live.signature, signature), *_refused(refused), _seen(manifest.data.sha256 == data))
    return Comparison(version, own, its, len(rows), notes=notes)


def _problem(live: Signature, new: Signature) -> str:
    """Why the live version cannot be asked about the new one's rows; empty where it can."""
    if (live.task, live.target) != (new.task, new.target):
        return f"it predicts {live.target} ({live.task}), this one {new.target} ({new.task})"
    kinds = [{type(label) for label in one.classes} for one in (live, new)]
    if kinds[0] != kinds[1]:
        return f"its classes are {', '.join(map(repr, live.classes))}, and so of another type than this one's"
    here = {feature.name: feature.dtype for feature in new.features}
    missing = [feature.name for feature in live.features if feature.name not in here]
    if missing:
        return f"it takes {', '.join(missing)}, which this one does not"
    other = [feature.name for feature in live.features if here[feature.name] != feature.dtype]
    return f"it takes {', '.join(other)} as another type than this one" if other else ""


def _answers(live: ServedModel, held_out: HeldOut) -> tuple[Any, list[Any]]:
    """The places of the rows that the live version answers, and its labels or numbers there."""
    signature = live.signature
    features = held_out.features[signature.names]
    gaps = np.zeros(len(features), dtype=bool)
    for feature in signature.features:
        if not feature.nullable:
            gaps |= features[feature.name].isna().to_numpy()
    taken = np.flatnonzero(~gaps)
    if not len(taken):
        return taken, []
    found = ask(live.engine.predict_columns, columns_of(features.iloc[taken], signature), most_refused=len(taken))
    answered = found.answered
    if signature.task == "regression":
        return taken[answered], found.values[answered].tolist()
    return taken[answered], [signature.classes[index] for index in found.classes[answered].tolist()]


def _differences(live: Signature, new: Signature) -> Iterator[str]:
    added = [name for name in new.names if name not in live.names]
    if added:
        yield f"the live version does not take {', '.join(added)}"
    unknown = [str(label) for label in new.classes if label not in live.classes]
    if unknown:
        yield f"the live version does not know the class {', '.join(unknown)}, so each such row counts against it"


def _refused(rows: int) -> Iterator[str]:
    if rows:
        yield f"{rows} row{'s' if rows > 1 else ''} that the live version refuses count for neither"


def _seen(same_file: bool) -> str:
    """How fair it is: the new version's figure is of rows it was not fitted on, the live one's may not be."""
    if same_file:
        return "the live version was fitted on this very file, these rows with it, which flatters it"
    return "the live version was fitted on another file; whether these rows were in it is not known"
