"""The function images, full and slim, with a model baked in or without: what they hold, what they serve and refuse."""

import fnmatch
import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pytest

from functions.registry.folder import FolderStore
from functions.registry.manifest import Manifest, decode
from tests.models import publish_mixed
from training.cli import main

PROJECT = Path(__file__).parents[2]
INSIDE = PROJECT / "tests" / "e2e" / "inside"
EVENTS = PROJECT / "events"
CONTEXT = ("Dockerfile.lambda", ".dockerignore", "functions", "images", "requirements")
# As on Lambda: nothing can be written but /tmp, the user is nobody in particular.
LAMBDA_LIKE = ("--read-only", "--tmpfs", "/tmp", "--user", "12345:12345", "--cap-drop", "ALL")  # noqa: S108 - inside
# As on Lambda's arm64, where ONNX Runtime has aborted for want of them (microsoft/onnxruntime#10038, #15650).
NO_CPU_FILES = ("--tmpfs", "/sys/devices/system/cpu:ro")
PREDICT, BATCH = "functions.predict.handler", "functions.batch.handler"
ROWS: dict[str, list[list[Any]]] = {
    "iris": [[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]],
    "mixed": [[22.0, "Bern", True], [None, None, None]],
}

ONLY_ELSEWHERE = {
    "botocore.crt.auth",  # wants awscrt
    "joblib.externals.loky.backend._win_reduction",
    "joblib.externals.loky.backend.popen_loky_win32",
    "dateutil.tz.win",
    "dateutil.tzwin",
    "pandas.io.formats.style",  # wants Jinja2
    "pandas.io.formats.style_render",
    "scipy.special._precompute.hyp2f1_data",  # writes one of scipy's own tests
}
"""Modules that an ordinary installation of the same lock on Linux cannot import either."""

LEFT_OUT = {
    "_curses", "_curses_panel", "_dbm", "_sqlite3", "curses", "dbm", "ensurepip", "idlelib", "pydoc_data", "readline",
    "sqlite3", "tkinter", "_tkinter", "turtle", "turtledemo", "venv",
}  # fmt: skip
NOT_ON_DEBIAN = {
    "_gdbm", "_ios_support", "_overlapped", "_scproxy", "_winapi", "_wmi", "msvcrt", "nt", "winreg", "winsound",
}  # fmt: skip


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published store with `iris`, which has a twin, and `mixed`, which has none."""
    folder = tmp_path_factory.mktemp("published") / "bucket"
    data = PROJECT / "data" / "iris.csv"
    assert main(["fit", str(data), "--target", "species", "--name", "iris", "--store", str(folder)]) == 0
    publish_mixed(FolderStore(folder))
    subprocess.run(["chmod", "-R", "a+rX", folder.parent], check=True)
    return folder


@pytest.fixture
def context(bucket: Path, tmp_path: Path) -> Path:
    """What a build is given: the committed parts of this tree that it reads, and the published store as bucket/."""
    folder = tmp_path / "context"
    folder.mkdir()
    for name in CONTEXT:
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(PROJECT / name, folder / name)
    shutil.copytree(bucket, folder / "bucket")
    return folder


@pytest.fixture
def drops(tmp_path: Path) -> Iterator[Path]:
    """A bucket for files that the container's user may write to."""
    folder = tmp_path / "drops"
    (folder / "incoming").mkdir(parents=True)
    subprocess.run(["chmod", "-R", "a+rwX", folder], check=True)
    yield folder
    subprocess.run(["chmod", "-R", "a+rwX", folder], check=False)


