"""Uploads in numbered pieces into an S3 bucket, through botocore, since obstore has none that several processes share.

Sources: Amazon S3 API Reference, CreateMultipartUpload and its kin, and "Object" for what an ETag is and is not.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from functions.errors import AccessDenied, ObjectNotFound, PreconditionFailed, StoreError, StoreUnavailable
from functions.registry import aws
from functions.registry.store import Stat, checked
from functions.registry.uploads import Numbered

if TYPE_CHECKING:
    from functions.registry.s3 import S3Store

T = TypeVar("T")

LEAST = 5 * 1024 * 1024
MARK = "upload"  # the user metadata that holds an upload's mark


class S3Uploads:
    """Uploads into the bucket, and under the prefix, of a store."""

    least = LEAST

    def __init__(self, store: "S3Store") -> None:
        self._bucket = store.bucket
        self._prefix = store.prefix
        self._url = store.url
        self._client: Any = aws.client("s3", store.settings)

    def create(self, key: str, mark: str) -> str:
        made = self._asked(key, lambda at: self._client.create_multipart_upload(**at, Metadata={MARK: mark}))
        return str(made["UploadId"])

    def put(self, key: str, upload: str, number: int, body: bytes) -> Numbered:
        made = self._asked(
            key, lambda at: self._client.upload_part(**at, UploadId=upload, PartNumber=number, Body=body)
        )
        return Numbered(number, made["ETag"], len(body))

    def complete(self, key: str, upload: str, pieces: Sequence[Numbered]) -> None:
        parts = [{"PartNumber": piece.number, "ETag": piece.etag} for piece in pieces]
        self._asked(
            key,
            lambda at: self._client.complete_multipart_upload(**at, UploadId=upload, MultipartUpload={"Parts": parts}),
        )

    def abort(self, key: str, upload: str) -> None:
        try:
            self._asked(key, lambda at: self._client.abort_multipart_upload(**at, UploadId=upload))
        except ObjectNotFound:
            return

    def pending(self, key: str) -> list[str]:
        pages = self._client.get_paginator("list_multipart_uploads")
        found = self._asked(
            key, lambda at: [*pages.paginate(Bucket=at["Bucket"], Prefix=at["Key"]).search("Uploads[]")]
        )
        return [one["UploadId"] for one in found if one and one["Key"] == self._prefix + key]

    def made(self, key: str, mark: str) -> Stat | None:
        found = self._asked(key, lambda at: self._client.head_object(**at))
        if found["Metadata"].get(MARK) != mark:
            return None
        modified = found["LastModified"].isoformat(timespec="microseconds")
        return Stat(found["ETag"], found["ContentLength"], modified, found.get("VersionId"))

    def _asked(self, key: str, call: Callable[[dict[str, str]], T]) -> T:
        try:
            return call({"Bucket": self._bucket, "Key": self._prefix + checked(key)})
        except ClientError as error:
            raise self._told(error, key) from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"{self._url} did not take this of {key}: {error}") from error

    def _told(self, error: Any, key: str) -> StoreError:
        code = error.response["Error"].get("Code", "")
        if code == "NoSuchUpload":
            return ObjectNotFound(f"there is no such upload of {key} any more in {self._url}")
        if code in ("404", "NoSuchKey"):  # to a HEAD nobody gives a reason
            return ObjectNotFound(f"{key} is not in {self._url}")
        if code == "InvalidPart":
            return PreconditionFailed(f"a part of {key} was sent again meanwhile")
        if code in ("AccessDenied", "403"):
            return AccessDenied(f"the credentials in use may not upload {key} in parts to {self._url}")
        return StoreUnavailable(
            f"{self._url} refused a part of {key}: {code}: {error.response['Error'].get('Message')}"
        )
