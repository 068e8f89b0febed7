"""The benchmarks run, every contestant answers rightly, and the image keeps its import budget. No time is judged."""

from collections.abc import Iterator

import pytest

from benchmarks import figures
from benchmarks.contestants import Order
from benchmarks.field import Image, event
from benchmarks.stage import Stage, staged
from tests.integration.test_cold_start import HEAVY, NOT_NEEDED, SINCE_3_12

CONTESTANTS = ["predict", "predict by joblib", "empty", "empty again", "plain without pandas", "plain"]


@pytest.fixture(scope="module")
def image(docker: str) -> Image:
    assert docker
    return Image.built()


@pytest.fixture(scope="module")
def stage(minio_binary: object) -> Iterator[Stage]:
    assert minio_binary
    with staged() as made:
        yield made


def test_cold_starts_are_measured_for_every_contestant_and_predict_imports_nothing_heavy(
    image: Image, stage: Stage
) -> None:
    raw = image.run("cold", Order(image.contestants(stage), event(), 2))
    assert list(raw) == CONTESTANTS
    for each in raw.values():
        assert [len(each[name]) for name in ("first_seconds", "init_seconds", "rss_bytes")] == [2, 2, 2]
        assert each["opened"]["files"] > 50
    assert sorted(set(raw["predict"]["imports"]) & (HEAVY | NOT_NEEDED | SINCE_3_12)) == []
    assert {"boto3", "pandas.core.frame", "sklearn"} <= set(raw["plain"]["imports"])
    assert "pandas.core.frame" not in raw["plain without pandas"]["imports"]  # it is asked for and not there
    assert set(figures.of_cold(raw)["contestants"]) == set(CONTESTANTS)


def test_warm_requests_are_measured_for_every_contestant(image: Image, stage: Stage) -> None:
    raw = image.run("warm", Order(image.contestants(stage), event(), 2))
    assert list(raw) == CONTESTANTS
    assert all(len(each["request_seconds"]) == 2 * each["requests_per_block"] for each in raw.values())
    assert set(figures.of_warm(raw)["contestants"]) == set(CONTESTANTS)


def test_the_parts_of_a_cold_start_are_measured_one_after_the_other(image: Image, stage: Stage) -> None:
    raw = image.run("parts", Order(image.contestants(stage), event(), 2))
    assert all(len(each["seconds"]) == 2 for each in raw.values())
    assert next(iter(figures.of_parts(raw)["contestants"])) == "the shell of the entry point"
