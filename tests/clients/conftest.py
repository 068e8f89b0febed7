"""Real clients against a real gateway. They live in an environment of their own, and run as programs of their own."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PROJECT
from tests.serving import Served, serving

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Served]]:
    """`served("iris")` is a gateway that serves iris; each model's is opened once, when it is first asked for."""
    opened: dict[str, Served] = {}
    with ExitStack() as stack:

        def gateway(model: str) -> Served:
            if model not in opened:
                opened[model] = stack.enter_context(serving(tmp_path_factory.mktemp(model), model))
            return opened[model]

        yield gateway


@pytest.fixture(scope="session")
def clients() -> Path:
    """The folder of the clients' commands, its Python among them."""
    commands = PROJECT / ".venv-clients" / "bin"
    if not (commands / "python").exists():
        pytest.skip("the clients are not installed; run: make clients-environment")
    return commands


@pytest.fixture(scope="session")
def run_program(clients: Path) -> Callable[..., Any]:
    """`run_program("name", key=value)` runs `programs/name.py` by the clients' Python.

    The program reads the values as one JSON object from standard input; the JSON it writes to standard output is
    returned.
    """

    def run(name: str, /, **values: Any) -> Any:
        ended = subprocess.run(
            [clients / "python", PROGRAMS / f"{name}.py"],
            input=json.dumps(values),
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert ended.returncode == 0, ended.stderr + ended.stdout
        return json.loads(ended.stdout)

    return run
