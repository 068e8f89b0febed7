"""Clients of AWS services through botocore, for the few calls that obstore has not. It is imported lazily."""

import logging
from typing import Any

from functions.registry.credentials import forget_empty
from functions.settings import StoreSettings

CONNECT_SECONDS = 5
READ_SECONDS = 120
ATTEMPTS = 5


def client(service: str, settings: StoreSettings | None = None) -> Any:
    """A client of one service, with S3's buckets in the path. It finds credentials as every AWS SDK does."""
    forget_empty()
    from botocore.config import Config
    from botocore.session import Session

    logging.getLogger("botocore.credentials").setLevel(logging.WARNING)  # else a line of each client says where from
    settings = settings or StoreSettings.read()
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=32,
        request_checksum_calculation="when_required",  # TLS guards the bytes, and not every S3 knows the newer sums
        response_checksum_validation="when_required",
        s3={"addressing_style": "path"},
    )
    endpoint = settings.endpoint if service == "s3" else None
    region = settings.region or "us-east-1"
    return Session().create_client(service, region_name=region, endpoint_url=endpoint, config=config)
