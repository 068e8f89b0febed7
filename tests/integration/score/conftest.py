"""A folder to score in, and what was told there."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from functions.registry.folder import FolderStore
from tests.integration.score.command import HEADER, ROWS
from tests.models import publish_iris


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a store in `bucket`, a file in `day.csv`, and no settings in the environment."""
    for name in [name for name in os.environ if name.startswith(("MODEL_", "DATA_", "BATCH_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    publish_iris(FolderStore("bucket"))
    Path("day.csv").write_bytes(HEADER + ROWS)
    return tmp_path


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What standard error was told, without the time it took."""

    def read() -> str:
        line = capsys.readouterr().err.rstrip("\n")
        return line.rpartition(" in ")[0] if line.endswith(" s") else line

    return read
