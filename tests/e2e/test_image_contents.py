"""What is said of the deployed images to those who must approve them: contents, licences, rights, and their form."""

import hashlib
import json
import platform
import secrets
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.markers import Marker

from images import licences, sbom
from tests.registry import INDEXES, MANIFESTS, Registry, running_registry
from tests.unit.test_requirements import pinned

PROJECT = Path(__file__).parents[2]
MACHINE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
IMAGES = {"function_image": "functions", "slim_image": "slim", "training_image": "training"}
"""Each image's fixture, and the lock it is made from."""

IN_THE_IMAGES = {"python_version": "3.13", "python_full_version": "3.13.0", "sys_platform": "linux"}
"""What a lock's markers ask about, in Debian trixie."""

PRIVILEGED = """
import json, os
found = []
for folder, folders, names in os.walk("/"):
    if folder == "/":
        folders[:] = [name for name in folders if name not in ("proc", "sys", "dev")]
    for path in (os.path.join(folder, name) for name in names):
        capable = not os.path.islink(path) and "security.capability" in os.listxattr(path)
        if os.lstat(path).st_mode & 0o6000 or capable:
            found.append(path)
print(json.dumps([os.path.exists("/usr/bin/env"), found]))
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    found = subprocess.run([PROJECT / ".ci" / "find-registry"], capture_output=True, text=True)
    if found.returncode != 0:
        pytest.skip("there is no image registry; run: make provision")
    with running_registry(Path(found.stdout.strip()), tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="module", params=IMAGES)
def lock_and_bill(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The lock that an image is made from, and the bill that `make sbom` would write of the image."""
    lock = IMAGES[request.param]
    folder = tmp_path_factory.mktemp("bill")
    request.getfixturevalue("docker")
    assert sbom.main([str(folder), f"{lock}={request.getfixturevalue(request.param)}"]) == 0
    return lock, (folder / f"{lock}.cdx.json").read_text(encoding="utf-8")


def by_kind(bill: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Kind of package -> package -> version."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for component in bill["components"]:
        found[component["purl"].split("/")[0]][component["name"].lower().replace("_", "-")] = component["version"]
    return found


def test_a_bill_is_cyclonedx(lock_and_bill: tuple[str, str]) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(lock_and_bill[1]) is None


def test_a_bill_lists_every_locked_package_of_python_in_its_version_and_no_other(
    lock_and_bill: tuple[str, str],
) -> None:
    lock, text = lock_and_bill
    locked = {
        (name.replace("_", "-"), version)
        for name, given in pinned(lock).items()
        for version, marker in given
        if not marker or Marker(marker).evaluate(IN_THE_IMAGES)
    }
    assert set(by_kind(json.loads(text))["pkg:pypi"].items()) == locked


def test_a_bill_lists_debians_packages_and_what_wheels_carry(lock_and_bill: tuple[str, str]) -> None:
    bill = json.loads(lock_and_bill[1])
    assert {"base-files", "libc6", "libssl3t64", "python3.13-minimal", "zlib1g"} <= by_kind(bill)["pkg:deb"].keys()
    assert {"dpkg", "apt", "perl-base"}.isdisjoint(by_kind(bill)["pkg:deb"]) or lock_and_bill[0] == "training"
    (obstore,) = (component for component in bill["components"] if component["name"] == "obstore")
    assert {"object_store", "rustls"} <= {component["name"] for component in obstore["components"]}


def test_every_licence_in_an_image_is_listed_for_its_package(lock_and_bill: tuple[str, str]) -> None:
    found = licences.listed_in(iter([json.loads(lock_and_bill[1])]))
    assert licences.unlisted(found, licences.PAGE.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("dockerfile", "target"),
    [("lambda", "full"), ("lambda", "slim"), ("train", "training"), ("train", "sagemaker"), ("train", "local")],
)
def test_no_program_in_an_image_gives_its_user_anothers_rights(docker: str, dockerfile: str, target: str) -> None:
    built = subprocess.run(
        [docker, "build", "--quiet", "--file", f"Dockerfile.{dockerfile}", "--target", target, "."],
        cwd=PROJECT, capture_output=True, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    ran = subprocess.run(
        [docker, "run", "--rm", "--network", "none", "--user", "0:0", "--entrypoint", "python3",
         built.stdout.split()[-1], "-c", PRIVILEGED],
        capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [True, []]


def pushed(docker: str, dockerfile: str, target: str, registry: Registry) -> str:
    """Builds and pushes an image; its name in the registry, under the tag "pushed"."""
    name = f"image-{secrets.token_hex(4)}"
    reference = f"{registry.address}/{name}:pushed"
    # The label makes it an image of its own: with the last of an image's tags Docker removes the image.
    built = subprocess.run(
        [docker, "build", "--quiet", "--file", dockerfile, "--target", target, "--label", f"test={name}",
         "--tag", reference, "."],
        cwd=PROJECT, capture_output=True, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    try:
        subprocess.run([docker, "push", "--quiet", reference], check=True, capture_output=True)
    finally:
        subprocess.run([docker, "image", "rm", "--no-prune", reference], capture_output=True, check=True)
    return name


@pytest.mark.parametrize(
    ("dockerfile", "target"),
    [("Dockerfile.lambda", "full"), ("Dockerfile.lambda", "slim"), ("Dockerfile.train", "training")],
)
def test_what_is_pushed_is_a_plain_image_for_one_processor_as_lambda_wants_it(
    docker: str, dockerfile: str, target: str, registry: Registry
) -> None:
    name = pushed(docker, dockerfile, target, registry)
    assert registry.why_lambda_refuses(name, "pushed", MACHINE) is None
    other = "x86_64" if MACHINE == "arm64" else "arm64"
    assert (registry.why_lambda_refuses(name, "pushed", other) or "").startswith("it is for linux/")


@pytest.mark.parametrize("kind", INDEXES)
def test_an_index_as_buildx_makes_it_with_its_note_on_the_build_would_be_seen(
    docker: str, kind: str, registry: Registry
) -> None:
    name = pushed(docker, "Dockerfile.lambda", "slim", registry)
    manifest = registry.read(f"{name}/manifests/pushed", *MANIFESTS)
    entry = {
        "mediaType": json.loads(manifest)["mediaType"],
        "digest": f"sha256:{hashlib.sha256(manifest).hexdigest()}",
        "size": len(manifest),
        "platform": {"os": "linux", "architecture": "amd64"},
    }
    registry.put(f"{name}/manifests/index", kind, {"schemaVersion": 2, "mediaType": kind, "manifests": [entry]})
    assert registry.why_lambda_refuses(name, "index", MACHINE) == f"it is no image but {kind}"
