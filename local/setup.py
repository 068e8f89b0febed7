"""Makes the buckets and the notification that the template makes on AWS, on MinIO; it must not know the gateway."""

import os
import time
from typing import Any
from urllib.parse import urlsplit

from functions.settings import BatchSettings, ModelSettings
from local.terminal import complain, say

TAKEN = ("BucketAlreadyOwnedByYou", "BucketAlreadyExists")


def setup(notify: str, wait: float) -> int:
    """notify: the webhook target's ARN; wait: seconds for the endpoint to answer.

    Exit code 0 where everything is there afterwards, else 1 with one line that says why.

    Raises NotConfigured where MODEL_STORE or MODEL_NAME is not set.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    models, drops = _bucket(ModelSettings.read().store), _bucket(BatchSettings.read().store)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    client = boto3.client("s3", region_name=region, config=Config(connect_timeout=5, retries={"max_attempts": 1}))
    until = time.monotonic() + wait
    while True:
        try:
            for bucket in dict.fromkeys((models, drops)):
                _make(client, bucket, region)
            _notify(client, drops, notify)
        except (BotoCoreError, ClientError) as error:
            if time.monotonic() < until and not _lasting(error):
                time.sleep(0.5)
                continue
            complain(f"setup: {error}")
            return 1
        say(f"buckets {models} and {drops}; incoming/ of {drops} is told to {notify}")
        return 0


def _make(client: Any, bucket: str, region: str) -> None:
    from botocore.exceptions import ClientError

    elsewhere = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        client.create_bucket(Bucket=bucket, **elsewhere)
    except ClientError as error:
        if error.response["Error"]["Code"] not in TAKEN:
            raise
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


def _notify(client: Any, bucket: str, arn: str) -> None:
    """By prefix only, as in the template: batch acknowledges what is no CSV."""
    target = {
        "QueueArn": arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "incoming/"}]}},
    }
    client.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [target]}
    )


def _lasting(error: Exception) -> bool:
    """Waiting will not mend a refusal; it may mend a server that is not up yet."""
    status = getattr(error, "response", {}).get("ResponseMetadata", {}).get("HTTPStatusCode", 503)
    return type(error).__name__ == "NoCredentialsError" or 400 <= int(status) < 500


def _bucket(store: str) -> str:
    from functions.errors import NotConfigured

    url = urlsplit(store)
    if url.scheme != "s3" or not url.netloc:
        raise NotConfigured(f"{store!r} is no S3 store; setup makes buckets for s3://bucket[/prefix]")
    return url.netloc
