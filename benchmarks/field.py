"""Where a campaign takes place and who runs in it: the function as it ships and its rivals, on one Python."""

import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any, Protocol
from zlib import crc32

from benchmarks import cold, parts, warm
from benchmarks.contestants import Contestant, Order
from benchmarks.stage import BUCKET, BY_JOBLIB, MODEL, PROJECT, Stage

DOCKER = str(PROJECT / ".ci" / "docker")
FOLDER = f"{crc32(str(PROJECT).encode()):08x}"  # so that two clones on one machine keep their images apart
FUNCTIONS = f"bench-functions-{FOLDER}"
CAMPAIGN = f"bench-campaign-{FOLDER}"
CAMPAIGNS = {"cold": cold.run, "warm": warm.run, "parts": parts.run}

RIVALS = {
    "empty": ("empty.handler", "statusCode"),
    "empty again": ("empty.handler", "statusCode"),
    "plain without pandas": ("plain_without_pandas.handler", "setosa"),
    "plain": ("plain.handler", "setosa"),
}
"""Handler under `benchmarks/rivals`, and what a right answer holds."""

PACKAGES = {
    "empty": "/opt/plain",
    "empty again": "/opt/plain",
    "plain without pandas": "/opt/plain_without_pandas",
    "plain": "/opt/plain",
}
"""Where each rival's packages lie in the image."""

LAMBDA = {
    "AWS_LAMBDA_FUNCTION_NAME": "measured",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "TZ": ":UTC",
}


class Field(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def python(self) -> str: ...

    def contestants(self, stage: Stage) -> list[Contestant]: ...

    def run(self, campaign: str, order: Order) -> dict[str, Any]:
        """Raw figures by contestant."""


@dataclass(frozen=True, slots=True)
class Image:
    """The function image, with the rivals' packages in folders of their own: what users run."""

    name: str
    python: str
    config: dict[str, Any]

    @classmethod
    def built(cls) -> "Image":
        """Builds both images."""
        _docker("build", "--file", "Dockerfile.lambda", "--tag", FUNCTIONS, ".")
        build_arguments = ["--build-arg", f"FUNCTIONS={FUNCTIONS}", "--target", "campaign", "--tag", CAMPAIGN]
        _docker("build", "--file", "benchmarks/Dockerfile", *build_arguments, ".")
        config = json.loads(_docker("image", "inspect", "--format", "{{json .Config}}", FUNCTIONS))
        python = _docker("run", "--rm", "--entrypoint", "python3", CAMPAIGN, "-V").split()[1]
        return cls("the function image", python, config)

    def contestants(self, stage: Stage) -> list[Contestant]:
        environment = dict(each.split("=", 1) for each in self.config["Env"])
        command = [*self.config["Entrypoint"], *self.config["Cmd"]]
        return [
            *_predict(stage, command, self.config["WorkingDir"], environment, ("python3", "-S")),
            *(
                _rival(stage, name, "python3", "/opt/rivals", environment | {"PYTHONPATH": packages})
                for name, packages in PACKAGES.items()
            ),
        ]

    def run(self, campaign: str, order: Order) -> dict[str, Any]:
        """In one container, on the host's network, where MinIO is."""
        found: dict[str, Any] = json.loads(
            _docker("run", "--rm", "--interactive", "--network", "host", CAMPAIGN, campaign, given=asdict(order))
        )
        return found


@dataclass(frozen=True, slots=True)
class Here:
    """This Python and its packages: for a look without Docker."""

    name: str = "this environment"
    python: str = platform.python_version()

    def contestants(self, stage: Stage) -> list[Contestant]:
        passed = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environment = passed | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "functions.start", "functions.predict.handler"]
        rivals = str(PROJECT / "benchmarks" / "rivals")
        return [
            *_predict(stage, command, str(PROJECT), environment, (sys.executable,)),
            *(
                _rival(stage, name, sys.executable, rivals, environment)
                for name in PACKAGES
                if name != "plain without pandas"  # scikit-learn imports it wherever it is installed
            ),
        ]

    def run(self, campaign: str, order: Order) -> dict[str, Any]:
        return CAMPAIGNS[campaign](order)


def event() -> str:
    """One row over HTTP, as API Gateway sends it."""
    sample = json.loads((PROJECT / "events" / "http-api.json").read_text())
    return json.dumps(sample | {"body": '{"instances": [[5.1, 3.5, 1.4, 0.2]]}'})


def _predict(
    stage: Stage, command: list[str], folder: str, environment: dict[str, str], python: tuple[str, ...]
) -> list[Contestant]:
    """The function over a model with a twin, and over the same pipeline without."""
    given = environment | LAMBDA | stage.environment | {"MODEL_STORE": f"s3://{BUCKET}"}
    names = {"predict": MODEL, "predict by joblib": BY_JOBLIB}
    return [
        Contestant(name, command, folder, given | {"MODEL_NAME": model}, "setosa", python)
        for name, model in names.items()
    ]


def _rival(stage: Stage, name: str, python: str, folder: str, environment: dict[str, str]) -> Contestant:
    handler, answer = RIVALS[name]
    where = {"BUCKET": BUCKET, "KEY": stage.pickle}
    command = [python, "-m", "awslambdaric", handler]
    return Contestant(name, command, folder, environment | LAMBDA | stage.environment | where, answer)


def _docker(*arguments: str, given: dict[str, Any] | None = None) -> str:
    """Runs the docker client in the project's folder and gives what it says."""
    return subprocess.run(
        [DOCKER, *arguments],
        cwd=PROJECT,
        input=None if given is None else json.dumps(given),
        stdout=subprocess.PIPE,
        stderr=None if given is not None else subprocess.DEVNULL,
        text=True,
        check=True,
    ).stdout
