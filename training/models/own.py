"""A user's pipeline, from `package.module:function` or `path/to/file.py:function`; its errors stay its own."""

import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

import sklearn
from sklearn.base import is_classifier, is_regressor
from sklearn.pipeline import Pipeline

from functions.signature import Signature
from training.endings import Mistake
from training.models.pickles import modules_beyond
from training.models.plan import Plan

SHAPE = "write package.module:function, or path/to/file.py:function"
ADDRESS = re.compile(r" at 0x[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Own:
    """A user's plan, the module it came from, and a text that changes where the module or the pipeline does."""

    plan: Plan
    module: ModuleType
    identity: str


def own(spec: str, signature: Signature, seed: int) -> Own:
    """Imports the module and calls the function, with `signature` and `seed` where it has parameters of these names.

    The function gives any scikit-learn estimator or search object, unfitted. Raises Mistake for all that goes wrong in
    it, saying where.
    """
    place, colon, name = spec.rpartition(":")
    if not (colon and place and name):
        raise Mistake(f"--pipeline is {spec!r}; {SHAPE}")
    module = _from_file(Path(place)) if place.endswith(".py") else _from_path(place)
    found = getattr(module, name, None)
    if found is None:
        near = get_close_matches(name, [one for one in vars(module) if not one.startswith("_")], n=1)
        guess = f"; did you mean {near[0]!r}?" if near else ""
        raise Mistake(f"--pipeline {spec}: there is no {name!r} in {place}{guess}")
    estimator = _made(found, spec, signature, seed)
    source = Path(module.__file__).read_bytes() if module.__file__ else b""
    identity = f"{name} {hashlib.sha256(source).hexdigest()} {ADDRESS.sub('', repr(estimator))}"
    return Own(_plan(estimator, spec, signature), module, identity)


def blame(error: BaseException, doing: str) -> Mistake:
    """The user's error as one line: what it is, and where in code that is neither ours nor a library's."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not any(Path(frame.filename).is_relative_to(place) for place in _others()) and Path(frame.filename).is_file()
    ]
    where = f" (line {frames[-1].lineno} of {frames[-1].filename})" if frames else ""
    if isinstance(error, SyntaxError):
        where = f" (line {error.lineno} of {error.filename})"
        error = SyntaxError(error.msg)
    words = " ".join(str(error).split())
    return Mistake(f"{doing}: {type(error).__name__}: {words[:400]}{where}; --debug shows the whole traceback")


def _others() -> list[Path]:
    """Where code lies that is not the user's: this project's, Python's own, what is installed."""
    project = Path(__file__).parents[2]
    return [
        project / "training",
        project / "functions",
        Path(inspect.__file__).parent,
        Path(sklearn.__file__).parents[1],
    ]


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise Mistake(f"--pipeline: there is no file {path}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or path.stem in sys.modules:
        raise Mistake(f"--pipeline: {path} cannot be imported under the name {path.stem!r}; give it another name")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # pickle looks for its classes there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[path.stem]
        raise blame(error, f"--pipeline: importing {path} failed") from error
    return module


def _from_path(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):  # not something that it imports
            raise Mistake(
                f"--pipeline: there is no module {name!r} on the path; name its file, or set PYTHONPATH"
            ) from None
        raise blame(error, f"--pipeline: importing {name} failed") from error
    except (Exception, SystemExit) as error:
        raise blame(error, f"--pipeline: importing {name} failed") from error


def _made(found: Any, spec: str, signature: Signature, seed: int) -> Any:
    if not callable(found):
        return found
    try:
        return found(**_arguments(found, {"signature": signature, "seed": seed}))
    except (Exception, SystemExit) as error:
        raise blame(error, f"--pipeline {spec} failed") from error


def _arguments(function: Callable[..., Any], offered: dict[str, Any]) -> dict[str, Any]:
    try:
        names = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}
    return {name: value for name, value in offered.items() if name in names}


def _plan(estimator: Any, spec: str, signature: Signature) -> Plan:
    if isinstance(estimator, type) or not all(hasattr(estimator, verb) for verb in ("fit", "get_params")):
        raise Mistake(f"--pipeline {spec} gives {type(estimator).__name__}, which is no scikit-learn estimator")
    wrong = is_regressor(estimator) if signature.task == "classification" else is_classifier(estimator)
    if wrong:
        kind = "a regressor" if signature.task == "classification" else "a classifier"
        raise Mistake(
            f"--pipeline {spec} gives {kind}, and {signature.target!r} is a target of {signature.task}; "
            "give another, or say --task"
        )
    if getattr(estimator, "refit", True) is False:
        raise Mistake(f"--pipeline {spec} gives a search with refit=False, which keeps no best estimator")
    last = getattr(estimator, "estimator", estimator) if hasattr(estimator, "cv") else estimator
    while isinstance(last, Pipeline):
        last = last.steps[-1][1]
    beyond = modules_beyond(estimator)
    notes: tuple[str, ...] = ()
    if beyond:
        notes = (
            f"the pipeline holds code of {', '.join(beyond)}, which functions do not have: it can be served by its "
            "ONNX twin alone",
        )
    return Plan(type(last).__name__, estimator, {}, notes, own=True)
