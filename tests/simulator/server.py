"""The simulator as a process: started with keys and an account of its own, ended with all it had; it makes no stack."""

import json
import os
import secrets
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local.process import WITH_PARENT
from tests.simulator import functions
from tests.simulator.functions import Functions
from tests.template import PSEUDO_PARAMETERS, REGION, ROOT

ACCOUNT = PSEUDO_PARAMETERS["AWS::AccountId"]
PYTHON = ROOT / ".venv-simulator" / "bin" / "python"
RETRY_SECONDS = "0.3"  # before the second attempt of an asynchronous invocation; twice that before the third
PATIENCE = 60.0


class NotThere(Exception):
    """The simulator's environment has not been made, or it does not start."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Who acts. `token` for those of a role."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Simulator:
    """A running simulator. `root` are the account's own keys; `functions` run what its Lambda is asked for."""

    endpoint: str
    root: Keys
    functions: Functions
    folder: Path

    def client(self, service: str, keys: Keys | None = None, *, https: bool = True) -> Any:
        """A boto3 client that acts as somebody, by default as root. https: whether its requests came over TLS."""
        keys = keys or self.root
        client = boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=keys.access_key,
            aws_secret_access_key=keys.secret_key,
            aws_session_token=keys.token,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )
        if not https:
            client.meta.events.register(
                "before-send", lambda request, **_: request.headers.update({"x-forwarded-proto": "http"})
            )
        return client

    def environment(self, keys: Keys | None = None) -> dict[str, str]:
        """The AWS_* variables with which a process acts as somebody, by default as root."""
        keys = keys or self.root
        made = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }
        return made | ({"AWS_SESSION_TOKEN": keys.token} if keys.token else {})

    def put_to_sleep(self, function: str, version: str, state: str, reason: str, rejection: str) -> None:
        """Has a function version be Inactive or Failed; its calls are rejected with this error until it is Active."""
        asked = {"function": function, "version": version, "state": state, "reason": reason, "rejection": rejection}
        words = urllib.parse.urlencode({**asked, "account": ACCOUNT, "region": REGION})
        urllib.request.urlopen(f"{self.endpoint}/_function-versions?{words}").close()  # noqa: S310 - always http

    def user(self, name: str, *statements: dict[str, Any]) -> Keys:
        """A new user of the account who may do this and nothing else."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(document))
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return Keys(made["AccessKeyId"], made["SecretAccessKey"])


@contextmanager
def running(folder: Path) -> Iterator[Simulator]:
    """Runs a simulator that keeps everything in `folder`, and the processes of its functions.

    Raises NotThere with what to do.
    """
    if not PYTHON.exists():
        raise NotThere("there is no .venv-simulator; run: make simulator-environment")
    root, port = Keys(secrets.token_hex(10), secrets.token_hex(20)), _free_port()
    for name in ("temporary", "s3", "state"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    with functions.running(folder / "functions.log") as (runs, url), (folder / "simulator.log").open("wb") as log:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TMPDIR": str(folder / "temporary"),
            "S3_DATA_DIR": str(folder / "s3"),
            "STATE_DIR": str(folder / "state"),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "AUTH": "true",
            "AWS_ACCESS_KEY_ID": root.access_key,
            "AWS_SECRET_ACCESS_KEY": root.secret_key,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            "MINISTACK_HOST": f"{REGION}.amazonaws.com",  # whom an HTTP API answers: the name in the stack's output
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": RETRY_SECONDS,
            "FUNCTIONS_URL": url,
        }
        process = subprocess.Popen(
            [*WITH_PARENT, PYTHON, Path(__file__).parent / "launch.py"],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _await(f"http://127.0.0.1:{port}/_ministack/health", process, folder / "simulator.log")
            yield Simulator(f"http://127.0.0.1:{port}", root, runs, folder)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - always http
            return
        except OSError:
            time.sleep(0.05)
    raise NotThere(f"the simulator did not start:\n{log.read_text(errors='replace')[-2000:]}")
