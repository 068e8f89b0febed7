"""A published model behind a real gateway: `python -m local serve` over folder stores, as a process of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from functions.registry.folder import FolderStore
from functions.registry.store import Store
from tests.conftest import PROJECT
from tests.local_room import Client, eventually
from tests.models import publish_iris, publish_mixed, publish_regression

PUBLISH: dict[str, Callable[[Store], object]] = {
    "iris": publish_iris,
    "mixed": publish_mixed,
    "price": publish_regression,
}
OPENED = re.compile(r"http://127\.0\.0\.1:(\d+)  POST")


@dataclass(frozen=True)
class Served:
    """One gateway. `data` is its DATA_STORE's folder, `log` what it and its functions say."""

    model: str
    port: int
    data: Path
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def http(self) -> Client:
        return Client(self.port)


@contextmanager
def serving(folder: Path, model: str, **settings: str) -> Iterator[Served]:
    """model: iris (four numbers), mixed (number, text, boolean, missing values) or price (a regression).

    settings: variables of the functions beside the usual.
    """
    PUBLISH[model](FolderStore(folder / "models"))
    data, log = folder / "data", folder / "log"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MODEL_", "DATA_", "HTTP_"))}
    stores = {"MODEL_STORE": (folder / "models").as_uri(), "DATA_STORE": data.as_uri(), "MODEL_NAME": model}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "serve"],
            cwd=PROJECT,
            env={**clean, **stores, **settings, "PORT": "0"},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        opened = eventually(lambda: _opened(process, log))
        yield Served(model, int(opened[1]), data, log)
        process.terminate()
        assert process.wait(20) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def _opened(process: "subprocess.Popen[bytes]", log: Path) -> re.Match[str] | None:
    said = log.read_text()
    assert process.poll() is None, said
    return OPENED.search(said)
