"""SnapStart, as far as one machine can have it: a real runtime, stopped where its snapshot would be, let go on later.

Between the two the alias moves, the credentials end, and every connection is lost without a word.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from functions.registry import alias
from functions.registry.store import Store, open_store
from local.declared import PREDICT
from local.function import Function
from local.gateway import Gateway, Plan
from local.invocation import Outcome
from local.journal import Journal
from tests import slow_proxy
from tests.credentials_endpoint import TOKEN, Endpoint, listening
from tests.local_room import HANDLERS
from tests.minio_server import REGION, Minio, allow_s3
from tests.models import VERSION, publish_iris

NEWER = "20261123T080000Z-2b7e1516"
ROW = {"instances": [[5.1, 3.5, 1.4, 0.2]]}
GET_MODEL = json.loads((Path(__file__).parents[2] / "events" / "http-api-model.json").read_text())
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")


@dataclass
class Platform:
    """What is around the function: its bucket behind a network, and who gives it credentials."""

    minio: Minio
    store: Store
    network: slow_proxy.SlowProxy
    credentials: Endpoint
    function: Function
    log: Path

    def ask(self, event: Any = ROW) -> Any:
        return json.loads(self.call(event).payload)

    def call(self, event: Any = ROW) -> Outcome:
        return self.function.invoke(json.dumps(event).encode())

    def told(self) -> list[tuple[str, str]]:
        """Level and message of what the function has logged so far."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [(line["level"], line["message"]) for line in lines]

    def give_other_credentials(self) -> None:
        """Those given so far are worth nothing any more."""
        self.credentials.given = self.minio.temporary(self.minio.user(allow_s3(self.store.bucket)))


