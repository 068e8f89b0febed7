"""`python -m training fit` to a bucket: published as a user who may do no more than that, or refused in one line."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from functions import loader
from functions.registry import alias
from functions.registry.store import Store, open_store
from tests.minio_server import Credentials, Minio
from tests.training_runs import IRIS, PROJECT, VERSION, everything_in

ENVIRONMENT = 1


@pytest.fixture
def trainer(minio: Minio, bucket: str, as_role: Callable[[Mapping[str, Any]], Credentials]) -> dict[str, str]:
    """Somebody who may read, write and list models under one prefix, and nothing else; and may delete nothing."""
    arn = f"arn:aws:s3:::{bucket}"
    objects = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": [f"{arn}/team a/models/*"]}
    names = {
        "Effect": "Allow",
        "Action": ["s3:ListBucket"],
        "Resource": [arn],
        "Condition": {"StringLike": {"s3:prefix": ["team a/models/*"]}},
    }
    return minio.environment(as_role({"Version": "2012-10-17", "Statement": [objects, names]}))


@pytest.fixture
def store(minio: Minio, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The bucket as its owner sees it."""
    for name, value in minio.environment(minio.root).items():
        monkeypatch.setenv(name, value)
    return open_store(f"s3://{bucket}/team a")


def train(environment: Mapping[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    clean |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": "none", "AWS_CONFIG_FILE": "none"}
    command: list[str | Path] = [sys.executable, "-m", "training", "fit", IRIS, "--target", "species", "--name", "iris"]
    return subprocess.run(
        [*command, *arguments], cwd=PROJECT, env={**clean, **environment}, capture_output=True, text=True
    )


def refused(environment: Mapping[str, str], *arguments: str) -> str:
    done = train(environment, *arguments)
    assert done.returncode == ENVIRONMENT
    assert "fitting" not in done.stdout  # it fails before the fit
    return done.stderr


def test_a_version_is_published_and_its_alias_moved_by_one_who_may_just_do_that(
    bucket: str, trainer: dict[str, str], store: Store
) -> None:
    first = train(trainer, "--store", f"s3://{bucket}/team a")
    second = train(trainer, "--store", f"s3://{bucket}/team a", "--seed", "1", "--by", "anna")
    assert [(done.returncode, done.stderr) for done in (first, second)] == [(0, ""), (0, "")]
    now = alias.read(store, "iris", "live")
    versions = [found[0] for done in (first, second) if (found := re.search(VERSION, done.stdout))]
    assert ([now.previous, now.version], now.by) == (versions, "anna")
    assert second.stdout.endswith(
        f"published iris {now.version} at s3://{bucket}/team a/models/iris/versions/{now.version}/\n"
        f"live is now {now.version}, before it {now.previous}\n"
    )
    assert len(everything_in(store)) == 12  # twice five files, the alias, and what it said before
    model = loader.load(store, loader.Reference("iris"))
    iris = pd.read_csv(IRIS)
    answer = model.predict(iris.drop(columns="species").to_numpy().tolist())
    assert answer.classes is not None
    right = np.mean([model.signature.classes[index] for index in answer.classes] == iris["species"].to_numpy())
    assert right > 0.95


def test_of_runs_at_once_every_version_is_kept_and_the_alias_names_the_last_that_won(
    bucket: str, trainer: dict[str, str], store: Store
) -> None:
    with ThreadPoolExecutor(3) as threads:
        seeds = ("1", "2", "3")
        done = list(threads.map(lambda seed: train(trainer, "--store", f"s3://{bucket}/team a", "--seed", seed), seeds))
    lost = [one.stderr for one in done if one.returncode]
    assert all(
        re.fullmatch(
            f"error: iris {VERSION} is published, but live was not moved: the alias live of iris was moved by somebody "
            "else at the same time; look, then promote again\n",
            line,
        )
        for line in lost
    )
    keys = list(store.keys("models/iris/versions/"))
    assert len([key for key in keys if key.endswith("/manifest.json")]) == 3
    assert alias.read(store, "iris", "live").version in [key.split("/")[3] for key in keys]


def test_one_who_may_only_read_is_told_before_the_fit(
    minio: Minio, bucket: str, as_role: Callable[[Mapping[str, Any]], Credentials], store: Store
) -> None:
    reads = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::{bucket}/*"]}
    reader = minio.environment(as_role({"Version": "2012-10-17", "Statement": [reads]}))
    said = re.sub(VERSION, "VERSION", refused(reader, "--store", f"s3://{bucket}"))
    assert said == (
        "error: the credentials in use may not do this with models/iris/versions/VERSION/manifest.json "
        f"in s3://{bucket}\n"
    )
    assert everything_in(store) == {}


def test_one_who_may_not_write_below_this_prefix_is_told_before_the_fit(
    bucket: str, trainer: dict[str, str], store: Store
) -> None:
    said = re.sub(VERSION, "VERSION", refused(trainer, "--store", f"s3://{bucket}/team b"))
    assert said == (
        "error: the credentials in use may not do this with models/iris/versions/VERSION/manifest.json "
        f"in s3://{bucket}/team b\n"
    )
    assert everything_in(store) == {}


def test_a_missing_bucket_is_named(minio: Minio) -> None:
    said = refused(minio.environment(minio.root), "--store", "s3://no-such-bucket/models")
    assert said == "error: there is no bucket 'no-such-bucket'; create it or name another\n"


def test_wrong_credentials_are_said_to_be_wrong(minio: Minio, bucket: str, store: Store) -> None:
    environment = minio.environment(Credentials("nobody", "nothing"))
    assert refused(environment, "--store", f"s3://{bucket}") == (
        f"error: s3://{bucket} does not take these credentials (InvalidAccessKeyId); "
        "check the AWS_* variables and the clock\n"
    )
    assert everything_in(store) == {}


def test_no_credentials_are_said_to_be_missing(minio: Minio, bucket: str, store: Store) -> None:
    environment = {"AWS_ENDPOINT_URL": minio.endpoint, "AWS_REGION": "us-east-1"}
    assert refused(environment, "--store", f"s3://{bucket}") == (
        f"error: no AWS credentials for s3://{bucket}; "
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE\n"
    )
    assert everything_in(store) == {}


def test_a_profile_that_does_not_exist_is_named(minio: Minio, bucket: str) -> None:
    environment = {"AWS_ENDPOINT_URL": minio.endpoint, "AWS_REGION": "us-east-1", "AWS_PROFILE": "nobody"}
    done = train(environment, "--store", f"s3://{bucket}")
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        "error: there is no AWS profile 'nobody'; set AWS_PROFILE to one that exists\n",
    )


def test_an_endpoint_out_of_reach_is_said_to_be() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take the port meanwhile
        environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{unused.getsockname()[1]}",
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
        }
        assert refused(environment, "--store", "s3://bucket") == (
            "error: s3://bucket cannot be reached; check AWS_ENDPOINT_URL, the region and the network\n"
        )


def test_an_endpoint_that_is_no_url_is_the_users_mistake() -> None:
    done = train({"AWS_ENDPOINT_URL": "localhost:9000"}, "--store", "s3://bucket")
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        "error: AWS_ENDPOINT_URL is 'localhost:9000'; write it as http://host:port or https://host\n",
    )
