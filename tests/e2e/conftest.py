"""The images as Docker builds them, and MinIO on a network that containers share. It knows no test."""

import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker_minio import DockerMinio, running_in_docker

PROJECT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is committed, cloned, with the environments that are installed already."""
    folder = tmp_path_factory.mktemp("readme") / "serverless-sklearn"
    subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(folder)], check=True)
    for environment in (".venv", ".venv-sam"):
        if (PROJECT / environment).exists():
            (folder / environment).symlink_to(PROJECT / environment)
    return folder


@pytest.fixture(scope="session")
def function_image(docker: str) -> str:
    """The id of the function image, built from this tree."""
    return built(docker, "Dockerfile.lambda")


@pytest.fixture(scope="session")
def slim_image(docker: str) -> str:
    """The id of the slim function image, built from this tree."""
    return built(docker, "Dockerfile.lambda", "--target", "slim")


@pytest.fixture(scope="session")
def training_image(docker: str) -> str:
    """The id of the training image, built from this tree."""
    return built(docker, "Dockerfile.train")


@pytest.fixture(scope="session")
def docker_minio(docker: str) -> Iterator[DockerMinio]:
    """MinIO in a container on a network of its own; the network, the container and its data go at the end."""
    with running_in_docker(docker, f"serverless-sklearn-test-{secrets.token_hex(4)}") as server:
        yield server


def built(docker: str, dockerfile: str, *arguments: str) -> str:
    command = [docker, "build", "--quiet", "--file", dockerfile, *arguments, "."]
    made = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    if made.returncode != 0:
        pytest.fail(f"{dockerfile} does not build:\n{made.stdout[-3000:]}\n{made.stderr[-3000:]}")
    return made.stdout.split()[-1]
