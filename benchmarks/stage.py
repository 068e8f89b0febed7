"""What the contestants are measured on: a model trained on iris, in a bucket of a real MinIO. It starts none."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from functions.registry.manifest import Engine, decode, encode
from tests.minio_server import allow_s3, running
from training.publication import TOLERANCE

PROJECT = Path(__file__).parent.parent
BUCKET = "models"
MODEL = "iris"
BY_JOBLIB = "iris-by-joblib"  # the same pipeline, published as one that has no twin


@dataclass(frozen=True, slots=True)
class Stage:
    """environment: the variables that lead to the bucket; version: the one that the alias `live` names."""

    environment: dict[str, str]
    version: str

    @property
    def pickle(self) -> str:
        """The key of the fitted pipeline."""
        return f"models/{MODEL}/versions/{self.version}/model.joblib"


@contextmanager
def staged() -> Iterator[Stage]:
    """A server with one model in it, as `python -m training` publishes it."""
    found = subprocess.run([PROJECT / ".ci" / "find-minio"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        raise SystemExit("there is no MinIO server; run: make provision")
    with tempfile.TemporaryDirectory() as folder, running(Path(found.stdout.strip()), Path(folder)) as minio:
        minio.bucket(BUCKET)
        user = minio.user(allow_s3(BUCKET))
        _train(minio.environment(user))
        with minio.client(user) as client:
            yield Stage(minio.environment(user), _publish_without_twin(client))


def _train(environment: dict[str, str]) -> None:
    data = ["data/iris.csv", "--target", "species"]
    command = [sys.executable, "-m", "training", "fit", *data, "--name", MODEL, "--store", f"s3://{BUCKET}"]
    subprocess.run(command, cwd=PROJECT, env=environment, check=True, stdout=subprocess.DEVNULL)


def _publish_without_twin(client: Any) -> str:
    """Gives the live version its second name, under which scikit-learn serves it. The version."""

    def get(key: str) -> bytes:
        body: bytes = client.get_object(Bucket=BUCKET, Key=f"models/{key}")["Body"].read()
        return body

    alias = get(f"{MODEL}/aliases/live.json")
    version = str(json.loads(alias)["version"])
    folder = f"versions/{version}"
    found = decode(get(f"{MODEL}/{folder}/manifest.json"))
    manifest = msgspec.structs.replace(
        found,
        name=BY_JOBLIB,
        artifacts=[artifact for artifact in found.artifacts if artifact.key == "model.joblib"],
        engine=Engine("joblib", TOLERANCE, reason="to be compared with its twin"),
    )
    pickle = get(f"{MODEL}/{folder}/model.joblib")
    for key, body in {
        f"{folder}/model.joblib": pickle,
        f"{folder}/manifest.json": encode(manifest),
        "aliases/live.json": alias,
    }.items():
        client.put_object(Bucket=BUCKET, Key=f"models/{BY_JOBLIB}/{key}", Body=body)
    return version
