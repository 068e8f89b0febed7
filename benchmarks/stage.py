"""What the contestants are measured on: a model trained on iris, in a bucket of a real MinIO. It starts none."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.minio_server import Credentials, Minio, allow_s3, running

PROJECT = Path(__file__).parent.parent
BUCKET = "models"
MODEL = "iris"


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
        yield Stage(minio.environment(user), _live_version(minio, user))


def _train(environment: dict[str, str]) -> None:
    data = ["data/iris.csv", "--target", "species"]
    command = [sys.executable, "-m", "training", "fit", *data, "--name", MODEL, "--store", f"s3://{BUCKET}"]
    subprocess.run(command, cwd=PROJECT, env=environment, check=True, stdout=subprocess.DEVNULL)


def _live_version(minio: Minio, user: Credentials) -> str:
    with minio.client(user) as client:
        body = client.get_object(Bucket=BUCKET, Key=f"models/{MODEL}/aliases/live.json")["Body"].read()
    return str(json.loads(body)["version"])
