"""`make up` and `make down`: everything in containers, a request answered, a dropped file scored, nothing left."""

import csv
import io
import json
import os
import secrets
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.docker_minio import minio_image
from tests.minio_server import Credentials, Minio

PROJECT = Path(__file__).parent.parent.parent
DROP = (
    "note,petal_width,sepal_length,petal_length,sepal_width\r\n"
    '"first, quoted",0.2,5.10,1.4,3.5\r\n'
    "bad,x,6.3,6.0,2.5\r\n"
    " spaced ,2.5,6.3,6.0,3.3\r\n"
)


@dataclass(frozen=True, slots=True)
class Project:
    """One running compose project: its name, where it answers, its MinIO, and what `make` is told of it."""

    name: str
    url: str
    minio: Minio
    environment: dict[str, str]


@pytest.fixture(scope="module")
def project(docker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The project as `make up` starts it, under a name, on ports and with secrets of its own."""
    if subprocess.run([docker, "image", "inspect", minio_image()], capture_output=True).returncode != 0:
        pytest.skip(f"there is no image {minio_image()}; run: make provision")
    name = f"sklearntest{secrets.token_hex(4)}"
    secrets_file = tmp_path_factory.mktemp("compose") / "secrets.env"
    front, store = _free_ports(2)
    environment = {
        **os.environ,
        "COMPOSE_PROJECT_NAME": name,
        "ENV_FILE": str(secrets_file),
        "PORT": str(front),
        "MINIO_PORT": str(store),
    }
    with ExitStack() as undo:
        undo.callback(_down, docker, environment)
        up = subprocess.run(["make", "up"], cwd=PROJECT, env=environment, capture_output=True, text=True)
        assert up.returncode == 0, f"{up.stdout[-3000:]}\n{up.stderr[-3000:]}"
        assert f"http://127.0.0.1:{front}/predict" in up.stdout
        assert secrets_file.stat().st_mode & 0o077 == 0, "others can read the secrets"
        made = dict(
            line.split("=", 1) for line in secrets_file.read_text().splitlines() if line and not line.startswith("#")
        )
        root = Credentials(made["MINIO_ROOT_USER"], made["MINIO_ROOT_PASSWORD"])
        minio = Minio(f"http://127.0.0.1:{store}", root)
        yield Project(name, f"http://127.0.0.1:{front}", minio, environment)


def test_a_row_sent_over_http_is_answered_by_the_model_that_the_training_container_published(
    project: Project,
) -> None:
    body = json.dumps({"instances": [[5.1, 3.5, 1.4, 0.2]]}).encode()
    with urllib.request.urlopen(f"{project.url}/predict", body, timeout=60) as response:  # noqa: S310 - always http
        answer = json.load(response)
    with project.minio.client(project.minio.root) as s3:
        alias = _read_json(s3, "models", "models/iris/aliases/live.json")
    assert answer["predictions"] == ["setosa"]
    assert sum(answer["probabilities"][0].values()) == pytest.approx(1)
    assert answer["model"] == {"name": "iris", "version": alias["version"]}


def test_a_csv_dropped_by_boto3_is_scored_with_its_bytes_unchanged_and_its_bad_row_set_aside(
    project: Project,
) -> None:
    with project.minio.client(project.minio.root) as s3:
        s3.put_object(Bucket="drops", Key="incoming/a day/ü+1.csv", Body=DROP.encode())
        summary = _when_there(s3, "drops", "scored/a day/ü+1.csv.summary.json", seconds=120)
        scored = s3.get_object(Bucket="drops", Key="scored/a day/ü+1.csv")["Body"].read().decode()
        rejected = s3.get_object(Bucket="drops", Key="rejected/a day/ü+1.csv")["Body"].read().decode()
    header, first, _, last = DROP.splitlines()
    lines = scored.split("\r\n")
    assert [line[: len(given)] for line, given in zip(lines, (header, first, last), strict=False)] == [
        header,
        first,
        last,
    ]
    assert lines[1][len(first) :].startswith(",setosa")
    assert lines[2][len(last) :].startswith(",virginica")
    assert lines[3:] == [""]
    (bad,) = csv.DictReader(io.StringIO(rejected, newline=""))
    assert (bad["line"], bad["record"]) == ("3", "bad,x,6.3,6.0,2.5")
    assert summary["status"] == "scored"
    assert summary["rows"] == {"input": 3, "scored": 2, "rejected": 1, "blank": 0}


def test_a_training_table_that_is_dropped_goes_live_without_a_deploy_and_a_rollback_takes_it_back(
    project: Project,
) -> None:
    header, *rows = (PROJECT / "data" / "iris.csv").read_text().splitlines(keepends=True)
    first = _model(project)
    with project.minio.client(project.minio.root) as s3:
        body = "".join([header, *reversed(rows)]).encode()
        s3.put_object(Bucket="drops", Key="incoming-training/new flowers.csv", Body=body)
        summary = _when_there(s3, "drops", "trained/new flowers.csv.summary.json", seconds=120)
        assert (summary["status"], summary["reason"]) == ("promoted", None)
        newer = summary["model"]["version"]
        assert newer != first
        _eventually(lambda: _model(project) == newer, seconds=60)
        command = [
            ".ci/compose", "--env-file", project.environment["ENV_FILE"], "run", "--rm", "train",
            "rollback", "--name", "iris", "--store", "s3://models",
        ]  # fmt: skip
        back = subprocess.run(command, cwd=PROJECT, env=project.environment, capture_output=True, text=True)
        assert back.returncode == 0, f"{back.stdout}\n{back.stderr}"
        assert f"live is now {first}, before it {newer}" in back.stdout
        _eventually(lambda: _model(project) == first, seconds=60)


def test_down_leaves_no_container_no_network_no_volume_and_no_secret(docker: str, project: Project) -> None:
    """The last of this file, since it ends what the others use."""
    assert all(_left(docker, project.name).values())
    _down(docker, project.environment)


def _down(docker: str, environment: dict[str, str]) -> None:
    down = subprocess.run(["make", "down"], cwd=PROJECT, env=environment, capture_output=True, text=True)
    assert down.returncode == 0, down.stderr
    assert _left(docker, environment["COMPOSE_PROJECT_NAME"]) == {"containers": [], "networks": [], "volumes": []}
    assert not Path(environment["ENV_FILE"]).exists()


def _left(docker: str, name: str) -> dict[str, list[str]]:
    def listed(*command: str) -> list[str]:
        label = f"label=com.docker.compose.project={name}"
        return subprocess.check_output([docker, *command, "--quiet", "--filter", label], text=True).split()

    return {
        "containers": listed("ps", "--all"),
        "networks": listed("network", "ls"),
        "volumes": listed("volume", "ls"),
    }


def _model(project: Project) -> str:
    """The version that answers now."""
    with urllib.request.urlopen(f"{project.url}/model", timeout=60) as response:  # noqa: S310 - always http
        return str(json.load(response)["version"])


def _eventually(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.5)


def _when_there(s3: Any, bucket: str, key: str, seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return _read_json(s3, bucket, key)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey" or time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def _read_json(s3: Any, bucket: str, key: str) -> Any:
    return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
