"""Credentials from the address that the platform names, as SnapStart and ECS give them. It knows no store.

Sources: AWS SDKs and Tools Reference Guide, "Container credential provider"; AWS Lambda Developer Guide, "Lambda
SnapStart" (credentials expire over a snapshot, so they are asked for when the function runs).
"""

import os
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from functions.errors import NotConfigured

if TYPE_CHECKING:
    from obstore.store import S3Credential

URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"  # noqa: S105 - the name of a variable
TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # noqa: S105 - the name of a variable
TIMEOUT = 5.0  # seconds
PLAIN_HTTP = ("localhost", "127.0.0.1", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23")
"""Hosts of which a secret may be asked without TLS: this machine, ECS and EKS."""


class _Given(msgspec.Struct):
    access_key: str = msgspec.field(name="AccessKeyId")
    secret_key: str = msgspec.field(name="SecretAccessKey")
    token: str = msgspec.field(name="Token")
    expiration: datetime = msgspec.field(name="Expiration")


class ContainerCredentials:
    """What obstore calls for credentials, and again when they are about to expire."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        """Raises NotConfigured for an address that is none, or that would send secrets over a network in the clear."""
        self._uri = environ[URI]
        self._token = environ.get(TOKEN)
        self._token_file = environ.get(TOKEN_FILE)
        if not _may_be_asked(self._uri):
            raise NotConfigured(f"{URI} is {self._uri!r}; it must be https, or http on this machine")

    def __call__(self) -> "S3Credential":
        """Asks once. Raises LookupError, which names no secret, where there are none to be had."""
        given = self._asked()
        return {
            "access_key_id": given.access_key,
            "secret_access_key": given.secret_key,
            "token": given.token,
            "expires_at": given.expiration,
        }

    def _asked(self) -> _Given:
        from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

        class NoRedirect(HTTPRedirectHandler):
            def redirect_request(self, *_: object) -> None:
                """The token is for the address that was named, and for no other."""

        token = self._read_token()
        headers = {"Authorization": token} if token else {}
        opener = build_opener(ProxyHandler({}), NoRedirect)
        try:
            with opener.open(Request(self._uri, headers=headers), timeout=TIMEOUT) as answer:  # noqa: S310 - checked
                return msgspec.json.decode(answer.read(), type=_Given)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise LookupError(f"no AWS credentials from {URI}: {error}") from None

    def _read_token(self) -> str | None:
        """The file's first: it is written anew before what it holds expires."""
        if not self._token_file:
            return self._token
        try:
            with open(self._token_file) as file:  # noqa: PTH123 - pathlib is not on the cold path
                return file.read().strip()
        except OSError as error:
            raise LookupError(f"no AWS credentials: {TOKEN_FILE} cannot be read: {error.strerror}") from None


def _may_be_asked(uri: str) -> bool:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(uri)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in PLAIN_HTTP))
