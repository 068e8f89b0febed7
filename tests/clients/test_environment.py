"""What the other tests here stand on: gateways that answer, and the locked clients."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import PROJECT
from tests.serving import Served

ROWS: dict[str, list[Any]] = {"iris": [5.1, 3.5, 1.4, 0.2], "mixed": [None, "Genf", True], "price": [0.0, 1.0]}


@pytest.mark.parametrize("model", ROWS)
def test_each_model_answers_behind_its_gateway(served: Callable[[str], Served], model: str) -> None:
    answer = served(model).http.http("POST", "/predict", json.dumps({"instances": [ROWS[model]]}).encode())
    assert (answer.status, answer.json["model"]["name"]) == (200, model)


@pytest.mark.parametrize("package", ["mlflow-skinny", "openapi-spec-validator", "schemathesis", "tritonclient"])
def test_the_clients_are_those_of_the_lock(run_program: Callable[..., Any], package: str) -> None:
    lock = (PROJECT / "requirements" / "clients.txt").read_text()
    locked = re.search(rf"^{package}(?:\[http\])?==(\S+)", lock, re.MULTILINE)
    assert locked
    assert run_program("tell_version", package=package) == locked[1]
