"""Which version is live, and the last few versions loaded. Batch asks the alias once per drop; it refreshes nothing."""

import threading
from collections import OrderedDict

from functions import loader
from functions.inference.model import ServedModel
from functions.registry.store import Store

KEPT = 2  # the live one, and the one before it, which claimed drops may still ask for


class Models:
    """Models of one name, by version."""

    def __init__(self, store: Store, reference: loader.Reference) -> None:
        self._store = store
        self._reference = reference
        self._loaded: OrderedDict[str, ServedModel] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._reference.name

    def current(self) -> ServedModel:
        """The pinned version, else the one the alias names now. Raises ModelError, StoreError."""
        return self.version(loader.resolve(self._store, self._reference))

    def version(self, version: str) -> ServedModel:
        """Raises ModelNotFound, ModelRefused, StoreError."""
        with self._lock:
            found = self._loaded.get(version)
            if found is None:
                found = loader.load_version(self._store, self._reference.name, version)
                self._loaded[version] = found
                while len(self._loaded) > KEPT:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(version)
            return found
