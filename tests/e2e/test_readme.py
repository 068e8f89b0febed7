"""The README's own commands, typed in a fresh clone, give what the README shows."""

import os
import re
import secrets
import subprocess
from pathlib import Path

import pytest

from tests.e2e.reader import free_port, kept_running, steady, type_in, wait_until_open
from tests.readme import blocks, commands, outputs

NEEDS_AN_ACCOUNT = {
    ".venv-sam/bin/sam deploy --guided",
    *(
        f"{name}=$(aws cloudformation describe-stacks --stack-name serverless-sklearn --query "
        f"\"Stacks[0].Outputs[?OutputKey=='{output}'].OutputValue\" --output text)"
        for name, output in (("MODEL_BUCKET", "ModelBucket"), ("DROP_BUCKET", "DropBucket"))
    ),
    ".venv/bin/python -m training fit data/iris.csv --target species --name iris --store s3://$MODEL_BUCKET",
    "aws s3 cp data/iris.csv s3://$DROP_BUCKET/incoming/",
    ".venv-sam/bin/sam delete",
}
RUN_BY_OTHERS = {"make demo": "tests/e2e/test_demo.py", "make test": "this run"}
RUN_HERE = {
    "Serve it", "Drop a CSV", "Score a file without a service", "Train on your own CSV", "In containers",
    "Choose an image",
}  # fmt: skip


def test_every_command_of_the_readme_is_run_or_says_that_it_needs_an_account() -> None:
    assert {block.heading for block in blocks() if block.language == "sh"} >= RUN_HERE
    for block in blocks():
        if block.language != "sh" or block.heading in RUN_HERE:
            continue
        for command in commands(block.heading):
            known = command in NEEDS_AN_ACCOUNT or command in RUN_BY_OTHERS or command in commands("In containers")
            assert known, f"nothing runs {command!r}, under {block.heading!r}"


def test_the_demo_prints_what_the_readme_shows(clone: Path) -> None:
    ran = type_in(clone, "make demo")
    (shown,) = outputs("What the demo shows")
    assert steady(ran) == steady(shown)


def test_serving_asking_and_dropping_go_as_the_readme_shows(clone: Path) -> None:
    train, serve = commands("Serve it")[:2]
    type_in(clone, train)
    port = free_port()
    with kept_running(clone, serve, PORT=str(port)):
        wait_until_open(port)
        asked = [type_in(clone, command.replace("8080", str(port))) for command in commands("Serve it")[2:]]
        (shown,) = outputs("Serve it")
        assert steady("\n".join(asked)) == steady(shown)
        dropped = type_in(clone, "\n".join(commands("Drop a CSV")))
        (shown,) = outputs("Drop a CSV")
        assert steady(dropped) == steady(shown)


def test_a_file_is_scored_and_a_plain_model_is_trained_as_the_readme_says(clone: Path) -> None:
    type_in(clone, "\n".join(commands("Serve it")[:1] + commands("Score a file without a service")))
    rows = (clone / "scored.csv").read_text().splitlines()
    assert (rows[0], len(rows)) == ("sepal_length,sepal_width,petal_length,petal_width,species,prediction", 151)
    said = type_in(clone, "\n".join(commands("Train on your own CSV")))
    assert "--target" in said
    assert {path.name for path in clone.glob("model.*")} == {
        "model.joblib",
        "model.onnx",
        "model.manifest.json",
        "model.report.html",
        "model.metrics.json",
    }


def test_containers_and_sam_answer_as_the_readme_says(clone: Path, docker: str) -> None:
    if not (clone / ".venv-sam" / "bin" / "sam").exists():
        pytest.skip("there is no SAM command line; run: make provision")
    network = "serverless-sklearn_default"
    if subprocess.run([docker, "network", "inspect", network], capture_output=True).returncode == 0:
        pytest.skip("`make up` is running here already, and this test would end it; run: make down")
    typed = commands("In containers")
    start_api, then = typed.index(".venv-sam/bin/sam local start-api"), typed[-2:]
    ports = {"PORT": str(free_port()), "MINIO_PORT": str(free_port())}
    before = [command.replace("8080", ports["PORT"]) for command in typed[:start_api]]
    try:
        said = type_in(clone, "\n".join(before), **ports)
        assert said.count('"predictions":["setosa"') == 1
        assert '\\"predictions\\":[\\"setosa\\",\\"virginica\\"]' in said
        settings = "\n".join(command for command in before if command.startswith(("set ", "export ")))
        with kept_running(clone, f"{settings}\nexec {typed[start_api]}", **ports):
            wait_until_open(3000)
            assert '"predictions":["setosa"]' in type_in(clone, then[0], **ports)
    finally:
        type_in(clone, then[1], **ports)
    assert subprocess.run([docker, "network", "inspect", network], capture_output=True).returncode != 0


def test_the_images_are_built_as_the_readme_says_and_the_baked_one_scores_without_a_network(
    clone: Path, docker: str
) -> None:
    typed = "\n".join(commands("Choose an image"))
    tags = set(re.findall(r"--tag (\S+)", typed))
    own = f"readme-{secrets.token_hex(4)}"
    path = f"{Path(docker).parent}:{os.environ['PATH']}"  # the client that goes with the daemon
    try:
        type_in(clone, "\n".join([*commands("Serve it")[:1], typed.replace("flowers", own)]), PATH=path)
        assert (clone / "scored.csv").read_text().splitlines()[:2] == [
            "sepal_length,sepal_width,petal_length,petal_width,species,prediction",
            "5.1,3.5,1.4,0.2,setosa,setosa",
        ]
        assert (clone / "mounted.csv").read_bytes() == (clone / "scored.csv").read_bytes()
    finally:
        built = [tag.replace("flowers", own) for tag in tags]
        subprocess.run([docker, "image", "rm", "--force", *built], capture_output=True, check=False)