@pytest.fixture
def platform(minio: Minio, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    with opened(minio, bucket, tmp_path, monkeypatch) as found:
        yield found


@contextmanager
def opened(
    minio: Minio, bucket: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: str
) -> Iterator[Platform]:
    acting = minio.user(allow_s3(bucket))
    for name, value in minio.environment(acting).items():
        monkeypatch.setenv(name, value)
    store, log = open_store(f"s3://{bucket}"), folder / "log"
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    given = minio.temporary(minio.user(allow_s3(bucket)))
    with slow_proxy.before(minio.endpoint) as network, listening(given) as credentials, log.open("ab") as writing:
        environ = {
            "PATH": "/usr/bin:/bin", "AWS_ENDPOINT_URL": network.endpoint, "AWS_REGION": REGION,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": credentials.url, "AWS_CONTAINER_AUTHORIZATION_TOKEN": TOKEN,
            "MODEL_STORE": f"s3://{bucket}", "MODEL_NAME": "iris", **settings,
        }  # fmt: skip
        plan = Plan("127.0.0.1", 0, folder / "spool", writing, predict=replace(PREDICT, snap_start=True))
        with Gateway(plan, Journal(StringIO()), environ) as gateway:
            yield Platform(minio, store, network, credentials, gateway.predict, log)


def test_after_a_restore_todays_model_is_served_over_new_connections_and_with_new_credentials(
    platform: Platform,
) -> None:
    publish_iris(platform.store, twin=True)
    publish_iris(platform.store, NEWER, move=False, twin=True)
    platform.function.publish()
    assert platform.told() == [("INFO", "model loaded")]

    alias.move(platform.store, "iris", "live", NEWER, by="test")
    platform.give_other_credentials()
    platform.network.lose()
    asked = platform.credentials.asked

    answer = platform.ask()
    assert answer == {
        "predictions": ["setosa"],
        "probabilities": [pytest.approx({"setosa": 1.0, "versicolor": 0.0, "virginica": 0.0}, abs=0.05)],
        "model": {"name": "iris", "version": NEWER},
    }
    assert platform.credentials.asked > asked
    assert [message for _, message in platform.told()] == ["model loaded", "model loaded", "request"]
    shown = json.loads(platform.ask(GET_MODEL)["body"])
    assert (shown["version"], shown["refresh"]["error"]) == (NEWER, None)


def test_the_credentials_of_the_snapshot_are_not_used_after_it(platform: Platform) -> None:
    publish_iris(platform.store, twin=True)
    platform.function.publish()
    publish_iris(platform.store, NEWER, twin=True)
    platform.credentials.given = {**platform.credentials.given, "SecretAccessKey": "of nobody"}
    assert platform.ask()["model"] == {"name": "iris", "version": VERSION}  # the last good one
    assert ("ERROR", "the model cannot be refreshed") in platform.told()


def test_an_alias_that_did_not_move_costs_one_question_and_no_load(platform: Platform) -> None:
    publish_iris(platform.store, twin=True)
    platform.function.publish()
    platform.network.lose()
    asked = platform.network.asked
    assert platform.ask()["model"] == {"name": "iris", "version": VERSION}
    assert platform.told() == [("INFO", "model loaded"), ("INFO", "request")]
    assert platform.network.asked == asked + 1


def test_without_refresh_a_restored_function_still_serves_what_is_live_when_it_is_restored(
    minio: Minio, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(minio, bucket, tmp_path, monkeypatch, MODEL_REFRESH_SECONDS="0") as platform:
        publish_iris(platform.store, twin=True)
        platform.function.publish()
        publish_iris(platform.store, NEWER, twin=True)
        assert platform.ask()["model"] == {"name": "iris", "version": NEWER}


def test_a_load_that_failed_before_the_snapshot_is_tried_again_after_it(platform: Platform) -> None:
    platform.function.publish()
    assert platform.told() == [("ERROR", "the model cannot be loaded")]
    publish_iris(platform.store, twin=True)
    platform.network.lose()
    assert platform.ask()["model"] == {"name": "iris", "version": VERSION}


def test_a_call_for_which_no_snapshot_is_ready_takes_one_and_goes_on_from_it(platform: Platform) -> None:
    publish_iris(platform.store, twin=True)
    first, second = platform.call(), platform.call()
    assert (first.cold, second.cold, first.environment == second.environment) == (True, False, True)
    assert json.loads(first.payload) == json.loads(second.payload)


def test_no_time_passes_in_a_snapshot(platform: Platform) -> None:
    publish_iris(platform.store, twin=True)
    platform.function.publish()
    (environment,) = platform.function.environments()
    pid = int(environment.label.removeprefix("pid "))
    until = time.monotonic() + 10
    while stopped(pid) is False and time.monotonic() < until:
        time.sleep(0.01)
    assert stopped(pid)
    platform.ask()
    assert not stopped(pid)


def stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


HOOKS = """
import snapshot_restore_py

{hook}
"""


def of_hooks(folder: Path, hook: str) -> tuple[Gateway, StringIO]:
    """A function of its own with this hook."""
    (folder / "tiny.py").write_text(HANDLERS + HOOKS.format(hook=hook))
    said = StringIO()
    declared = replace(PREDICT, handler="tiny.handler", snap_start=True)
    return Gateway(
        Plan("127.0.0.1", 0, folder / "spool", subprocess.DEVNULL, None, folder, declared), Journal(said)
    ), said


def test_a_hook_that_fails_after_a_restore_fails_the_call_with_its_error(tmp_path: Path) -> None:
    gateway, said = of_hooks(tmp_path, "snapshot_restore_py.register_after_restore(lambda: 1 / 0)")
    with gateway:
        gateway.predict.publish()
        outcome = gateway.predict.invoke(b"{}")
    assert (outcome.failed, json.loads(outcome.payload)["errorType"]) == (True, "ZeroDivisionError")
    assert "ZeroDivisionError: division by zero" in said.getvalue()


def test_a_hook_that_fails_before_the_snapshot_lets_none_be_made(tmp_path: Path) -> None:
    gateway, said = of_hooks(tmp_path, "snapshot_restore_py.register_before_snapshot(lambda: 1 / 0)")
    with gateway, pytest.raises(RuntimeError, match="predict: no snapshot: its INIT failed"):
        gateway.predict.publish()
    assert "predict: INIT failed: ZeroDivisionError: division by zero" in said.getvalue()
