"""What went wrong in obstore, said in the error tree's words. It reads exceptions and touches no network."""

import re

from obstore.exceptions import AlreadyExistsError, NotModifiedError, PreconditionError

from functions.errors import AccessDenied, NotModified, ObjectNotFound, PreconditionFailed, StoreError, StoreUnavailable

CODE = re.compile(r"<Code>(\w+)</Code>|\(code: (\w+)\)")
MESSAGE = re.compile(r"<Message>(.*?)</Message>", re.DOTALL)
DENIED = re.compile(r"status code: 40[13] ")
METADATA_SERVICE = "169.254."  # where obstore asks last for credentials
HEAD = "performing HEAD"
URL = re.compile(r"https?://\S+")
WRONG_CREDENTIALS = frozenset({
    "ExpiredToken", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken", "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
})  # fmt: skip
OF_THE_KEY = (
    (FileNotFoundError, ObjectNotFound, "is not in {url}"),
    (AlreadyExistsError, PreconditionFailed, "exists already"),
    (NotModifiedError, NotModified, "is unchanged"),
    (PreconditionError, PreconditionFailed, "was changed by somebody else"),
)


def told(error: Exception, key: str, bucket: str, url: str) -> StoreError:
    """The error of the tree for one of obstore's, from its class and from S3's own code where it carries one.

    Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """
    text = str(error)
    found = CODE.search(text)
    code = (found[1] or found[2]) if found else None
    if code == "NoSuchBucket":
        return StoreUnavailable(f"there is no bucket {bucket!r}; create it or name another")
    if code in WRONG_CREDENTIALS:
        return AccessDenied(f"{url} does not take these credentials ({code}); check the AWS_* variables and the clock")
    if isinstance(error, FileNotFoundError) and code is None and HEAD not in text:  # to a HEAD nobody gives a reason
        return StoreUnavailable(f"what answers for {url} is not S3; check AWS_ENDPOINT_URL")
    for obstores, ours, words in OF_THE_KEY:
        if isinstance(error, obstores):
            return ours(f"{key} {words.format(url=url)}")
    if METADATA_SERVICE not in text and (DENIED.search(text) or code == "AccessDenied"):
        return AccessDenied(f"the credentials in use may not do this with {key} in {url}")
    if code is None and (unsent := _unsent(text, url)) is not None:
        return unsent
    if code is not None:
        message = MESSAGE.search(text)
        return StoreUnavailable(f"{url} refused {key}: {code}{f': {message[1]}' if message else ''}")
    return StoreUnavailable(f"{url} did not do this with {key}: {text.splitlines()[0]}")


def _unsent(text: str, url: str) -> StoreError | None:
    """Why nothing was asked of S3, or nothing came back; None where that is not what happened."""
    if re.match(r"Generic S3 error: Missing (AccessKeyId|SecretAccessKey)", text):
        return StoreUnavailable(
            f"half of the AWS credentials for {url} is missing; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    said = URL.sub("", text.splitlines()[0]).lower()  # a key's own words say nothing of what went wrong
    if METADATA_SERVICE in text or "credential" in said:
        return StoreUnavailable(
            f"no AWS credentials for {url}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        )
    if "error sending request" in said or "connect" in said:
        return StoreUnavailable(f"{url} cannot be reached; check AWS_ENDPOINT_URL, the region and the network")
    return None