def build(docker: str, context: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [docker, "build", "--quiet", "--file", "Dockerfile.lambda", *arguments, "."]
    return subprocess.run(command, cwd=context, capture_output=True, text=True)


def baked(docker: str, context: Path, target: str, name: str) -> str:
    """The id of an image with this model in it."""
    made = build(docker, context, "--target", target, "--build-arg", f"MODEL_NAME={name}")
    assert made.returncode == 0, made.stderr
    return made.stdout.split()[-1]


def run(
    docker: str, image: str, program: str, *arguments: str, given: object = None
) -> subprocess.CompletedProcess[str]:
    """One of the programs of `inside/`, on the image's Python, as Lambda would run it but with no network at all."""
    return subprocess.run(
        [docker, "run", "--rm", "--interactive", "--network", "none", *LAMBDA_LIKE, "--volume", f"{INSIDE}:/inside:ro",
         *arguments, "--entrypoint", "python3", image, f"/inside/{program}.py"],
        input=json.dumps(given), capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def invoke(docker: str, image: str, handler: str, events: list[Any], *arguments: str) -> list[Any]:
    """What the function answers to each event, through a Runtime API inside its container."""
    ran = run(docker, image, "invoke", *arguments, given={"handler": handler, "events": events})
    assert ran.returncode == 0, ran.stderr
    answers: list[Any] = json.loads(ran.stdout)
    assert len(answers) == len(events), ran.stderr
    return answers


def mounted(bucket: Path, name: str) -> tuple[str, ...]:
    """Docker's arguments to serve a model out of a folder beside the image."""
    return ("--volume", f"{bucket}:/published:ro", "--env", "MODEL_STORE=file:///published", "--env",
            f"MODEL_NAME={name}")  # fmt: skip


def manifest_of(bucket: Path, name: str) -> Manifest:
    (path,) = bucket.glob(f"models/{name}/versions/*/manifest.json")
    return decode(path.read_bytes())


def expected(bucket: Path, name: str) -> dict[str, Any]:
    """The answer to the model's rows, by the published pipeline itself."""
    manifest = manifest_of(bucket, name)
    (path,) = bucket.glob(f"models/{name}/versions/*/model.joblib")
    pipeline = joblib.load(path)
    table = pd.DataFrame(ROWS[name], columns=manifest.signature.names)
    chances = [dict(zip(manifest.classes, row, strict=True)) for row in pipeline.predict_proba(table).tolist()]
    return {
        "predictions": pipeline.predict(table).tolist(),
        "probabilities": [
            {str(label).lower() if isinstance(label, bool) else label: chance for label, chance in row.items()}
            for row in chances
        ],
        "model": {"name": name, "version": manifest.version},
    }


def close_to(answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "probabilities": [pytest.approx(row, abs=1e-5) for row in answer["probabilities"]]}


@pytest.mark.parametrize("image", ["function_image", "slim_image"])
def test_a_function_image_holds_what_serving_needs_and_nothing_else(
    docker: str, image: str, request: pytest.FixtureRequest
) -> None:
    ran = run(docker, request.getfixturevalue(image), "inventory")
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    packages = (
        ("botocore", "dateutil") if image == "slim_image" else ("botocore", "dateutil", "joblib", "pandas", "scipy")
    )
    only_elsewhere = {name for name in ONLY_ELSEWHERE if name.startswith(packages)}
    assert set(found.pop("failed imports")) == only_elsewhere
    assert set(found.pop("missing from the standard library")) == LEFT_OUT | NOT_ON_DEBIAN
    assert found == {
        "tools": [],
        "pip": False,
        "caches": [],
        "tests, headers, type stubs": [],
        "sources of what is not ours": [],
        "not compiled": [],
        "checked against a source": [],
        "without metadata": [],
        "without licence": ["obstore"],  # whose wheel has none
        "can write": [],
        "missing links": [],
        "Debian's packages without licence": [],
        "Debian's packages": True,
    }


def test_all_that_is_to_lie_in_front_is_in_the_image(docker: str, slim_image: str) -> None:
    script = "import os; [print(f'{folder}/{name}') for folder, _, names in os.walk('/') for name in names]"
    listed = subprocess.run(
        [docker, "run", "--rm", "--entrypoint", "python3", slim_image, "-c", script], capture_output=True, text=True
    )
    files = [name for name in listed.stdout.splitlines() if not name.startswith(("/proc/", "/sys/"))]
    patterns = [line for line in (PROJECT / "images" / "in_front.txt").read_text().splitlines() if line[0] == "/"]
    assert len(patterns) > 50
    assert [pattern for pattern in patterns if not fnmatch.filter(files, pattern)] == []


@pytest.mark.parametrize("hidden", [(), NO_CPU_FILES], ids=["", "without the CPU files of the system"])
@pytest.mark.parametrize(("image", "name"), [("function_image", "iris"), ("function_image", "mixed"),
                                             ("slim_image", "iris")])  # fmt: skip
def test_an_image_predicts_as_the_pipeline_itself_by_either_engine(
    docker: str, image: str, name: str, hidden: tuple[str, ...], bucket: Path, request: pytest.FixtureRequest
) -> None:
    (answer,) = invoke(
        docker, request.getfixturevalue(image), PREDICT, [{"instances": ROWS[name]}], *mounted(bucket, name), *hidden
    )  # fmt: skip
    assert answer == close_to(expected(bucket, name))


def test_the_slim_image_refuses_what_has_no_twin_and_says_which_image_serves_it(
    docker: str, slim_image: str, bucket: Path
) -> None:
    asked = {"handler": PREDICT, "events": [{"instances": [[22.0, "Bern", True]]}]}
    ran = run(docker, slim_image, "invoke", *mounted(bucket, "mixed"), given=asked)
    manifest = manifest_of(bucket, "mixed")
    why = (
        f"version {manifest.version} needs scikit-learn {manifest.libraries['scikit-learn']}, and this image has none; "
        "deploy the full image"
    )
    said = [json.loads(line) for line in ran.stderr.splitlines()]
    assert [line["error"] for line in said if line["message"] == "the model cannot be loaded"] == [why]
    assert json.loads(ran.stdout) == [{"error": {
        "code": "model_refused",
        "message": "no model can be served now; the function's log says why",
        "details": [{"model": "mixed", "version": manifest.version}],
    }}]  # fmt: skip


@pytest.mark.parametrize("image", ["function_image", "slim_image"])
def test_an_image_takes_part_in_a_snapshot_and_predicts_after_it(
    docker: str, image: str, bucket: Path, request: pytest.FixtureRequest
) -> None:
    ran = run(
        docker, request.getfixturevalue(image), "invoke", *mounted(bucket, "iris"),
        "--env", "AWS_LAMBDA_INITIALIZATION_TYPE=snap-start",
        given={"handler": PREDICT, "events": [{"instances": ROWS["iris"]}]},
    )  # fmt: skip
    assert json.loads(ran.stdout) == [close_to(expected(bucket, "iris"))]
    assert [json.loads(line)["message"] for line in ran.stderr.splitlines()] == ["model loaded", "restored", "request"]


@pytest.mark.parametrize("hidden", [(), NO_CPU_FILES], ids=["", "without the CPU files of the system"])
@pytest.mark.parametrize("image", ["function_image", "slim_image"])
def test_an_image_scores_a_dropped_file_by_the_twin(
    docker: str, image: str, hidden: tuple[str, ...], bucket: Path, drops: Path, request: pytest.FixtureRequest
) -> None:
    (drops / "incoming" / "iris sample.csv").write_text(
        "petal_width,sepal_length,petal_length,sepal_width\r\n0.2,5.10,1.4,3.5\r\n"
    )
    event = json.loads((EVENTS / "s3-put.json").read_text())
    (answer,) = invoke(
        docker, request.getfixturevalue(image), BATCH, [event], *mounted(bucket, "iris"), *hidden,
        "--volume", f"{drops}:/drops", "--env", "DATA_STORE=file:///drops",
    )  # fmt: skip
    rows = {"input": 1, "scored": 1, "rejected": 0, "blank": 0}
    assert answer == {"records": [
        {"key": "incoming/iris sample.csv", "status": "scored", "reason": None, "rows": rows}
    ]}  # fmt: skip
    assert (drops / "scored" / "iris sample.csv").read_bytes() == (
        b"petal_width,sepal_length,petal_length,sepal_width,prediction\r\n0.2,5.10,1.4,3.5,setosa\r\n"
    )


@pytest.mark.parametrize("hidden", [(), NO_CPU_FILES], ids=["", "without the CPU files of the system"])
def test_on_arm64_the_packages_of_the_slim_image_predict_and_score_as_the_pipeline_itself(
    docker: str, arm64: Path, hidden: tuple[str, ...], bucket: Path, drops: Path
) -> None:
    (drops / "incoming" / "iris sample.csv").write_text(
        "petal_width,sepal_length,petal_length,sepal_width\n0.2,5.10,1.4,3.5\n"
    )
    mounts = {
        arm64 / "qemu": "/qemu", arm64 / "root": "/arm64", arm64 / "packages": "/opt/python", INSIDE: "/inside",
        PROJECT / "functions": "/var/task/functions",
    }  # fmt: skip
    calls = [(PREDICT, {"instances": ROWS["iris"]}), (BATCH, json.loads((EVENTS / "s3-put.json").read_text()))]
    # The processor of Lambda's arm64, Graviton2, as an emulator has it.
    ran = subprocess.run(
        [docker, "run", "--rm", "--interactive", "--network", "none", *LAMBDA_LIKE, *hidden, *mounted(bucket, "iris"),
         *(f"--volume={here.resolve()}:{there}:ro" for here, there in mounts.items()),
         "--volume", f"{drops}:/drops", "--env", "DATA_STORE=file:///drops",
         "--env", "PYTHONPATH=/opt/python:/var/task",
         "--entrypoint", "/qemu", "debian:trixie-slim",
         "-cpu", "neoverse-n1", "-L", "/arm64", "/arm64/usr/bin/python3", "/inside/call.py"],
        input=json.dumps(calls), capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    machine, (predicted, scored) = json.loads(ran.stdout)
    assert (machine, predicted) == ("aarch64", close_to(expected(bucket, "iris")))
    rows = {"input": 1, "scored": 1, "rejected": 0, "blank": 0}
    assert scored["records"] == [{"key": "incoming/iris sample.csv", "status": "scored", "reason": None, "rows": rows}]
    assert (drops / "scored" / "iris sample.csv").read_bytes() == (
        b"petal_width,sepal_length,petal_length,sepal_width,prediction\n0.2,5.10,1.4,3.5,setosa\n"
    )
    missed = "failed to parse the list of possible processors" in ran.stderr
    assert missed is bool(hidden)  # they were hidden, and ONNX Runtime looked for them


def test_the_slim_image_scores_a_file_by_hand(docker: str, slim_image: str, bucket: Path) -> None:
    scored = subprocess.run(
        [docker, "run", "--rm", "--interactive", "--network", "none", *LAMBDA_LIKE, *mounted(bucket, "iris"),
         slim_image, "score", "--model", "/published", "--name", "iris", "-"],
        input=(PROJECT / "data" / "iris.csv").read_bytes(), capture_output=True,
    )  # fmt: skip
    assert scored.returncode == 0, scored.stderr.decode()
    header, first, *_ = scored.stdout.decode().splitlines()
    assert (header, first) == (
        "sepal_length,sepal_width,petal_length,petal_width,species,prediction",
        "5.1,3.5,1.4,0.2,setosa,setosa",
    )


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A user's folder: a plain model with its manifest, a bare one, a CSV, and what must not be imported."""
    folder = tmp_path / "work"
    folder.mkdir()
    data = PROJECT / "data" / "iris.csv"
    assert main(["fit", str(data), "--target", "species", "--output", str(folder / "model.joblib")]) == 0
    joblib.dump(joblib.load(folder / "model.joblib"), folder / "bare.joblib")
    (folder / "data.csv").write_text("id,petal_width,sepal_length,petal_length,sepal_width\na,0.2,5.10,1.4,3.5\n")
    (folder / "functions").mkdir()
    (folder / "functions" / "__init__.py").write_text("raise SystemExit('imported out of the data')\n")
    subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
    return folder


BY_HAND = "id,petal_width,sepal_length,petal_length,sepal_width,prediction\na,0.2,5.10,1.4,3.5,setosa\n"


def score_in_container(docker: str, image: str, work: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As a user types it: the folder mounted, and the names in it."""
    return subprocess.run(
        [docker, "run", "--rm", "--network", "none", "--volume", f"{work}:/files", "--workdir", "/files", image,
         "score", *arguments],
        capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("image", ["function_image", "slim_image"])
def test_an_image_scores_a_file_with_a_model_out_of_a_folder_of_the_users(
    docker: str, image: str, work: Path, request: pytest.FixtureRequest
) -> None:
    named = request.getfixturevalue(image)
    scored = score_in_container(docker, named, work, "model.joblib", "data.csv")
    assert (scored.returncode, scored.stdout) == (0, BY_HAND), scored.stderr
    (line,) = re.findall(
        r"^    docker (run .* IMAGE score .*)$", (PROJECT / "docs" / "batch.md").read_text(), re.MULTILINE
    )
    typed = subprocess.run(["bash", "-c", f"{docker} {line.replace('IMAGE', named)}"], cwd=work, capture_output=True)
    assert (typed.returncode, (work / "scored.csv").read_text()) == (0, BY_HAND), typed.stderr.decode()
    there = score_in_container(
        docker, named, work, "--model", "/files/model.joblib", "/files/data.csv", "/files/out.csv"
    )
    assert (there.returncode, (work / "out.csv").read_text()) == (0, BY_HAND), there.stderr


def test_the_full_image_takes_a_bare_pipeline_on_trust_and_the_slim_one_says_that_it_cannot(
    docker: str, function_image: str, slim_image: str, work: Path
) -> None:
    refused = score_in_container(docker, function_image, work, "bare.joblib", "data.csv")
    assert (refused.returncode, refused.stdout, "or add --trust if" in refused.stderr) == (2, "", True)
    trusted = score_in_container(docker, function_image, work, "--trust", "bare.joblib", "data.csv")
    assert (trusted.returncode, trusted.stdout) == (0, BY_HAND), trusted.stderr
    assert trusted.stderr.startswith("warning: bare.joblib was unpickled on trust, without a manifest. Unchecked: ")
    cannot = score_in_container(docker, slim_image, work, "--trust", "bare.joblib", "data.csv")
    assert (cannot.returncode, cannot.stdout, cannot.stderr) == (
        1, "", "error: bare.joblib needs scikit-learn, and this image has none; use the full image\n"
    )  # fmt: skip


@pytest.mark.parametrize(("target", "name"), [("slim", "iris"), ("full", "iris"), ("full", "mixed")])
def test_an_image_with_its_model_baked_in_answers_without_a_store_a_setting_or_a_network(
    docker: str, target: str, name: str, context: Path, bucket: Path
) -> None:
    image = baked(docker, context, target, name)
    (answer,) = invoke(docker, image, PREDICT, [{"instances": ROWS[name]}])
    assert answer == close_to(expected(bucket, name))
    listed = subprocess.run(
        [docker, "run", "--rm", "--entrypoint", "python3", image, "-c",
         "import pathlib; print(*sorted(p.name for p in pathlib.Path('/opt/store').rglob('*.*') if p.is_file()))"],
        capture_output=True, text=True,
    )  # fmt: skip
    artifact = "model.onnx" if name == "iris" else "model.joblib"
    assert listed.stdout.split() == ["live.json", "manifest.json", artifact]


def test_sam_builds_another_image_with_a_model_in_it_where_the_template_says_so(
    docker: str, context: Path, bucket: Path
) -> None:
    sam = PROJECT / ".venv-sam" / "bin" / "sam"
    if not sam.exists():
        pytest.skip("there is no SAM command line; run: make provision")
    tag = f"t{secrets.token_hex(4)}"
    template = (PROJECT / "template.yaml").read_text().replace("DockerTag: latest", f"DockerTag: {tag}")
    chosen = "Dockerfile: Dockerfile.lambda\n      DockerBuildTarget: slim\n      DockerBuildArgs: {MODEL_NAME: iris}\n"
    (context / "template.yaml").write_text(template.replace("Dockerfile: Dockerfile.lambda\n", chosen))
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
    try:
        built = subprocess.run(
            [sam, "build", "PredictFunction"], cwd=context, env=environment, capture_output=True, text=True
        )
        assert built.returncode == 0, built.stderr
        (answer,) = invoke(docker, f"predictfunction:{tag}", PREDICT, [{"instances": ROWS["iris"]}])
    finally:
        subprocess.run([docker, "image", "rm", "--force", f"predictfunction:{tag}"], capture_output=True)
    assert answer == close_to(expected(bucket, "iris"))


def test_a_version_can_be_baked_in_without_its_alias(docker: str, context: Path, bucket: Path) -> None:
    manifest = manifest_of(bucket, "iris")
    shutil.rmtree(context / "bucket" / "models" / "iris" / "aliases")
    made = build(docker, context, "--target", "slim", "--build-arg", "MODEL_NAME=iris",
                 "--build-arg", f"MODEL_VERSION={manifest.version}")  # fmt: skip
    assert made.returncode == 0, made.stderr
    (answer,) = invoke(docker, made.stdout.split()[-1], PREDICT, [{"instances": ROWS["iris"]}])
    assert answer == close_to(expected(bucket, "iris"))


def test_an_image_that_could_not_serve_the_model_is_not_built(docker: str, context: Path, bucket: Path) -> None:
    iris, mixed = manifest_of(bucket, "iris"), manifest_of(bucket, "mixed")
    (twin,) = (context / "bucket").glob("models/iris/versions/*/model.onnx")
    spoilt = bytearray(twin.read_bytes())
    spoilt[len(spoilt) // 2] ^= 1
    (good,) = [artifact.sha256 for artifact in iris.artifacts if artifact.key == "model.onnx"]
    twin.write_bytes(spoilt)
    refused = {
        name: build(docker, context, "--target", "slim", "--build-arg", f"MODEL_NAME={name}")
        for name in ("iris", "mixed", "absent", "../x")
    }
    assert {name: made.returncode != 0 for name, made in refused.items()} == dict.fromkeys(refused, True)
    said = {
        name: [line for line in (made.stdout + made.stderr).splitlines() if "cannot bake in" in line]
        for name, made in refused.items()
    }
    assert {name: [line[line.index("cannot") :] for line in lines] for name, lines in said.items()} == {
        "iris": [
            f"cannot bake in iris: version {iris.version}: model.onnx has SHA-256 "
            f"{hashlib.sha256(spoilt).hexdigest()}, expected {good}; somebody changed it: publish the model anew"
        ],
        "mixed": [
            f"cannot bake in mixed: version {mixed.version} needs scikit-learn {mixed.libraries['scikit-learn']}, "
            "and this image has none; deploy the full image"
        ],
        "absent": [
            "cannot bake in absent: absent has no alias live in file:///given; train and publish it, or name another"
        ],
        "../x": ["cannot bake in ../x: '../x' is no model name; use letters, digits, dots, dashes and underscores"],
    }


def test_a_change_of_code_ships_the_code_alone(docker: str, context: Path) -> None:
    def layers(*arguments: str) -> list[str]:
        image = build(docker, context, *arguments).stdout.split()[-1]
        inspected = subprocess.run([docker, "image", "inspect", image], capture_output=True, text=True, check=True)
        found: list[str] = json.loads(inspected.stdout)[0]["RootFS"]["Layers"]
        return found

    def last_bytes(*arguments: str) -> int:
        image = build(docker, context, *arguments).stdout.split()[-1]
        history = subprocess.run(
            [docker, "history", "--no-trunc", "--human=false", "--format", "{{.Size}}", image],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return int(history.stdout.split()[0])

    kinds = [("--target", kind, "--build-arg", "MODEL_NAME=iris") for kind in ("slim", "full")]
    before = [layers(*kind) for kind in kinds]
    door = context / "functions" / "predict.py"
    door.write_text(door.read_text() + "\n# changed\n")
    after = [layers(*kind) for kind in kinds]
    for old, new in zip(before, after, strict=True):
        assert (old[:-1], old[-1] == new[-1]) == (new[:-1], False)
    assert all(last_bytes(*kind) < 1_500_000 for kind in kinds)
    assert after[1][:3] == after[0][:3]  # the full image is the slim one and more
