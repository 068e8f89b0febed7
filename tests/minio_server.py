"""A real MinIO server for tests, with users that hold exactly the policies they are given. It knows no test."""

import base64
import hashlib
import os
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import urllib3
from botocore.config import Config
from minio import MinioAdmin
from minio.credentials.providers import StaticProvider

REGION = "us-east-1"
KEY_ID = "of-these-tests"  # what its key for SSE-KMS is called
WEBHOOK = "GATEWAY"
QUEUE_ARN = f"arn:minio:sqs::{WEBHOOK}:webhook"


@dataclass(frozen=True, slots=True)
class Credentials:
    access_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Minio:
    """A running server. `endpoint` is its URL; `root` may do anything and is for setting up, never for acting."""

    endpoint: str
    root: Credentials

    def environment(self, credentials: Credentials) -> dict[str, str]:
        """The AWS_* variables with which a process acts as this user on this server."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    @contextmanager
    def client(self, credentials: Credentials) -> Iterator[Any]:
        """A boto3 S3 client that acts as this user."""
        client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            region_name=REGION,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}),
        )
        with closing(client):
            yield client

    def user(self, policy: Mapping[str, Any]) -> Credentials:
        """A new user who may do what this IAM policy document says, and nothing else."""
        made = Credentials(f"u{secrets.token_hex(8)}", secrets.token_hex(20))
        name = f"p{secrets.token_hex(8)}"
        pool = urllib3.PoolManager()
        admin = MinioAdmin(
            endpoint=self.endpoint.removeprefix("http://"),
            credentials=StaticProvider(self.root.access_key, self.root.secret_key),
            secure=False,
            http_client=pool,
        )
        try:
            admin.policy_add(name, policy=dict(policy))
            admin.user_add(made.access_key, made.secret_key)
            admin.attach_policy([name], user=made.access_key)
        finally:
            pool.clear()
        return made

    def temporary(self, user: Credentials, seconds: float = 3600) -> dict[str, Any]:
        """What a platform's endpoint gives a process: keys of this user, good only with their session token.

        seconds: after which they are said to expire.
        """
        client = boto3.client(
            "sts", endpoint_url=self.endpoint, region_name=REGION,
            aws_access_key_id=user.access_key, aws_secret_access_key=user.secret_key,
        )  # fmt: skip
        with closing(client):
            given = client.assume_role(RoleArn="arn:aws:iam::123456789012:role/any", RoleSessionName="test")
        made, expires = given["Credentials"], datetime.now(UTC) + timedelta(seconds=seconds)
        return {
            "AccessKeyId": made["AccessKeyId"], "SecretAccessKey": made["SecretAccessKey"],
            "Token": made["SessionToken"], "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }  # fmt: skip

    def bucket(self, name: str, *, versioned: bool = False) -> str:
        """A new bucket."""
        with self.client(self.root) as client:
            client.create_bucket(Bucket=name)
            if versioned:
                client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    def encrypt(self, bucket: str) -> None:
        """From now on all that is written there is encrypted under a key of KMS, as with the template's KeyArn."""
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY_ID}}
        with self.client(self.root) as client:
            client.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})

    def notify(self, bucket: str, prefix: str) -> None:
        """Sends an event to the server's webhook for every object made under the prefix."""
        rule = {"Name": "prefix", "Value": prefix}
        wanted = {
            "QueueArn": QUEUE_ARN,
            "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": [rule]}},
        }
        with self.client(self.root) as client:
            client.put_bucket_notification_configuration(
                Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [wanted]}
            )


@contextmanager
def running(
    program: Path, folder: Path, *, webhook: str | None = None, host: str = "127.0.0.1", again: Minio | None = None
) -> Iterator[Minio]:
    """Runs a server on a free port of `host`, with its data in `folder` and random root credentials.

    webhook: the URL that gets the notifications of every bucket for which `notify` was called; they wait on disk
    while nobody answers there. again: a server that ran over this folder, to be met where it was, by who knew it.
    """
    root = again.root if again else Credentials(secrets.token_hex(10), secrets.token_hex(20))
    port = int(again.endpoint.rpartition(":")[2]) if again else _free_port(host)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "MINIO_ROOT_USER": root.access_key,
        "MINIO_ROOT_PASSWORD": root.secret_key,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
        "MINIO_REGION": REGION,
        "MINIO_KMS_SECRET_KEY": f"{KEY_ID}:{_key(root)}",
    }
    if webhook is not None:
        queue = folder / "events"
        queue.mkdir(parents=True)
        environment |= {
            f"MINIO_NOTIFY_WEBHOOK_ENABLE_{WEBHOOK}": "on",
            f"MINIO_NOTIFY_WEBHOOK_ENDPOINT_{WEBHOOK}": webhook,
            f"MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_{WEBHOOK}": str(queue),
        }
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    log_path = folder / "minio.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [program, "server", "--address", f"{host}:{port}", data],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_ready(
            f"http://{host}:{port}", lambda: log_path.read_text(errors="replace"), lambda: process.poll() is None
        )
        yield Minio(f"http://{host}:{port}", root)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def allow_s3(bucket: str) -> dict[str, Any]:
    """A policy for everything in one bucket: what a person who trains and drops files has."""
    arn = f"arn:aws:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": [arn, f"{arn}/*"]}],
    }


def _key(root: Credentials) -> str:
    """A key for SSE-KMS: the same for a server that is started again, which encrypts its own files under it as well."""
    return base64.b64encode(hashlib.sha256(root.secret_key.encode()).digest()).decode()


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def wait_until_ready(endpoint: str, last_words: Callable[[], str], alive: Callable[[], bool] = lambda: True) -> None:
    """Returns once the server answers. Raises RuntimeError with its last words when it is dead or takes a minute."""
    deadline = time.monotonic() + 60
    while alive() and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(endpoint, timeout=2).close()  # noqa: S310 - always http
            return
        except urllib.error.HTTPError as answer:
            answer.close()
            if answer.code == 403:  # it knows whom to refuse; its health page says "ready" before it knows its users
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"MinIO did not start:\n{last_words()[-2000:]}")
