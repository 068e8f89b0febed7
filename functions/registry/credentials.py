"""The seam for S3 credentials: what obstore cannot find by itself is found here."""

import os
from typing import Any

OWN = ("AWS_ACCESS_KEY_ID", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
       "AWS_WEB_IDENTITY_TOKEN_FILE")  # fmt: skip


def credential_provider() -> Any | None:
    """None where obstore finds credentials itself; else boto3's chain (profiles, SSO) where boto3 is installed."""
    if any(os.environ.get(name) for name in OWN) and not os.environ.get("AWS_PROFILE"):
        return None
    try:
        import boto3
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        return None
    session = boto3.Session()
    return Boto3CredentialProvider(session) if session.get_credentials() else None
