"""`python -m benchmarks.images`: how large the function images are beside a plain one, and what a cold start reads.

With --in-front it also writes images/in_front.txt anew, after which the images are another.

The plain image is written as somebody does who knows Docker: the same base, the packages and the handler, installed by
pip without its cache, and no pip or other build tool left in it. Sizes are Docker's: the bytes of all files.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.contestants import Contestant, Order
from benchmarks.device import BLOCK
from benchmarks.field import DOCKER, LAMBDA, event
from benchmarks.residency import PAGE
from benchmarks.stage import BUCKET, MODEL, PROJECT, Stage, staged

CONTEXT = ("Dockerfile.lambda", ".dockerignore", "functions", "images", "requirements", "benchmarks")
BUILDS = {
    "plain": ("benchmarks/Dockerfile", "--target", "plain"),
    "full": ("Dockerfile.lambda", "--target", "full"),
    "slim": ("Dockerfile.lambda", "--target", "slim"),
    "full, baked": ("Dockerfile.lambda", "--target", "full", "--build-arg", f"MODEL_NAME={MODEL}"),
    "slim, baked": ("Dockerfile.lambda", "--target", "slim", "--build-arg", f"MODEL_NAME={MODEL}"),
}
PLAIN = "plain"
LARGEST = 15
MAY_MOUNT = (
    "--cap-add=SYS_ADMIN", "--cap-add=SYS_RAWIO", "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined", "--volume=/dev:/dev", "--device-cgroup-rule=b 7:* rmw",
)  # fmt: skip
"""What making and mounting a device takes; less than --privileged, which not every machine can give."""


IN_FRONT = PROJECT / "images" / "in_front.txt"
SAME_ELSEWHERE = (
    (r"/[a-z0-9_]+-linux-gnu/", "/*-linux-gnu/"),
    (r"/ld-linux-.*", "/ld-linux-*"),
    (r"\.cpython-\d+-[a-z0-9_-]+\.so$", ".cpython-*.so"),
    (r"\.so\.[\d.]+$", ".so.*"),
    (r"/python3\.\d+(?=/|$)", "/python3.*"),
)
"""What a file's name has of this processor and of a version, as patterns."""


def main() -> None:
    with _context() as context, staged() as stage:
        images = {name: _built(context, *how) for name, how in BUILDS.items()}
        device = _built(PROJECT, "benchmarks/Dockerfile.device")
        raw = {name: {"bytes": _size(image), **_started(device, stage, name, image)} for name, image in images.items()}
    found = figures(raw)
    _show(found)
    if "--in-front" in sys.argv:
        _write_in_front(raw["full"]["touched"]["files"])
    path = results.write("images", {"page_bytes": PAGE, "block_bytes": BLOCK, **found, "raw": _shortened(raw)})
    sys.stdout.write(f"written: {path}\n")


def figures(raw: dict[str, dict[str, Any]]) -> dict[str, dict[str, dict[str, float]]]:
    """`{"images": {name: figures}}`; MB are 10**6 bytes, shares are of the image's own size, blocks whole."""
    return {"images": {name: _figures(each, raw[PLAIN]["bytes"]) for name, each in raw.items()}}


def _figures(raw: dict[str, Any], plain: int) -> dict[str, float]:
    size, touched, read = raw["bytes"], raw["touched"], raw["read"]
    return {
        "mb": round(size / 1e6, 1),
        "to_plain": round(size / plain, 3),
        "files": len(touched["files"]),
        "pages": touched["pages"],
        "pages_mb": round(touched["pages"] * PAGE / 1e6, 1),
        "pages_share": round(touched["pages"] * PAGE / size, 3),
        "blocks": touched["blocks"],
        "blocks_mb": round(touched["blocks"] * BLOCK / 1e6, 1),
        "blocks_share": round(touched["blocks"] * BLOCK / size, 3),
        "ahead_mb": round(read["pages"] * PAGE / 1e6, 1),
        "ahead_blocks": read["blocks"],
    }


