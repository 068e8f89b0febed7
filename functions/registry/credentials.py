"""The seam for S3 credentials: what obstore cannot find by itself is found here."""

import os
from typing import Any, NoReturn

from functions.errors import NotConfigured

OWN = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)


def forget_empty() -> None:
    """Takes empty AWS_* variables out of the environment, since obstore reads it by itself and takes them for values:
    an empty endpoint panics there, and an empty key is half a pair of credentials."""
    for name in [name for name, value in os.environ.items() if name.startswith("AWS_") and not value]:
        del os.environ[name]


def credential_provider() -> Any | None:
    """None where obstore finds credentials itself; else boto3's chain (profiles, SSO) where boto3 is installed.

    Raises NotConfigured for a profile that is not there, is half of one, or that nothing here can read.
    """
    profile = os.environ.get("AWS_PROFILE")
    own = any(os.environ.get(name) for name in OWN)
    if own and not profile:
        return _from_the_container() if _is_told_by_uri() else None
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ProfileNotFound
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        if profile and not own:
            raise NotConfigured(
                f"AWS_PROFILE is {profile!r}, and there is no boto3 here to read profiles; "
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            ) from None
        return None
    try:
        session = boto3.Session()
        return Boto3CredentialProvider(session) if session.get_credentials() else _none
    except ProfileNotFound:
        raise NotConfigured(f"there is no AWS profile {profile!r}; set AWS_PROFILE to one that exists") from None
    except BotoCoreError as error:
        raise NotConfigured(f"the AWS configuration cannot be used: {error}") from None


def _is_told_by_uri() -> bool:
    """Keys in the environment come first; obstore by itself takes the address only with a token in a file."""
    return bool(os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")) and not os.environ.get("AWS_ACCESS_KEY_ID")


def _from_the_container() -> Any:
    from functions.registry.container_credentials import ContainerCredentials

    return ContainerCredentials()


def _none() -> NoReturn:
    """boto3 has asked everywhere, the machine's metadata service included; obstore would ask there for long again."""
    raise LookupError("no AWS credentials")
