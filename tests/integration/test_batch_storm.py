"""Two hundred files dropped at once, by MinIO's webhook and the local gateway."""

from pathlib import Path

import pytest

from tests.storm import storm

DROPS = 200


@pytest.mark.parametrize("kill", [False, True], ids=["gateway stays", "gateway killed in the middle"])
def test_two_hundred_drops_end_with_two_hundred_right_summaries(minio_binary: Path, tmp_path: Path, kill: bool) -> None:
    weathered = storm(minio_binary, tmp_path, DROPS, kill=kill)
    assert weathered.drops == DROPS
    assert weathered.before is None or weathered.before < DROPS
