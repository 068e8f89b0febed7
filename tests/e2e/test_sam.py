"""The function image as SAM builds it and runs it: every sample event, and HTTP, against MinIO and a trained model."""

import http.client
import io
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pytest

from tests.docker_minio import DockerMinio
from tests.minio_server import Credentials, allow_s3
from tests.template import policies

PROJECT = Path(__file__).parent.parent.parent
EVENTS = PROJECT / "events"
IRIS = (PROJECT / "data" / "iris.csv").read_bytes()
DROP = "incoming/iris sample.csv"  # what the sample storage events speak of
SCORED = "scored/iris sample.csv"
FEATURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
CLASSES = ["setosa", "versicolor", "virginica"]
ROWS = [[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]]  # what the sample requests ask about
OK = {"statusCode": 200, "headers": {"content-type": "application/json"}, "isBase64Encoded": False}


@dataclass(frozen=True, slots=True)
class Trained:
    """What training published: the manifest's bytes as JSON, and the fitted pipeline."""

    manifest: dict[str, Any]
    pipeline: Any

    @property
    def named(self) -> dict[str, str]:
        return {"name": self.manifest["name"], "version": self.manifest["version"]}

    def chances(self, rows: list[list[float]]) -> list[dict[str, float]]:
        """scikit-learn's own probabilities, by class."""
        found = self.pipeline.predict_proba(pd.DataFrame(rows, columns=FEATURES))
        return [dict(zip(CLASSES, map(float, row), strict=True)) for row in found]


@dataclass(frozen=True, slots=True)
class Sam:
    """The SAM command line on a machine where MinIO is what `local/sam.json` says, acting as one user of it."""

    server: DockerMinio

    def environment(self, user: Credentials) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        keys = {"AWS_ACCESS_KEY_ID": user.access_key, "AWS_SECRET_ACCESS_KEY": user.secret_key}
        return {**own, **keys, "AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0"}

    def command(self, *arguments: str) -> list[str]:
        return [str(PROJECT / ".venv-sam" / "bin" / "sam"), *arguments]

    def invoke(self, function: str, event: str | Path, user: Credentials) -> Any:
        """What the function returned for one file of `events/`, by its name, or for another."""
        file = EVENTS / f"{event}.json" if isinstance(event, str) else event
        done = subprocess.run(
            self.command("local", "invoke", function, "--event", str(file),
                         "--docker-network", self.server.network),
            cwd=PROJECT, env=self.environment(user), capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    @contextmanager
    def api(self, user: Credentials, log: Path) -> Iterator[int]:
        """`sam local start-api`; the port it answers on."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.command("local", "start-api", "--port", str(port), "--warm-containers", "LAZY",
                             "--docker-network", self.server.network),
                cwd=PROJECT, env=self.environment(user), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        try:
            deadline = time.monotonic() + 120
            while not _listens(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"sam local start-api does not serve:\n{log.read_text()[-3000:]}")
                time.sleep(0.2)
            yield port
        finally:
            process.terminate()  # SAM removes its containers on this signal
            process.wait(60)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def sam(docker_minio: DockerMinio) -> Sam:
    """SAM with the image built by `sam build`."""
    made = Sam(docker_minio)
    if not Path(made.command()[0]).exists():
        pytest.skip("there is no SAM command line; run: make provision")
    environment = made.environment(Credentials("unused", "unused"))
    built = subprocess.run(made.command("build"), cwd=PROJECT, env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr[-3000:]
    return made


@pytest.fixture(scope="module")
def buckets(docker_minio: DockerMinio) -> tuple[str, str]:
    """The buckets of `local/sam.json`, versioned as the template's."""
    return docker_minio.host.bucket("models", versioned=True), docker_minio.host.bucket("drops", versioned=True)


@pytest.fixture(scope="module")
def trained(docker: str, training_image: str, docker_minio: DockerMinio, buckets: tuple[str, str]) -> Trained:
    """A model of iris, trained and published in the training container."""
    bucket, _ = buckets
    trainer = docker_minio.host.user(allow_s3(bucket))
    train(docker, training_image, docker_minio, trainer, bucket)
    with docker_minio.host.client(trainer) as s3:

        def read(key: str) -> bytes:
            return bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())

        version = json.loads(read("models/iris/aliases/live.json"))["version"]
        folder = f"models/iris/versions/{version}"
        manifest = json.loads(read(f"{folder}/manifest.json"))
        return Trained(manifest, joblib.load(io.BytesIO(read(f"{folder}/model.joblib"))))


