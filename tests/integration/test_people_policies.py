"""The policies that docs/security.md gives to people are enough for their work, and no more, on a real server."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import PROJECT
from tests.minio_server import Credentials, Minio
from tests.training_runs import VERSION
from tests.typed import blocks


def policies(model_bucket: str, drop_bucket: str) -> list[dict[str, Any]]:
    """The page's, for these buckets."""
    found = []
    for block in blocks(PROJECT / "docs" / "security.md", "json"):
        text = block.text.replace("MODEL_BUCKET", model_bucket).replace("DROP_BUCKET", drop_bucket)
        found.append(json.loads(text))
    return found


def outcome(act: Callable[[], Any]) -> str:
    try:
        answer = act()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    if "Body" in answer:
        answer["Body"].read()
    return "allowed"


@pytest.fixture
def people(minio: Minio, model_bucket: str, drop_bucket: str) -> tuple[Credentials, Credentials]:
    trainer, dropper = (minio.user(policy) for policy in policies(model_bucket, drop_bucket))
    return trainer, dropper


def test_whoever_trains_can_do_everything_with_versions_and_nothing_with_files(
    minio: Minio, model_bucket: str, drop_bucket: str, people: tuple[Credentials, Credentials]
) -> None:
    store = ["--name", "iris", "--store", f"s3://{model_bucket}"]
    fit = ["fit", str(PROJECT / "data" / "iris.csv"), "--target", "species", *store]

    def typed(*words: str) -> str:
        ran = subprocess.run(
            [sys.executable, "-m", "training", *words],
            cwd=PROJECT,
            env={**os.environ, **minio.environment(people[0])},
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, f"{words}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    typed(*fit)
    typed(*fit, "--seed", "1")
    typed(*fit, "--seed", "2", "--alias", "candidate")
    for words in (["rollback"], ["promote", "candidate"], ["history"], ["verify"]):
        typed(*words, *store)
    pinned = re.search(rf"pinned ({VERSION})", typed("pin", "candidate", "--why", "staging", *store))
    assert pinned is not None
    typed("unpin", pinned[1], *store)
    typed("prune", "--keep", "1", "--yes", *store)
    with minio.client(people[0]) as s3:
        assert outcome(lambda: s3.put_object(Bucket=model_bucket, Key="elsewhere", Body=b"")) == "AccessDenied"
        assert outcome(lambda: s3.put_object(Bucket=drop_bucket, Key="incoming/a.csv", Body=b"")) == "AccessDenied"


def test_whoever_drops_files_can_do_that_and_read_their_results(
    minio: Minio, model_bucket: str, drop_bucket: str, people: tuple[Credentials, Credentials]
) -> None:
    with minio.client(minio.root) as root:
        root.put_object(Bucket=drop_bucket, Key="scored/a.csv", Body=b"x")
        root.put_object(Bucket=model_bucket, Key="models/iris/aliases/live.json", Body=b"{}")
    with minio.client(people[1]) as s3:
        found = {
            "drop": outcome(lambda: s3.put_object(Bucket=drop_bucket, Key="incoming/a.csv", Body=b"x")),
            "wait": outcome(lambda: s3.head_object(Bucket=drop_bucket, Key="scored/a.csv")),
            "read": outcome(lambda: s3.get_object(Bucket=drop_bucket, Key="scored/a.csv")),
            "read others' input": outcome(lambda: s3.get_object(Bucket=drop_bucket, Key="incoming/a.csv")),
            "forge": outcome(lambda: s3.put_object(Bucket=drop_bucket, Key="scored/a.csv", Body=b"y")),
            "delete": outcome(lambda: s3.delete_object(Bucket=drop_bucket, Key="scored/a.csv")),
            "read a model": outcome(lambda: s3.get_object(Bucket=model_bucket, Key="models/iris/aliases/live.json")),
        }
    assert found == {
        "drop": "allowed",
        "wait": "allowed",
        "read": "allowed",
        "read others' input": "AccessDenied",
        "forge": "AccessDenied",
        "delete": "AccessDenied",
        "read a model": "AccessDenied",
    }
