"""The roles of the translated template on a real server: each may do its work, and nothing beside it."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.event_listener import EventListener
from tests.minio_server import Credentials, Minio


def refusal(act: Callable[[], Any]) -> str:
    """The error code with which the server turned this down; "allowed" where it did not."""
    try:
        answer = act()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    if "Body" in answer:
        answer["Body"].read()  # an answer that is not read keeps its connection for itself
    return "allowed"


@pytest.fixture
def filled(minio: Minio, model_bucket: str, drop_bucket: str) -> None:
    with minio.client(minio.root) as root:
        root.put_object(Bucket=model_bucket, Key="models/iris/aliases/live.json", Body=b"{}")
        root.put_object(Bucket=model_bucket, Key="models/wine/aliases/live.json", Body=b"{}")
        root.put_object(Bucket=model_bucket, Key="secret", Body=b"x")
        for key in ("incoming/a.csv", "scored/a.csv", "rejected/a.csv", "secret"):
            root.put_object(Bucket=drop_bucket, Key=key, Body=b"x")


@pytest.mark.usefixtures("filled")
def test_predict_reads_its_model_and_may_do_nothing_else(
    minio: Minio, model_bucket: str, drop_bucket: str, predict_credentials: Credentials
) -> None:
    with minio.client(predict_credentials) as s3:
        found = {
            "read a model": refusal(lambda: s3.get_object(Bucket=model_bucket, Key="models/iris/aliases/live.json")),
            "read a missing model": refusal(lambda: s3.get_object(Bucket=model_bucket, Key="models/iris/none")),
            "list its model": refusal(lambda: s3.list_objects_v2(Bucket=model_bucket, Prefix="models/iris/versions/")),
            "read another model": refusal(
                lambda: s3.get_object(Bucket=model_bucket, Key="models/wine/aliases/live.json")
            ),
            "list models": refusal(lambda: s3.list_objects_v2(Bucket=model_bucket, Prefix="models/")),
            "read beside them": refusal(lambda: s3.get_object(Bucket=model_bucket, Key="secret")),
            "list everything": refusal(lambda: s3.list_objects_v2(Bucket=model_bucket)),
            "write a model": refusal(lambda: s3.put_object(Bucket=model_bucket, Key="models/iris/x", Body=b"")),
            "delete a model": refusal(
                lambda: s3.delete_object(Bucket=model_bucket, Key="models/iris/aliases/live.json")
            ),
            "read a drop": refusal(lambda: s3.get_object(Bucket=drop_bucket, Key="incoming/a.csv")),
        }
    assert found == {
        "read a model": "allowed",
        "read a missing model": "NoSuchKey",
        "list its model": "allowed",
        "read another model": "AccessDenied",
        "list models": "AccessDenied",
        "read beside them": "AccessDenied",
        "list everything": "AccessDenied",
        "write a model": "AccessDenied",
        "delete a model": "AccessDenied",
        "read a drop": "AccessDenied",
    }


@pytest.mark.usefixtures("filled")
def test_batch_reads_drops_and_writes_and_deletes_only_its_own_results(
    minio: Minio, model_bucket: str, drop_bucket: str, batch_credentials: Credentials
) -> None:
    def put(key: str) -> Callable[[], Any]:
        return lambda: s3.put_object(Bucket=drop_bucket, Key=key, Body=b"")

    def delete(key: str) -> Callable[[], Any]:
        return lambda: s3.delete_object(Bucket=drop_bucket, Key=key)

    with minio.client(batch_credentials) as s3:
        found = {
            "read a model": refusal(lambda: s3.get_object(Bucket=model_bucket, Key="models/iris/aliases/live.json")),
            "read another model": refusal(
                lambda: s3.get_object(Bucket=model_bucket, Key="models/wine/aliases/live.json")
            ),
            "write a model": refusal(lambda: s3.put_object(Bucket=model_bucket, Key="models/iris/x", Body=b"")),
            "read a drop": refusal(lambda: s3.get_object(Bucket=drop_bucket, Key="incoming/a.csv")),
            "read a missing drop": refusal(lambda: s3.get_object(Bucket=drop_bucket, Key="incoming/b.csv")),
            "change a drop": refusal(put("incoming/a.csv")),
            "delete a drop": refusal(delete("incoming/a.csv")),
            "write scored": refusal(put("scored/b.csv")),
            "write rejected": refusal(put("rejected/b.csv")),
            "write beside them": refusal(put("elsewhere/b.csv")),
            "read beside them": refusal(lambda: s3.get_object(Bucket=drop_bucket, Key="secret")),
            "read its results": refusal(lambda: s3.get_object(Bucket=drop_bucket, Key="scored/a.csv")),
            "delete scored": refusal(delete("scored/a.csv")),
            "delete rejected": refusal(delete("rejected/a.csv")),
            "delete beside them": refusal(delete("secret")),
        }
    assert found == {
        "read a model": "allowed",
        "read another model": "AccessDenied",
        "write a model": "AccessDenied",
        "read a drop": "allowed",
        "read a missing drop": "NoSuchKey",
        "change a drop": "AccessDenied",
        "delete a drop": "AccessDenied",
        "write scored": "allowed",
        "write rejected": "allowed",
        "write beside them": "AccessDenied",
        "read beside them": "AccessDenied",
        "read its results": "allowed",
        "delete scored": "allowed",
        "delete rejected": "allowed",
        "delete beside them": "AccessDenied",
    }


def test_a_drop_is_announced_and_a_result_is_not(
    minio: Minio, drop_bucket: str, dropper_credentials: Credentials, events: EventListener
) -> None:
    with minio.client(dropper_credentials) as s3:
        s3.put_object(Bucket=drop_bucket, Key="scored/a.csv", Body=b"x\n")
        s3.put_object(Bucket=drop_bucket, Key="incoming/a b+c/ü%2F.csv", Body=b"x\n")
        s3.put_object(Bucket=drop_bucket, Key="incoming/last.csv", Body=b"x\n")
    announced = events.wait(drop_bucket, count=2)
    assert [event["Records"][0]["s3"]["object"]["key"] for event in announced] == [
        "incoming%2Fa+b%2Bc%2F%C3%BC%252F.csv",
        "incoming%2Flast.csv",
    ]
