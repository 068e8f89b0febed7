"""Batch killed (-9) again and again on a real S3 server; `make soak` does it hundreds of times."""

import secrets
from pathlib import Path

import pytest

from tests.crash_campaign import campaign, folder_models
from tests.minio_server import Minio

STEPS, INSTANTS = 13, 12


@pytest.mark.parametrize("versioned", [True, False], ids=["versioned", "not versioned"])
def test_a_killed_process_and_a_retry_lose_nothing_double_nothing_and_leave_nothing_half(
    minio: Minio, tmp_path: Path, versioned: bool
) -> None:
    bucket = minio.bucket(f"crashes-{secrets.token_hex(6)}", versioned=versioned)
    with campaign(minio, bucket, folder_models(tmp_path)) as ran:
        ran.run(STEPS, INSTANTS, seed=20261123)
    assert ran.outcome.runs == STEPS + INSTANTS
    assert ran.outcome.uploads <= 2 * ran.outcome.runs  # one for each output that was being written
