"""MinIO in a container on a Docker network, for tests whose other parts are containers too. It knows no test."""

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.minio_server import REGION, Credentials, Minio, wait_until_ready

RELEASE_FILE = Path(__file__).parent.parent / ".ci" / "minio-release"
INSIDE = "http://minio:9000"


@dataclass(frozen=True, slots=True)
class DockerMinio:
    """`network` is where containers find the server as `http://minio:9000`; `host` is the same server from here."""

    network: str
    host: Minio

    def environment(self, credentials: Credentials) -> dict[str, str]:
        """The AWS_* variables with which a container on the network acts as this user."""
        return {**self.host.environment(credentials), "AWS_ENDPOINT_URL": INSIDE}


def minio_image() -> str:
    """The image that compose starts, which `make provision` pulls or makes."""
    return f"minio/minio:{RELEASE_FILE.read_text().split()[0]}"


@contextmanager
def running_in_docker(docker: str, name: str) -> Iterator[DockerMinio]:
    """Runs MinIO in a container `name` on a network `name`; both are removed at the end."""
    image = minio_image()
    if subprocess.run([docker, "image", "inspect", image], capture_output=True).returncode != 0:
        pytest.skip(f"there is no image {image}; run: make provision")
    root = Credentials(secrets.token_hex(10), secrets.token_hex(20))
    _must(docker, "network", "create", name)
    try:
        settings = {
            "MINIO_ROOT_USER": root.access_key,
            "MINIO_ROOT_PASSWORD": root.secret_key,
            "MINIO_BROWSER": "off",
            "MINIO_REGION": REGION,
        }
        environment = [part for key, value in settings.items() for part in ("--env", f"{key}={value}")]
        _must(
            docker, "run", "--detach", "--rm", "--name", name, "--network", name, "--network-alias", "minio",
            "--publish", "127.0.0.1::9000", *environment, image, "server", "/data",
        )  # fmt: skip
        try:
            address = _must(docker, "port", name, "9000/tcp").split()[0]
            endpoint = f"http://{address}"
            wait_until_ready(endpoint, lambda: _must(docker, "logs", name))
            yield DockerMinio(name, Minio(endpoint, root))
        finally:
            _must(docker, "rm", "--force", "--volumes", name)
    finally:
        _must(docker, "network", "rm", name)


def _must(docker: str, *arguments: str) -> str:
    done = subprocess.run([docker, *arguments], capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"docker {' '.join(arguments[:2])} failed: {done.stderr.strip()}")
    return done.stdout
