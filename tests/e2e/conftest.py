"""The images as Docker builds them, and MinIO on a network that containers share. It knows no test."""

import secrets
import subprocess
import sys
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
    for environment in PROJECT.glob(".venv*"):
        (folder / environment.name).symlink_to(environment)
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
def arm64(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with an emulator of arm64 and Debian's Python for it, and in `packages` what the slim image locks."""
    found = subprocess.run([PROJECT / ".ci" / "find-arm64"], capture_output=True, text=True)
    if found.returncode != 0:
        pytest.skip("there is no emulator of arm64; run: make provision")
    folder = tmp_path_factory.mktemp("arm64")
    for name in ("qemu", "root"):
        (folder / name).symlink_to(Path(found.stdout.strip()) / name)
    platforms = [f"--platform=manylinux_2_{number}_aarch64" for number in range(17, 42)]
    abis = [f"--abi={name}" for name in ("cp313", "abi3", "none")]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder / "packages", "--no-deps",
         "--require-hashes", "--only-binary=:all:", "--python-version=3.13", "--implementation=cp", *abis, *platforms,
         "--platform=manylinux2014_aarch64", "--platform=any", "--requirement", PROJECT / "requirements" / "slim.txt"],
        check=True,
    )  # fmt: skip
    subprocess.run(["chmod", "-R", "a+rX", folder.parent], check=True)
    return folder


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
