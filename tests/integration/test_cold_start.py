"""Cold starts of predict as a real runtime makes them: what is imported, and that a head start changes no answer."""

import os
import secrets
import subprocess
import sys
from typing import Any

import pytest

from functions.registry import alias
from functions.registry.store import open_store
from tests import runtime
from tests.conftest import PROJECT
from tests.minio_server import Minio, allow_s3
from tests.models import VERSION, publish_iris, publish_mixed

WAYS_IN = ["functions.start", "awslambdaric"]  # as the image has it, and without the head start
HANDLER = "functions.predict.handler"
EVENT = {"instances": [[5.1, 3.5, 1.4, 0.2]]}

HEAVY = {
    "numpy", "onnxruntime", "pandas", "sklearn", "scipy", "joblib", "pyarrow", "pydantic", "yaml",
    "boto3", "botocore", "urllib3", "requests", "dateutil", "aws_lambda_powertools",
}  # fmt: skip
NOT_NEEDED = {
    "asyncio", "concurrent.futures", "dataclasses", "email", "http.client", "importlib.metadata", "inspect", "pathlib",
    "pickle", "pkgutil", "random", "shutil", "snapshot_restore_py", "socket", "ssl", "subprocess", "tempfile",
    "urllib.parse", "zipfile",
}  # fmt: skip
"""Of the standard library, what costs milliseconds or is a sign of something that does."""
SINCE_3_12 = {"hashlib"}  # the interpreter has a SHA-256 of its own since then


@pytest.fixture(scope="module")
def settings(minio: Minio) -> dict[str, str]:
    """The environment of a function over a bucket that holds `iris`, trained and published with its twin."""
    bucket = minio.bucket(f"cold-{secrets.token_hex(6)}")
    acting = minio.environment(minio.user(allow_s3(bucket)))
    found = {**acting, "MODEL_STORE": f"s3://{bucket}", "MODEL_NAME": "iris"}
    command = [sys.executable, "-m", "training", "fit", "data/iris.csv", "--target", "species", "--name", "iris"]
    subprocess.run(
        [*command, "--store", found["MODEL_STORE"]],
        cwd=PROJECT, env=os.environ | acting, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return found


@pytest.fixture
def as_trainer(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)


def first_answer(module: str, settings: dict[str, str], event: Any = EVENT) -> Any:
    with runtime.running([sys.executable, "-m", module, HANDLER], settings) as started:
        return started.ask(event)


@pytest.mark.parametrize("module", WAYS_IN)
def test_with_a_twin_a_cold_start_imports_nothing_heavy(module: str, settings: dict[str, str]) -> None:
    command = [sys.executable, "-X", "importtime", "-m", module, HANDLER]
    with runtime.running(command, settings) as started:
        assert started.ask(EVENT)["predictions"] == ["setosa"]
        told = [line.rpartition("|") for line in started.errors() if line.startswith("import time:")]
    found = {name.strip() for _, _, name in told}
    unwanted = HEAVY | NOT_NEEDED | (SINCE_3_12 if sys.version_info >= (3, 12) else set())
    assert {"awslambdaric.bootstrap", "msgspec", "obstore", "functions.inference.onnx_engine"} <= found
    assert sorted((found - not_in_the_image()) & unwanted) == []


def not_in_the_image() -> set[str]:
    """What this environment has and the image has not: `.pth` files, and a package that msgspec takes where it is."""
    program = [sys.executable, "-c", "import sys, typing_extensions; print(*sys.modules)"]
    return set(subprocess.run(program, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.usefixtures("as_trainer")
def test_a_twin_answers_alike_by_either_way_in(settings: dict[str, str]) -> None:
    version = alias.read(open_store(settings["MODEL_STORE"]), "iris", "live").version
    one, other = (first_answer(module, settings) for module in WAYS_IN)
    assert one == other
    assert (one["predictions"], one["model"]) == (["setosa"], {"name": "iris", "version": version})


@pytest.mark.usefixtures("as_trainer")
def test_a_model_without_a_twin_is_served_by_scikit_learn(settings: dict[str, str]) -> None:
    publish_mixed(open_store(settings["MODEL_STORE"]))
    event = {"instances": [{"age": 22, "city": "Bern", "member": None}]}
    for module in WAYS_IN:
        answer = first_answer(module, settings | {"MODEL_NAME": "mixed"}, event)
        assert (answer["predictions"], answer["model"]) == ([True], {"name": "mixed", "version": VERSION})


@pytest.mark.usefixtures("as_trainer")
def test_a_pinned_version_is_served_whatever_the_alias_names(settings: dict[str, str]) -> None:
    publish_iris(open_store(settings["MODEL_STORE"]), move=False)
    for module in WAYS_IN:
        answer = first_answer(module, settings | {"MODEL_VERSION": VERSION})
        assert answer["model"] == {"name": "iris", "version": VERSION}


@pytest.mark.parametrize("module", WAYS_IN)
@pytest.mark.parametrize(
    ("wrong", "code", "details"),
    [
        ({"MODEL_NAME": ""}, "not_configured", []),
        ({"MODEL_STORE": "ftp://models"}, "not_configured", []),
        ({"MODEL_NAME": "../iris"}, "not_configured", [{"model": "../iris", "alias": "live"}]),
        ({"MODEL_NAME": "roses"}, "model_not_found", [{"model": "roses", "alias": "live"}]),
        ({"MODEL_VERSION": "20990101T000000Z-00000000"}, "model_not_found",
         [{"model": "iris", "version": "20990101T000000Z-00000000"}]),
    ],
    ids=["no name", "no store", "no key", "no alias", "wrong pin"],
)  # fmt: skip
def test_what_is_set_wrong_is_logged_once_at_start_and_answered_with_503(
    module: str, wrong: dict[str, str], code: str, details: list[dict[str, str]], settings: dict[str, str]
) -> None:
    event = {"httpMethod": "GET", "path": "/ping", "requestContext": {}, "headers": {}}
    with runtime.running([sys.executable, "-m", module, HANDLER], settings | wrong) as started:
        (line,) = started.log("ERROR")
        answers = [started.ask(event) for _ in range(2)]
        told = [line for line in started.log("ERROR") if line["message"] != "the request failed"]
    assert (line["message"], line["code"], told) == ("the model cannot be loaded", code, [line])
    for answer in answers:
        assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "5")
        assert f'"code":"{code}"' in answer["body"]
        assert all(f'"{key}":"{value}"' in answer["body"] for detail in details for key, value in detail.items())