def train(docker: str, image: str, docker_minio: DockerMinio, trainer: Credentials, bucket: str, *options: str) -> None:
    """Publishes a model of iris by the training container."""
    settings = docker_minio.environment(trainer)
    ran = subprocess.run(
        [docker, "run", "--rm", "--network", docker_minio.network, "--volume", f"{PROJECT / 'data'}:/data:ro",
         *(part for name, value in settings.items() for part in ("--env", f"{name}={value}")), image,
         "fit", "iris.csv", "--target", "species", "--name", "iris", "--store", f"s3://{bucket}", *options],
        capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr


@pytest.fixture(scope="module")
def predict_user(docker_minio: DockerMinio, buckets: tuple[str, str]) -> Credentials:
    """A user who may do what the template lets predict do."""
    return docker_minio.host.user(policies("PredictFunction", *buckets))


@pytest.fixture(scope="module")
def api(
    sam: Sam, trained: Trained, predict_user: Credentials, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Api"]:
    """A running `sam local start-api`."""
    with sam.api(predict_user, tmp_path_factory.mktemp("sam") / "api.log") as port:
        yield Api(port, trained)


@dataclass(frozen=True, slots=True)
class Api:
    """Real HTTP to a port behind which `model` is served."""

    port: int
    model: Trained

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, str | None, Any]:
        """Status, content type and the body, which must be JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            text = body if isinstance(body, str) or body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": "application/json"} if text else {})
            answer = connection.getresponse()
            return answer.status, answer.getheader("content-type"), json.loads(answer.read())
        finally:
            connection.close()


def assert_predicted(answer: dict[str, Any], trained: Trained) -> None:
    """The answer to the sample request, whole; probabilities as near as two processors' rounding lets them be."""
    probabilities = answer.pop("probabilities")
    assert answer == {"predictions": ["setosa", "virginica"], "model": trained.named}
    assert [list(row) for row in probabilities] == [CLASSES, CLASSES]
    expected = trained.chances(ROWS)
    assert [list(row.values()) for row in probabilities] == [
        pytest.approx(list(row.values()), abs=1e-9) for row in expected
    ]


def public(trained: Trained) -> dict[str, Any]:
    """What `GET /model` shows of the manifest."""
    shown = ["name", "version", "created", "task", "features", "target", "classes", "metrics", "libraries"]
    return {name: trained.manifest[name] for name in shown} | {"engine": trained.manifest["engine"]["name"]}


def fresh(answer: dict[str, Any]) -> dict[str, Any]:
    """`GET /model` without how the model is kept up to date, which must be as the template sets it."""
    refresh = answer.pop("refresh")
    assert datetime.fromisoformat(refresh.pop("checked")).tzinfo
    assert refresh == {"seconds": 60, "error": None}
    return answer


def of_proxy(returned: dict[str, Any]) -> Any:
    """The body of an answer in API Gateway's form, whose other parts must be those of a success."""
    body = json.loads(returned.pop("body"))
    assert returned == OK
    return body


@pytest.mark.parametrize("event", ["http-api", "rest-api", "function-url"])
def test_a_sample_request_through_a_gateway_is_predicted(
    sam: Sam, trained: Trained, predict_user: Credentials, event: str
) -> None:
    assert_predicted(of_proxy(sam.invoke("PredictFunction", event, predict_user)), trained)


@pytest.mark.parametrize(
    ("event", "headers"),
    [("load-balancer", {"headers": {"content-type": "application/json"}}),
     ("load-balancer-multi-value", {"multiValueHeaders": {"content-type": ["application/json"]}})],
)  # fmt: skip
def test_a_sample_request_through_a_load_balancer_is_predicted(
    sam: Sam, trained: Trained, predict_user: Credentials, event: str, headers: dict[str, Any]
) -> None:
    answer = sam.invoke("PredictFunction", event, predict_user)
    assert_predicted(json.loads(answer.pop("body")), trained)
    assert answer == {"statusCode": 200, "statusDescription": "200 OK", "isBase64Encoded": False, **headers}


def test_a_sample_direct_call_gets_what_http_has_as_its_body(
    sam: Sam, trained: Trained, predict_user: Credentials
) -> None:
    assert_predicted(sam.invoke("PredictFunction", "direct", predict_user), trained)


def test_the_sample_request_for_the_model_gets_the_manifests_public_part(
    sam: Sam, trained: Trained, predict_user: Credentials
) -> None:
    assert fresh(of_proxy(sam.invoke("PredictFunction", "http-api-model", predict_user))) == public(trained)


def test_the_sample_ping_is_answered_with_the_model_that_is_ready(
    sam: Sam, trained: Trained, predict_user: Credentials
) -> None:
    answer = of_proxy(sam.invoke("PredictFunction", "http-api-ping", predict_user))
    assert answer == {"ready": True, "model": trained.named}


@pytest.fixture(scope="module")
def batch_user(docker_minio: DockerMinio, buckets: tuple[str, str]) -> Credentials:
    """A user who may do what the template lets batch do."""
    return docker_minio.host.user(policies("BatchFunction", *buckets))


@pytest.fixture
def drops(docker_minio: DockerMinio, buckets: tuple[str, str]) -> Iterator["Drops"]:
    """The drop bucket, empty, in the hands of the person who drops files."""
    _, bucket = buckets
    with docker_minio.host.client(docker_minio.host.user(allow_s3(bucket))) as s3:
        found = Drops(s3, bucket)
        found.empty()
        yield found


@dataclass(frozen=True, slots=True)
class Drops:
    """One bucket, seen through boto3 as by any other program."""

    s3: Any
    bucket: str

    def empty(self) -> None:
        for key in self.keys():
            self.s3.delete_object(Bucket=self.bucket, Key=key)

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def get(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def head(self, key: str) -> dict[str, Any]:
        """As a summary describes an object that is its input."""
        found = self.s3.head_object(Bucket=self.bucket, Key=key)
        return {
            "key": key,
            "etag": found["ETag"],
            "last_modified": found["LastModified"].isoformat(timespec="microseconds"),
            "version_id": found["VersionId"],
            "bytes": found["ContentLength"],
        }

    def keys(self) -> list[str]:
        return [found["Key"] for found in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])]


