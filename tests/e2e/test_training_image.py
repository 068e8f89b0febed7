"""The training image as its platforms run it: SageMaker's contract, an ECS task's keys, a stop in the fit."""

import json
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from functions import loader
from functions.registry.folder import FolderStore
from functions.registry.manifest import decode
from tests.docker_minio import DockerMinio
from tests.e2e.conftest import built
from tests.minio_server import allow_s3
from tests.template import RETRAINING, Stack, role_policies, translated

PROJECT = Path(__file__).parent.parent.parent
IRIS = PROJECT / "data" / "iris.csv"


@pytest.fixture(scope="module")
def sagemaker_image(docker: str) -> str:
    """The id of the training image as SageMaker needs it."""
    return built(docker, "Dockerfile.train", "--target", "sagemaker")


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: str
    err: str
    files: dict[str, bytes]
    """What lies under /opt/ml/model and /opt/ml/output afterwards, by path."""


def job(docker: str, image: str, folder: Path, hyperparameters: object, *options: str, **files: bytes) -> Ended:
    """Runs one training job as SageMaker does: `docker run <image> train` over /opt/ml, which belongs to root.

    options: of `docker run`; without any it has no network. files: what lies in the channel, by name; `_` stands for
    the dot.
    """
    root = folder / "ml"
    (root / "input" / "config").mkdir(parents=True)
    (root / "input" / "config" / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    (root / "input" / "data" / "train").mkdir(parents=True)
    for name, body in files.items():
        (root / "input" / "data" / "train" / name.replace("_", ".")).write_bytes(body)
    for name in ("model", "output"):
        (root / name).mkdir(mode=0o755)
    ran = subprocess.run(
        [docker, "run", "--rm", *(options or ("--network", "none")), "--volume", f"{root}:/opt/ml", image, "train"],
        capture_output=True, text=True,
    )  # fmt: skip
    found = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for part in ("model", "output")
        for path in (root / part).rglob("*")
        if path.is_file()
    }
    shutil.rmtree(root)  # it belongs to the container's user
    return Ended(ran.returncode, ran.stdout, ran.stderr, found)


def test_a_sagemaker_job_leaves_a_model_with_its_twin_and_a_manifest_that_vouches_for_both(
    docker: str, sagemaker_image: str, tmp_path: Path
) -> None:
    header, *rows = IRIS.read_text().splitlines(keepends=True)
    hyperparameters = {"target": '"species"', "name": "iris", "min_score": "0.9", "sagemaker_region": '"eu-central-1"'}
    half = ["".join([header, *rows[start::2]]).encode() for start in (0, 1)]
    ended = job(docker, sagemaker_image, tmp_path, hyperparameters, first_csv=half[0], second_csv=half[1])
    assert (ended.code, ended.err) == (0, "")
    assert set(ended.files) >= {"model/model.joblib", "model/model.onnx", "model/model.manifest.json"}
    assert not any(name.startswith("output/") for name in ended.files)
    manifest = decode(ended.files["model/model.manifest.json"])
    store = FolderStore(tmp_path / "fetched")
    for artifact in manifest.artifacts:
        store.put(artifact.key, ended.files[f"model/{artifact.key}"])
    model = loader.load_from(store, "", manifest)
    assert (model.name, manifest.data.rows, manifest.engine.name) == ("iris", 150, "onnx")


def test_a_job_of_retraining_publishes_by_the_templates_role_and_leaves_its_evidence_and_nothing_in_the_archive(
    docker: str, sagemaker_image: str, docker_minio: DockerMinio, tmp_path: Path
) -> None:
    minio = docker_minio.host
    models, drops = (minio.bucket(f"{name}-{secrets.token_hex(6)}") for name in ("models", "drops"))
    states = Stack(translated(), RETRAINING).properties("RetrainingMachine")["Definition"]["States"]
    asked = {name: value for name, value in states["Name"]["Parameters"]["asked"].items() if not name.endswith(".$")}
    given = docker_minio.environment(minio.user(role_policies("TrainingRole", models, drops)))
    environment = [part for name, value in given.items() for part in ("--env", f"{name}={value}")]
    ended = job(
        docker, sagemaker_image, tmp_path, {**asked, "store": f"s3://{models}", "evidence": "job-1"},
        "--network", docker_minio.network, *environment, table_csv=IRIS.read_bytes(),
    )  # fmt: skip
    assert (ended.code, ended.err, ended.files) == (0, "", {})
    with minio.client(minio.root) as s3:
        evidence = json.loads(s3.get_object(Bucket=models, Key="models/iris/evidence/job-1.json")["Body"].read())
        there = [one["Key"] for one in s3.list_objects_v2(Bucket=models)["Contents"]]
    assert f"models/iris/versions/{evidence['version']}/manifest.json" in there
    assert not [key for key in there if "/aliases/" in key]


