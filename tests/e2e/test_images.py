"""The images that are deployed: what they hold, whom they run as, and that training in one publishes a model."""

import json
import secrets
import subprocess
from pathlib import Path

import pytest

from tests.docker_minio import DockerMinio
from tests.minio_server import Credentials, allow_s3

PROJECT = Path(__file__).parent.parent.parent
# As on Lambda: nothing can be written but /tmp, the user is nobody in particular.
LAMBDA_LIKE = ("--read-only", "--tmpfs", "/tmp", "--user", "12345:12345", "--cap-drop", "ALL")  # noqa: S108 - inside

INSPECTION = """
import importlib.util, json, pathlib, shutil, sys
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


@pytest.fixture
def trainer(docker_minio: DockerMinio) -> tuple[str, Credentials]:
    """A bucket, and a user who may use it and nothing else."""
    bucket = docker_minio.host.bucket(f"train-{secrets.token_hex(6)}", versioned=True)
    return bucket, docker_minio.host.user(allow_s3(bucket))


@pytest.mark.parametrize(("image", "code"), [("function_image", "/var/task"), ("training_image", "/opt/project")])
def test_an_image_holds_no_pip_no_compiler_and_nothing_that_others_can_change(
    docker: str, image: str, code: str, request: pytest.FixtureRequest
) -> None:
    script = f"ROOTS = ('/opt/python', {code!r})\n{INSPECTION}"
    ran = subprocess.run(
        [docker, "run", "--rm", "--network", "none", *LAMBDA_LIKE, "--entrypoint", "python3",
         request.getfixturevalue(image), "-c", script],
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


def test_the_function_image_imports_all_it_serves_with_as_any_user_on_a_read_only_root(
    docker: str, function_image: str
) -> None:
    script = "import awslambdaric, joblib, msgspec, obstore, pandas, sklearn.decomposition, sklearn.linear_model"
    ran = subprocess.run(
        [docker, "run", "--rm", "--network", "none", *LAMBDA_LIKE, "--entrypoint", "python3", function_image,
         "-W", "error", "-c", script],
        capture_output=True, text=True,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_the_function_image_started_by_hand_says_what_it_is_for(docker: str, function_image: str) -> None:
    ran = subprocess.run([docker, "run", "--rm", *LAMBDA_LIKE, function_image], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (
        2,
        "",
        "nothing to serve: AWS_LAMBDA_RUNTIME_API is unset (Lambda, SAM and compose set it); "
        "to score a file: score <file> ...\n",
    )


def test_the_training_image_does_not_run_as_root(docker: str, training_image: str) -> None:
    ran = subprocess.run(
        [docker, "run", "--rm", "--entrypoint", "id", training_image, "-u"], capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout) == (0, "65532\n")


def test_training_in_its_container_publishes_a_model_to_minio(
    docker: str, training_image: str, docker_minio: DockerMinio, trainer: tuple[str, Credentials]
) -> None:
    bucket, credentials = trainer
    settings = [
        part for key, value in docker_minio.environment(credentials).items() for part in ("--env", f"{key}={value}")
    ]
    ran = subprocess.run(
        [docker, "run", "--rm", "--read-only", "--tmpfs", "/tmp",  # noqa: S108 - inside
         "--network", docker_minio.network, "--volume", f"{PROJECT / 'data'}:/data:ro", *settings, training_image,
         "fit", "iris.csv", "--target", "species", "--name", "iris", "--store", f"s3://{bucket}"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    with docker_minio.host.client(credentials) as s3:
        alias = json.loads(s3.get_object(Bucket=bucket, Key="models/iris/aliases/live.json")["Body"].read())
        folder = f"models/iris/versions/{alias['version']}/"
        manifest = json.loads(s3.get_object(Bucket=bucket, Key=f"{folder}manifest.json")["Body"].read())
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=folder)["Contents"]
    assert alias["version"] in ran.stdout
    assert manifest["version"] == alias["version"]
    assert manifest["classes"] == ["setosa", "versicolor", "virginica"]
    assert {f"{folder}manifest.json", f"{folder}model.joblib"} <= {entry["Key"] for entry in listed}


def test_training_in_its_container_refuses_a_file_that_is_not_there_and_publishes_nothing(
    docker: str, training_image: str, docker_minio: DockerMinio, trainer: tuple[str, Credentials]
) -> None:
    bucket, credentials = trainer
    settings = [
        part for key, value in docker_minio.environment(credentials).items() for part in ("--env", f"{key}={value}")
    ]
    ran = subprocess.run(
        [docker, "run", "--rm", "--read-only", "--tmpfs", "/tmp",  # noqa: S108 - inside
         "--network", docker_minio.network, *settings, training_image,
         "fit", "nowhere.csv", "--target", "species", "--name", "iris", "--store", f"s3://{bucket}"],
        capture_output=True, text=True,
    )  # fmt: skip
    with docker_minio.host.client(credentials) as s3:
        published = s3.list_objects_v2(Bucket=bucket)["KeyCount"]
    assert (ran.returncode, ran.stdout, published) == (2, "", 0)
    assert "nowhere.csv" in ran.stderr
    assert "Traceback" not in ran.stderr