def test_the_file_all_sample_storage_events_speak_of_is_scored_once(
    sam: Sam, trained: Trained, batch_user: Credentials, drops: Drops
) -> None:
    drops.put(DROP, IRIS)
    rows = {"input": 150, "scored": 150, "rejected": 0, "blank": 0}

    assert sam.invoke("BatchFunction", "s3-put", batch_user) == {
        "records": [{"key": DROP, "status": "scored", "reason": None, "rows": rows}]
    }

    header, *lines = IRIS.splitlines()
    found = trained.pipeline.predict(pd.read_csv(io.BytesIO(IRIS))[FEATURES])
    labels = [str(label).encode() for label in found]
    expected = [header + b",prediction", *(b"%b,%b" % pair for pair in zip(lines, labels, strict=True))]
    assert drops.get(SCORED).splitlines() == expected

    summary = json.loads(drops.get(f"{SCORED}.summary.json"))
    scored = drops.head(SCORED)
    assert set(summary.pop("features")) == set(FEATURES)
    assert datetime.fromisoformat(summary.pop("started")).tzinfo is not None
    assert summary.pop("seconds") > 0
    assert summary == {
        "status": "scored",
        "reason": None,
        "message": None,
        "input": drops.head(DROP),
        "model": trained.named | {"engine": trained.manifest["engine"]["name"]},
        "rows": rows,
        "rejected_by_reason": {},
        "warnings": {},
        "outputs": {"scored": {name: scored[name] for name in ("key", "etag", "bytes")}, "rejected": None},
        "predictions": {"classes": {name: labels.count(name.encode()) for name in CLASSES}},
    }
    assert drops.keys() == [DROP, SCORED, f"{SCORED}.summary.json"]

    done = {"key": DROP, "status": "already_done", "reason": "this drop was scored before", "rows": rows}
    for event in ("s3-put-minio", "s3-by-sns", "s3-by-eventbridge", "task"):
        assert sam.invoke("BatchFunction", event, batch_user) == {"records": [done]}
    for event in ("s3-by-sqs", "s3-by-sns-by-sqs"):
        assert sam.invoke("BatchFunction", event, batch_user) == {"batchItemFailures": []}


def test_the_sample_steps_score_their_file_in_parts_and_giving_up_after_that_changes_nothing(
    sam: Sam, trained: Trained, docker_minio: DockerMinio, buckets: tuple[str, str], drops: Drops, tmp_path: Path
) -> None:
    user = docker_minio.host.user(policies("FanOutFunction", *buckets))
    drops.put(DROP, IRIS)
    planned = sam.invoke("FanOutFunction", "step-plan", user)
    version = trained.manifest["version"]
    assert planned == {"key": DROP, "status": "planned", "drop": planned["drop"], "parts": [0], "version": version}

    def of_this_drop(name: str) -> Path:
        event = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps({**event, "drop": planned["drop"]}), encoding="utf-8")
        return file

    rows = {"input": 150, "scored": 150, "rejected": 0, "blank": 0}
    assert sam.invoke("FanOutFunction", of_this_drop("step-part"), user) == {"key": DROP, "part": 0}
    finished = {"key": DROP, "status": "scored", "reason": None, "rows": rows}
    assert sam.invoke("FanOutFunction", of_this_drop("step-finish"), user) == finished
    assert sam.invoke("FanOutFunction", of_this_drop("step-abort"), user) == finished
    assert drops.keys() == [DROP, SCORED, f"{SCORED}.summary.json"]
    assert len(drops.get(SCORED).splitlines()) == 151


