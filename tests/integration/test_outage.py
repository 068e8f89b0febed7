"""A warm predict, as its own process that Lambda stops, over a MinIO that ends, comes back, or answers no more."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from functions.registry import alias
from functions.registry.store import open_store
from tests import runtime, slow_proxy
from tests.local_room import eventually
from tests.minio_server import Minio, allow_s3, running
from tests.models import VERSION, publish_iris

BUCKET = "models"
NEWER = "20261123T080000Z-2b7e1516"
TWIN = "20261121T080000Z-0d1e2f3a"  # with a model of ONNX
COMMAND = [sys.executable, "-m", "functions.start", "functions.predict.handler"]
EVENTS = Path(__file__).parents[2] / "events"
GET_MODEL = json.loads((EVENTS / "http-api-model.json").read_text())
ROW = {"instances": [[5.1, 3.5, 1.4, 0.2]]}


class Bucket:
    """A bucket on a server of the test's own, which can be ended and started again, and somebody who may use it."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program, self._folder = program, folder
        self._life = ExitStack()
        self.server: Minio = self._life.enter_context(running(program, folder))
        self.server.bucket(BUCKET)
        self.acting = self.server.environment(self.server.user(allow_s3(BUCKET)))

    def end(self) -> None:
        self._life.close()

    def start_again(self) -> None:
        self._life.enter_context(running(self._program, self._folder, again=self.server))

    def settings(self, **changes: str) -> dict[str, str]:
        return {
            **self.acting,
            "MODEL_STORE": f"s3://{BUCKET}", "MODEL_NAME": "iris", "MODEL_REFRESH_SECONDS": "0.05", **changes,
        }  # fmt: skip


@pytest.fixture
def bucket(minio_binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Holds iris in two versions; `live` names the older one."""
    made = Bucket(minio_binary, tmp_path / "minio")
    for name, value in made.acting.items():
        monkeypatch.setenv(name, value)
    store = open_store(f"s3://{BUCKET}")
    publish_iris(store)
    publish_iris(store, NEWER, move=False)
    yield made
    made.end()


def served(warm: runtime.Runtime) -> str:
    answer = warm.ask(ROW)
    assert answer["predictions"] == ["setosa"]
    return str(answer["model"]["version"])


def refresh(warm: runtime.Runtime) -> Any:
    return json.loads(warm.ask(GET_MODEL)["body"])["refresh"]


def test_while_s3_is_out_the_last_good_model_answers_and_when_it_is_back_refreshing_goes_on(bucket: Bucket) -> None:
    with runtime.running(COMMAND, bucket.settings()) as warm:
        assert served(warm) == VERSION
        bucket.end()
        eventually(lambda: refresh(warm)["error"], 60)
        assert refresh(warm)["error"] == {"code": "model_unavailable", "details": []}
        assert [served(warm) for _ in range(5)] == [VERSION] * 5
        (line,) = warm.log("ERROR")
        assert (line["message"], line["code"], line["serving"]) == (
            "the model cannot be refreshed", "store_unavailable", VERSION
        )  # fmt: skip
        bucket.start_again()
        alias.move(open_store(f"s3://{BUCKET}"), "iris", "live", NEWER, by="test")
        eventually(lambda: served(warm) == NEWER, 60)
        assert refresh(warm)["error"] is None
        assert warm.log("ERROR") == [line]


def test_a_promotion_reaches_an_environment_that_lambda_stops_between_requests_at_once(bucket: Bucket) -> None:
    """The newer one is a pipeline: scikit-learn is imported for it, which takes longer than any one request."""
    store = open_store(f"s3://{BUCKET}")
    publish_iris(store, TWIN, twin=True)
    with runtime.running(COMMAND, bucket.settings()) as warm:
        found = [served(warm)]
        for version in (NEWER, TWIN):
            warm.stop()
            alias.move(store, "iris", "live", version, by="test")
            time.sleep(0.1)  # the interval of a refresh
            warm.go_on()
            found.append(served(warm))
    assert found == [TWIN, NEWER, TWIN]


def test_a_request_waits_on_a_store_that_answers_no_more_for_less_than_a_read_takes_to_time_out(
    bucket: Bucket,
) -> None:
    with (
        slow_proxy.before(bucket.server.endpoint) as proxy,
        runtime.running(COMMAND, bucket.settings(AWS_ENDPOINT_URL=proxy.endpoint)) as warm,
    ):
        assert served(warm) == VERSION
        alias.move(open_store(f"s3://{BUCKET}"), "iris", "live", NEWER, by="test")
        proxy.stall()
        eventually(lambda: served(warm) == VERSION and proxy.held)
        assert [served(warm) for _ in range(20)] == [VERSION] * 20
        assert proxy.held == 1  # the read that hangs has not even been tried again
        proxy.resume()
        eventually(lambda: served(warm) == NEWER, 60)


def test_a_store_that_answers_no_more_at_start_holds_neither_init_nor_a_request_up_for_long(bucket: Bucket) -> None:
    with slow_proxy.before(bucket.server.endpoint) as proxy:
        proxy.stall()
        with runtime.running(COMMAND, bucket.settings(AWS_ENDPOINT_URL=proxy.endpoint)) as started:
            assert proxy.held == 1  # INIT ended while the first read was still waited for
            proxy.resume()
            assert eventually(lambda: started.ask(ROW).get("predictions"), 60) == ["setosa"]


def test_batch_with_a_wrong_pin_says_so_at_start_and_fails_the_event_so_that_it_is_sent_again(bucket: Bucket) -> None:
    event = json.loads((EVENTS / "s3-put.json").read_text())
    record = event["Records"][0]["s3"]
    record["bucket"]["name"] = BUCKET
    record["object"]["key"] = "incoming/iris.csv"
    store = open_store(f"s3://{BUCKET}")
    store.put("incoming/iris.csv", b"sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n")
    command = [*COMMAND[:-1], "functions.batch.handler"]
    with runtime.running(command, bucket.settings(MODEL_VERSION="20990101T000000Z-00000000")) as batch:
        (line,) = batch.log("ERROR")
        assert (line["message"], line["code"]) == ("the model cannot be loaded", "model_not_found")
        with pytest.raises(runtime.Failed, match="iris has no version 20990101T000000Z-00000000"):
            batch.ask(event)
    assert not any(key.startswith("scored/") for key in store.keys("scored/"))
