"""One real MinIO for the session, and users in it that may do what the template's roles may and nothing else."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from functions.registry.store import open_store
from tests.event_listener import EventListener, listening
from tests.fanout_bench import Bench
from tests.minio_server import Credentials, Minio, allow_s3, running
from tests.models import publish_iris
from tests.simulator import server as simulator_server
from tests.simulator.server import NotThere, Simulator
from tests.template import policies


@pytest.fixture(scope="session")
def events() -> Iterator[EventListener]:
    """Where the server's bucket notifications arrive."""
    with listening() as listener:
        yield listener


@pytest.fixture(scope="session")
def minio(minio_binary: Path, tmp_path_factory: pytest.TempPathFactory, events: EventListener) -> Iterator[Minio]:
    """The server. Its root is for setting up; tests act as users made by `as_role` and its kin."""
    with running(minio_binary, tmp_path_factory.mktemp("minio"), webhook=events.url) as server:
        yield server


@pytest.fixture
def bucket(minio: Minio) -> str:
    """An empty bucket of the test's own; it is the store of models and of data alike."""
    return minio.bucket(f"store-{secrets.token_hex(6)}")


@pytest.fixture
def model_bucket(minio: Minio) -> str:
    """An empty, versioned bucket for models, as the template makes it."""
    return minio.bucket(f"models-{secrets.token_hex(6)}", versioned=True)


@pytest.fixture
def drop_bucket(minio: Minio) -> str:
    """An empty, versioned bucket for data, as the template makes it, with its notification for `incoming/`."""
    name = minio.bucket(f"drops-{secrets.token_hex(6)}", versioned=True)
    minio.notify(name, "incoming/")
    return name


@pytest.fixture
def as_role(minio: Minio) -> Callable[[Mapping[str, Any]], Credentials]:
    """Makes a user who holds this IAM policy document."""
    return minio.user


@pytest.fixture
def predict_credentials(minio: Minio, model_bucket: str, drop_bucket: str) -> Credentials:
    """A user with the translated template's policies of predict, over `model_bucket` and `drop_bucket`."""
    return minio.user(policies("PredictFunction", model_bucket, drop_bucket))


@pytest.fixture
def batch_credentials(minio: Minio, model_bucket: str, drop_bucket: str) -> Credentials:
    """A user with the translated template's policies of batch, over `model_bucket` and `drop_bucket`."""
    return minio.user(policies("BatchFunction", model_bucket, drop_bucket))


@pytest.fixture
def bench(minio: Minio, model_bucket: str, trainer_credentials: Credentials, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bucket for huge files without notifications, versioned as the template's, and a model in another."""
    with monkeypatch.context() as own:
        for name, value in minio.environment(trainer_credentials).items():
            own.setenv(name, value)
        publish_iris(open_store(f"s3://{model_bucket}"), twin=True)
    return Bench(minio, model_bucket, minio.bucket(f"drops-{secrets.token_hex(6)}", versioned=True))


@pytest.fixture
def trainer_credentials(minio: Minio, model_bucket: str) -> Credentials:
    """A user who may do everything in `model_bucket`: the person who trains."""
    return minio.user(allow_s3(model_bucket))


@pytest.fixture
def dropper_credentials(minio: Minio, drop_bucket: str) -> Credentials:
    """A user who may do everything in `drop_bucket`: the person who drops files and fetches results."""
    return minio.user(allow_s3(drop_bucket))


@pytest.fixture
def owner_credentials(minio: Minio, bucket: str) -> Credentials:
    """A user who may do everything in `bucket`, and nothing outside it."""
    return minio.user(allow_s3(bucket))


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """AWS's services on this machine, with nothing in them yet."""
    try:
        with simulator_server.running(tmp_path_factory.mktemp("aws")) as running_one:
            yield running_one
    except NotThere as error:
        pytest.skip(str(error))
