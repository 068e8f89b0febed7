"""Scores bytes with a real model and a real store, without a drop around them."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from functions import loader
from functions.errors import DropRefused
from functions.inference.model import ServedModel
from functions.registry.memory import MemoryStore
from functions.scoring.loop import Options, score_stream
from functions.scoring.outlet import Outlet
from functions.scoring.pace import Pace
from functions.scoring.tally import Tally
from tests.models import publish_iris, publish_mixed, publish_regression

OPTIONS = Options(limit=1024 * 1024, separator=None, probabilities=False)


@dataclass(frozen=True, slots=True)
class Scored:
    """`rejected` is None where there is no such object."""

    scored: bytes
    rejected: bytes | None
    tally: Tally


@cache
def served(name: str) -> ServedModel:
    store = MemoryStore()
    if name == "iris by its twin":
        publish_iris(store, twin=True)
        return loader.load(store, loader.Reference("iris"))
    {"iris": publish_iris, "mixed": publish_mixed, "price": publish_regression}[name](store)
    return loader.load(store, loader.Reference(name))


def score(chunks: bytes | Iterable[bytes], model: ServedModel | str = "iris", *, options: Options = OPTIONS) -> Scored:
    """Raises DropRefused, and asserts that nothing is visible then."""
    store = MemoryStore()
    scored, rejected = Outlet(lambda: store.writer("scored")), Outlet(lambda: store.writer("rejected"))
    served_model = served(model) if isinstance(model, str) else model
    given = [chunks] if isinstance(chunks, bytes) else chunks
    try:
        tally = score_stream(given, scored, rejected, served_model, options, Pace(0))
    except DropRefused:
        scored.abort()
        rejected.abort()
        assert list(store.keys("")) == []
        raise
    scored.commit()
    left = rejected.commit()
    return Scored(store.get("scored").body, store.get("rejected").body if left else None, tally)