def test_the_sample_steps_of_retraining_judge_a_version_promote_it_and_say_why_a_job_failed(
    docker: str,
    training_image: str,
    sam: Sam,
    trained: Trained,
    docker_minio: DockerMinio,
    buckets: tuple[str, str],
    tmp_path: Path,
) -> None:
    models, _ = buckets
    trainer = docker_minio.host.user(allow_s3(models))
    user = docker_minio.host.user(policies("ReleaseFunction", *buckets))
    run = json.loads((EVENTS / "release-gate.json").read_text(encoding="utf-8"))["run"]
    train(docker, training_image, docker_minio, trainer, models, "--evidence", run)
    alias = "models/iris/aliases/live.json"
    with docker_minio.host.client(trainer) as s3:
        before = s3.get_object(Bucket=models, Key=alias)["Body"].read()
        judged = sam.invoke("ReleaseFunction", "release-gate", user)
        assert (judged["decision"], judged["live"]) == ("passed", trained.manifest["version"])
        event = json.loads((EVENTS / "release-promote.json").read_text(encoding="utf-8"))
        promote = tmp_path / "promote.json"
        promote.write_text(json.dumps({**event, "seen": judged["seen"]}), encoding="utf-8")
        try:
            promoted = sam.invoke("ReleaseFunction", promote, user)
            now = json.loads(s3.get_object(Bucket=models, Key=alias)["Body"].read())
        finally:
            s3.put_object(Bucket=models, Key=alias, Body=before)  # what the other tests know
    assert (promoted["decision"], promoted["version"]) == ("promoted", judged["version"])
    assert (now["version"], now["previous"]) == (judged["version"], trained.manifest["version"])
    told = sam.invoke("ReleaseFunction", "release-explain", user)["notice"]
    assert told["subject"] == "iris: retraining failed"
    assert "AlgorithmError: error: there is no column 'colour' for --target, exit code: 2\n" in told["message"]


@pytest.mark.usefixtures("trained")  # batch loads its model when it starts, whatever the event
def test_the_sample_test_event_is_acknowledged(sam: Sam, batch_user: Credentials) -> None:
    assert sam.invoke("BatchFunction", "s3-test", batch_user) == {
        "records": [{"key": None, "status": "ignored", "reason": "it is S3's test event", "rows": None}]
    }


def test_no_sample_event_is_left_out_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert not [file.stem for file in EVENTS.iterdir() if f'"{file.stem}"' not in text and f'"{file.name}"' not in text]


def test_http_requests_through_sams_api_are_answered_as_by_api_gateway(api: Api) -> None:
    rows = {"instances": [ROWS[0], dict(zip(FEATURES, ROWS[1], strict=True))]}
    status, content_type, answer = api.call("POST", "/predict", rows)
    assert (status, content_type) == (200, "application/json")
    assert_predicted(answer, api.model)
    status, content_type, answer = api.call("GET", "/model")
    assert (status, content_type, fresh(answer)) == (200, "application/json", public(api.model))
    assert api.call("GET", "/ping/") == (200, "application/json", {"ready": True, "model": api.model.named})


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        ("GET", "/", None, 404, {
            "code": "not_found",
            "message": "there is nothing at /; there is /predict, /model, /ping, /invocations, /health, /version, /v2, "
            "/openapi.json, /schema, /docs",
            "details": [],
        }),
        ("DELETE", "/predict", None, 405, {
            "code": "method_not_allowed",
            "message": "/predict takes POST, OPTIONS, not DELETE",
            "details": [],
        }),
        ("POST", "/predict", "{", 400, {
            "code": "invalid_body",
            "message": "the body is not JSON: Expecting property name enclosed in double quotes, line 1, column 2",
            "details": [],
        }),
        ("POST", "/predict", {"instances": [ROWS[0], [6.3, 3.3, 6.0, "abc"]]}, 400, {
            "code": "invalid_rows",
            "message": "1 of 2 rows cannot be scored",
            "details": [{"row": 1, "column": "petal_width", "found": "abc", "expected": "a number"}],
        }),
    ],
)  # fmt: skip
def test_a_clients_mistake_through_sams_api_is_told_what_was_wrong(
    api: Api, method: str, path: str, body: Any, status: int, error: dict[str, Any]
) -> None:
    assert api.call(method, path, body) == (status, "application/json", {"error": error})
