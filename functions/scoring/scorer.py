"""What scores the drops of one data store, alone or in parts, has this in common. It knows no way of scoring."""

from functions.inference.model import ServedModel
from functions.registry.store import Store
from functions.scoring.drop import why_ignored
from functions.scoring.loop import Options
from functions.scoring.models import Models


class Scorer:
    """Scores drops in `data` by `models`. max_rejected_share: over which a drop has failed, from 0 to 1."""

    def __init__(self, data: Store, models: Models, options: Options, max_rejected_share: float) -> None:
        self._data = data
        self._models = models
        self._options = options
        self._max_rejected_share = max_rejected_share

    def warm(self) -> ServedModel:
        """Loads the live model. Raises ModelError, StoreError."""
        return self._models.current()

    def why_ignored(self, bucket: str, key: str) -> str | None:
        """Why the object of an event is no drop in this data store, in words; None where it is one."""
        return why_ignored(bucket, key, self._data)

    def within(self, key: str) -> str:
        """A key of the bucket as the store's own."""
        return key.removeprefix(self._data.prefix)