def _write_in_front(files: dict[str, int]) -> None:
    """Names what a cold start reads; the code is a layer of its own."""
    names = {path for path in files if not path.startswith("/var/task/")}
    for found, instead in SAME_ELSEWHERE:
        names = {re.sub(found, instead, name) for name in names}
    head = "# What a cold start of predict reads; written by: python -m benchmarks.images --in-front\n"
    IN_FRONT.write_text(head + "".join(f"{name}\n" for name in sorted(names)))


def _shortened(raw: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """With the files that most pages are read of; the others are many and small."""

    def short(what: dict[str, Any]) -> dict[str, Any]:
        largest = sorted(what["files"].items(), key=lambda item: -item[1])[:LARGEST]
        return {**what, "files": len(what["files"]), "largest": dict(largest)}

    return {
        name: {**each, "touched": short(each["touched"]), "read": short(each["read"])} for name, each in raw.items()
    }


@contextmanager
def _context() -> Iterator[Path]:
    """What the builds read, with a published store as bucket/."""
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        for name in CONTEXT:
            if (PROJECT / name).is_dir():
                shutil.copytree(PROJECT / name, context / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(PROJECT / name, context / name)
        data = ["data/iris.csv", "--target", "species"]
        command = [sys.executable, "-m", "training", "fit", *data, "--name", MODEL, "--store", str(context / "bucket")]
        subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
        yield context


def _built(context: Path, dockerfile: str, *arguments: str) -> str:
    """The image's id."""
    return _docker(context, "build", "--quiet", "--file", dockerfile, *arguments, ".").split()[-1]


def _size(image: str) -> int:
    return int(_docker(PROJECT, "image", "inspect", "--format", "{{.Size}}", image))


def _started(device: str, stage: Stage, name: str, image: str) -> dict[str, Any]:
    """One cold start of the image's function on a device of its own, with the model in MinIO unless it is baked in."""
    order = Order([_contestant(stage, name, image)], event(), 1)
    with tempfile.TemporaryDirectory() as folder:
        _docker(PROJECT, "save", "--output", f"{folder}/image.tar", image)
        arguments = ("--network=host", f"--volume={folder}:/given:ro", *MAY_MOUNT)
        found: dict[str, Any] = json.loads(
            _docker(PROJECT, "run", "--rm", "--interactive", *arguments, device, given=order)
        )
    return found


def _contestant(stage: Stage, name: str, image: str) -> Contestant:
    config = json.loads(_docker(PROJECT, "image", "inspect", "--format", "{{json .Config}}", image))
    environment = dict(each.split("=", 1) for each in config["Env"]) | LAMBDA
    if name == PLAIN:
        environment |= stage.environment | {"BUCKET": BUCKET, "KEY": stage.pickle}
    elif "baked" not in name:
        environment |= stage.environment | {"MODEL_STORE": f"s3://{BUCKET}", "MODEL_NAME": MODEL}
    return Contestant(name, [*config["Entrypoint"], *config["Cmd"]], config["WorkingDir"], environment, "setosa")


def _docker(folder: Path, *arguments: str, given: Order | None = None) -> str:
    """What the docker client says. Ends the command with the client's last words where it fails."""
    order = None if given is None else json.dumps(asdict(given))
    ran = subprocess.run([DOCKER, *arguments], cwd=folder, input=order, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise SystemExit(f"docker {arguments[0]} failed:\n{ran.stdout[-1000:]}{ran.stderr[-1000:]}")
    return ran.stdout


def _show(found: dict[str, dict[str, dict[str, float]]]) -> None:
    columns = list(found["images"][PLAIN])
    sys.stdout.write(f"{'':12}{''.join(f'{column:>13}' for column in columns)}\n")
    for name, figure in found["images"].items():
        sys.stdout.write(f"{name:12}{''.join(f'{figure[column]:>13}' for column in columns)}\n")


if __name__ == "__main__":
    main()