@pytest.mark.parametrize(
    ("hyperparameters", "code", "reason"),
    [
        ({"target": "colour"}, 2, "there is no column 'colour' for --target"),
        ({"target": "species", "colour": "red"}, 2, "error: there is no hyperparameter 'colour'; there are "),
        ({"target": "species", "min-score": "1.01"}, 3, "less than the 1.01 of --min-score"),
    ],
)
def test_a_sagemaker_job_that_fails_says_why_in_the_failure_file(
    docker: str, sagemaker_image: str, tmp_path: Path, hyperparameters: dict[str, str], code: int, reason: str
) -> None:
    ended = job(docker, sagemaker_image, tmp_path, hyperparameters, table_csv=IRIS.read_bytes())
    told = ended.files["output/failure"].decode()
    assert (ended.code, ended.err) == (code, f"{told}\n")
    assert reason in told
    assert "Traceback" not in ended.err


def test_an_ecs_task_gets_its_credentials_where_the_platform_says(
    docker: str, training_image: str, docker_minio: DockerMinio, tmp_path: Path
) -> None:
    """At 169.254.170.2, under the path that ECS names in AWS_CONTAINER_CREDENTIALS_RELATIVE_URI."""
    minio = docker_minio.host
    bucket = minio.bucket(f"ecs-{secrets.token_hex(6)}")
    (tmp_path / "v2").mkdir()
    given = minio.temporary(minio.user(allow_s3(bucket)))
    (tmp_path / "v2" / "credentials").write_text(json.dumps(given))
    tmp_path.chmod(0o755)
    with minio.client(minio.root) as s3:
        s3.upload_file(str(IRIS), bucket, "tables/iris.csv")
        with _platform(docker, training_image, docker_minio, tmp_path) as name:
            ran = subprocess.run(
                [docker, "run", "--rm", "--read-only", "--tmpfs", "/tmp",  # noqa: S108 - inside
                 "--network", f"container:{name}", "--env", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials",
                 "--env", "AWS_ENDPOINT_URL=http://minio:9000", "--env", "AWS_REGION=us-east-1", training_image,
                 "fit", f"s3://{bucket}/tables/iris.csv", "--target", "species", "--name", "iris",
                 "--store", f"s3://{bucket}"],
                capture_output=True, text=True,
            )  # fmt: skip
        assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
        alias = json.loads(s3.get_object(Bucket=bucket, Key="models/iris/aliases/live.json")["Body"].read())
    assert alias["version"] in ran.stdout


def test_a_container_that_is_stopped_in_the_fit_ends_at_once_with_nothing_published(
    docker: str, training_image: str, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    rows = pd.DataFrame(random.normal(size=(60_000, 20)), columns=[f"x{number}" for number in range(20)])
    rows["y"] = random.integers(0, 4, len(rows))
    rows.to_csv(tmp_path / "table.csv", index=False)
    store = tmp_path / "store"
    store.mkdir()
    store.chmod(0o777)
    name = f"stopped-{secrets.token_hex(4)}"
    command = [
        docker, "run", "--name", name, "--read-only", "--tmpfs", "/tmp",  # noqa: S108 - inside
        "--volume", f"{tmp_path}/table.csv:/data/table.csv:ro", "--volume", f"{store}:/store", training_image,
        "fit", "table.csv", "--target", "y", "--name", "m", "--store", "/store",
    ]  # fmt: skip
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            while not process.stdout.readline().startswith("fitting"):
                assert process.poll() is None
            began = time.monotonic()
            subprocess.run([docker, "stop", "--time", "120", name], check=True, capture_output=True)
            waited = time.monotonic() - began
            _, err = process.communicate()
        assert (process.returncode, err) == (143, "stopped; nothing was published\n")
        assert waited < 120, "it was killed, which is what a container gets that does not listen"
        assert [path for path in store.rglob("*") if path.is_file() and path.name != "lock"] == []
    finally:
        subprocess.run([docker, "rm", "--force", name], capture_output=True, check=False)


@contextmanager
def _platform(docker: str, image: str, docker_minio: DockerMinio, folder: Path) -> Iterator[str]:
    """A container in whose network a task runs, and which gives it credentials as ECS's agent does."""
    name = f"platform-{secrets.token_hex(4)}"
    _must(docker, "network", "create", "--subnet", "169.254.170.0/24", name)
    try:
        _must(
            docker, "run", "--detach", "--rm", "--name", name, "--network", name, "--ip", "169.254.170.2",
            "--user", "0", "--volume", f"{folder}/v2:/credentials/v2:ro", "--entrypoint", "python3", image,
            "-m", "http.server", "--directory", "/credentials", "80",
        )  # fmt: skip
        try:
            _must(docker, "network", "connect", docker_minio.network, name)
            yield name
        finally:
            _must(docker, "rm", "--force", name)
    finally:
        _must(docker, "network", "rm", name)


def _must(docker: str, *arguments: str) -> None:
    done = subprocess.run([docker, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, f"docker {' '.join(arguments[:2])}: {done.stderr}"
