"""The images that are deployed: what they hold, whom they run as, and that training in one publishes a model."""

import json
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docker_minio import DockerMinio
from tests.minio_server import Credentials, allow_s3

PROJECT = Path(__file__).parent.parent.parent
# As on Lambda: nothing can be written but /tmp, the user is nobody in particular.
LAMBDA_LIKE = ("--read-only", "--tmpfs", "/tmp", "--user", "12345:12345", "--cap-drop", "ALL")  # noqa: S108 - inside

INSPECTION = """
import importlib.util, json, pathlib, shutil, sys
ROOTS = ("/opt/python", "/opt/project")
sources = [p for root in ROOTS for p in pathlib.Path(root).rglob("*.py") if "-" not in p.parent.name]
compiled = {}
for source in sources:
    cached = pathlib.Path(importlib.util.cache_from_source(str(source)))
    compiled[str(source)] = cached.read_bytes()[4:8] if cached.exists() else None
print(json.dumps({
    "tools": [t for t in ("pip", "pip3", "gcc", "cc", "g++", "make", "ld") if shutil.which(t)],
    "pip": importlib.util.find_spec("pip") is not None,
    "not compiled": [path for path, flags in compiled.items() if flags != b"\\x01\\x00\\x00\\x00"],
    "modules": len(sources) > 1000,
    "packages without licence or metadata": [
        str(p) for p in pathlib.Path("/opt/python").glob("*.dist-info") if not (p / "METADATA").exists()
    ],
    "can write": [str(p) for root in ROOTS for p in pathlib.Path(root).rglob("*") if p.stat().st_mode & 0o022],
}))
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who trains: a bucket, a user who may use it and nothing else, docker's arguments to act as that user."""

    bucket: str
    credentials: Credentials
    arguments: tuple[str, ...]


@pytest.fixture
def trainer(docker_minio: DockerMinio) -> Person:
    """A new person with an empty bucket."""
    bucket = docker_minio.host.bucket(f"train-{secrets.token_hex(6)}", versioned=True)
    credentials = docker_minio.host.user(allow_s3(bucket))
    settings = docker_minio.environment(credentials).items()
    given = [part for name, value in settings for part in ("--env", f"{name}={value}")]
    return Person(bucket, credentials, ("--network", docker_minio.network, *given))


def train(docker: str, image: str, person: Person, file: str) -> subprocess.CompletedProcess[str]:
    """Fits a file of data/ in the training container, which can write to nothing but /tmp."""
    return subprocess.run(
        [docker, "run", "--rm", "--read-only", "--tmpfs", "/tmp",  # noqa: S108 - inside
         "--volume", f"{PROJECT / 'data'}:/data:ro", *person.arguments, image,
         "fit", file, "--target", "species", "--name", "iris", "--store", f"s3://{person.bucket}"],
        capture_output=True, text=True,
    )  # fmt: skip


def test_the_training_image_holds_no_pip_no_compiler_and_nothing_that_others_can_change(
    docker: str, training_image: str
) -> None:
    ran = subprocess.run(
        [docker, "run", "--rm", "--network", "none", *LAMBDA_LIKE, "--entrypoint", "python3", training_image,
         "-c", INSPECTION],
        capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "tools": [],
        "pip": False,
        "not compiled": [],
        "modules": True,
        "packages without licence or metadata": [],
        "can write": [],
    }


def test_the_function_image_started_by_hand_says_what_it_is_for(docker: str, function_image: str) -> None:
    ran = subprocess.run([docker, "run", "--rm", *LAMBDA_LIKE, function_image], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (
        2,
        "",
        "nothing to serve: AWS_LAMBDA_RUNTIME_API is unset (Lambda, SAM and compose set it); "
        "to score a file: score <model> <file>\n",
    )


def test_the_training_image_does_not_run_as_root(docker: str, training_image: str) -> None:
    ran = subprocess.run(
        [docker, "run", "--rm", "--entrypoint", "id", training_image, "-u"], capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout) == (0, "65532\n")


def test_what_training_in_its_container_publishes_to_minio_the_function_image_scores_with(
    docker: str, training_image: str, function_image: str, docker_minio: DockerMinio, trainer: Person
) -> None:
    trained = train(docker, training_image, trainer, "iris.csv")
    assert trained.returncode == 0, f"{trained.stdout}\n{trained.stderr}"
    with docker_minio.host.client(trainer.credentials) as s3:
        alias = json.loads(s3.get_object(Bucket=trainer.bucket, Key="models/iris/aliases/live.json")["Body"].read())
        folder = f"models/iris/versions/{alias['version']}/"
        manifest = json.loads(s3.get_object(Bucket=trainer.bucket, Key=f"{folder}manifest.json")["Body"].read())
        listed = s3.list_objects_v2(Bucket=trainer.bucket, Prefix=folder)["Contents"]
    assert alias["version"] in trained.stdout
    assert manifest["version"] == alias["version"]
    assert manifest["classes"] == ["setosa", "versicolor", "virginica"]
    assert {f"{folder}manifest.json", f"{folder}model.joblib"} <= {entry["Key"] for entry in listed}

    rows = "petal_width,sepal_length,petal_length,sepal_width\r\n0.2,5.10,1.4,3.5\r\n2.5,6.3,6.0,3.3\r\n"
    scored = subprocess.run(
        [docker, "run", "--rm", "--interactive", *LAMBDA_LIKE, *trainer.arguments, function_image,
         "score", "--model", f"s3://{trainer.bucket}", "--name", "iris", "-"],
        input=rows.encode(), capture_output=True,
    )  # fmt: skip
    assert scored.returncode == 0, scored.stderr.decode()
    header, *lines = rows.splitlines()
    answers = [f"{line},{label}" for line, label in zip(lines, ["setosa", "virginica"], strict=True)]
    assert scored.stdout.decode() == "\r\n".join([f"{header},prediction", *answers, ""])


def test_training_in_its_container_refuses_a_file_that_is_not_there_and_publishes_nothing(
    docker: str, training_image: str, docker_minio: DockerMinio, trainer: Person
) -> None:
    ran = train(docker, training_image, trainer, "nowhere.csv")
    with docker_minio.host.client(trainer.credentials) as s3:
        published = s3.list_objects_v2(Bucket=trainer.bucket)["KeyCount"]
    assert (ran.returncode, ran.stdout, published) == (2, "", 0)
    assert "nowhere.csv" in ran.stderr
    assert "Traceback" not in ran.stderr
