"""MLflow's own client, unchanged, against a real gateway."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.serving import Served

COLUMNS: dict[str, list[str]] = {
    "iris": ["sepal_length", "sepal_width", "petal_length", "petal_width"],
    "mixed": ["age", "city", "member"],
    "price": ["x", "y"],
}
ROWS: dict[str, list[list[Any]]] = {
    "iris": [[5.1, 3.5, 1.4, 0.2], [6.3, 2.5, 6.0, 2.5]],
    "mixed": [[22.0, "Bern", False], [58.0, None, True]],
    "price": [[0.0, 1.0], [2.5, 1.5]],
}


@pytest.mark.parametrize("model", COLUMNS)
def test_mlflows_client_gets_the_same_predictions_in_every_form_it_writes(
    served: Callable[[str], Served], run_program: Callable[..., Any], model: str
) -> None:
    gateway = served(model)
    native = gateway.http.http("POST", "/predict", json.dumps({"instances": ROWS[model]}).encode()).json["predictions"]
    found = run_program(
        "ask_mlflow", port=gateway.port, columns=COLUMNS[model], rows=ROWS[model], arrays=model != "mixed"
    )
    forms = {"data frame", "list", "records", "columns", "instances", "csv"}
    assert set(found["answers"]) == (forms | {"array"} if model != "mixed" else forms)
    assert found["answers"] == dict.fromkeys(found["answers"], native)
    assert found["version"] == "2.0.0"
    assert "Invocation failed (error code 400" in found["refused"]
    assert '"error_code":"BAD_REQUEST"' in found["refused"]
