"""A pipeline out of a `.joblib` that nothing vouches for, unpickled because its user said so; tells what is unchecked.

What can be known all the same is refused where it is wrong: another scikit-learn, an object that is no pipeline.
"""

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from functions.errors import ModelRefused
from functions.inference.model import ServedModel
from functions.inference.schema import Schema
from functions.registry.digest import sha256
from functions.scoring.files import Mistake
from functions.signature import Signature

MOST_NAMES = 20


def trusted(path: Path, tell: Callable[[str], None]) -> ServedModel:
    """The pipeline in this file; its signature is read off itself, and `tell` gets one line about what is unchecked.

    Raises Mistake for what is no pipeline that can be scored with, ModelRefused where scikit-learn is not installed.
    """
    body = path.read_bytes()
    pipeline = _unpickled(path, body)

    from functions.inference.joblib_engine import JoblibEngine
    from functions.scoring.estimator import signature_of

    signature = signature_of(pipeline, str(path))
    digest = sha256(body)
    tell(_unchecked(path, digest, signature))
    return ServedModel(
        name=path.stem,
        version=f"sha256:{digest[:12]}",
        signature=signature,
        schema=Schema(signature),
        engine=JoblibEngine(pipeline, signature),
        public={},
    )


def _unpickled(path: Path, body: bytes) -> Any:
    try:
        import joblib
        from sklearn.exceptions import InconsistentVersionWarning
    except ImportError:
        raise ModelRefused(f"{path} needs scikit-learn, and this image has none; use the full image") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", InconsistentVersionWarning)
            return joblib.load(io.BytesIO(body))
    except InconsistentVersionWarning as found:
        made, here = found.original_sklearn_version, found.current_sklearn_version
        raise Mistake(
            f"{path} was fitted with scikit-learn {made}, and here is {here}, which may compute something else; "
            f"fit it again with {here}, or run this where {made} is installed"
        ) from None
    except Exception as error:
        raise Mistake(
            f"{path} cannot be unpickled here ({type(error).__name__}: {error}); it must be a file of joblib.dump, and "
            "whatever it was made with must be installed"
        ) from error


def _unchecked(path: Path, digest: str, signature: Signature) -> str:
    texts = [feature.name for feature in signature.features if feature.dtype == "string"]
    flags = [feature.name for feature in signature.features if feature.dtype == "bool"]
    kinds = [f"{_told(texts)} as text"] if texts else []
    kinds += [f"{_told(flags)} as true or false"] if flags else []
    numbers = f"{'all others' if kinds else 'all columns'} as numbers"
    return (
        f"warning: {path} was unpickled on trust, without a manifest. Unchecked: digest (it has SHA-256 {digest}), "
        f"golden rows (none to replay), types ({', '.join([*kinds, numbers])}), missing values (left to the pipeline), "
        "ranges and categories that training saw"
    )


def _told(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(repr(name) for name in names[:MOST_NAMES]) + more
