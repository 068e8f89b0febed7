"""The figures that are told come from raw ones by rules, and the documents' tables are those of the results files."""

import re
from pathlib import Path

import pytest

from benchmarks import figures, table

START = {
    "init_seconds": [0.02, 0.03], "first_seconds": [0.05, 0.06, 0.04], "processor_seconds": [0.05],
    "rss_bytes": [50_000_000, 52_000_000], "pss_bytes": [40_000_000], "modules": 3, "import_seconds": 0.0123,
    "opened": {"files": 7, "missed": 2, "bytes": 1_234_567},
}  # fmt: skip


def test_a_cold_start_is_told_by_its_median_and_its_worst() -> None:
    slower = START | {"first_seconds": [1.0, 1.1, 0.9], "rss_bytes": [204_000_000]}
    quicker = START | {"first_seconds": [0.025]}
    raw = {"predict": START, "empty": quicker, "empty again": quicker, "plain": slower}
    found = figures.of_cold(raw)
    assert found["contestants"]["predict"] == {
        "median_ms": 50.0, "best_ms": 40.0, "worst_ms": 60.0, "init_ms": 25.0, "processor_ms": 50.0, "import_ms": 12.3,
        "modules": 3, "files": 7, "read_mb": 1.2, "rss_mb": 51.0, "pss_mb": 40.0,
    }  # fmt: skip
    assert found["ratios"] == {
        "plain to predict": 20.0, "predict to empty": 2.0, "empty again to empty": 1.0,
        "memory, predict to plain": 0.25,
    }  # fmt: skip


def test_a_warm_request_is_told_by_its_median_its_slowest_hundredth_and_how_many_go_in_a_second() -> None:
    asked = {"request_seconds": [0.0001] * 99 + [0.0003], "block_seconds": [0.01, 0.02, 0.03],
             "requests_per_block": 100, "rss_bytes": 50_000_000, "pss_bytes": 40_000_000}  # fmt: skip
    found = figures.of_warm(dict.fromkeys(("predict", "empty", "empty again", "plain"), asked))
    assert found["contestants"]["predict"] == {
        "p50_us": 100.0, "p99_us": 298.0, "requests_per_second": 5000, "rss_mb": 50.0, "pss_mb": 40.0
    }  # fmt: skip


def test_the_parts_of_a_start_are_told_by_what_each_adds() -> None:
    found = figures.of_parts({"one": {"seconds": [0.01, 0.02, 0.03]}, "other": {"seconds": [0.05]}})
    assert found["contestants"] == {
        "one": {"until_ms": 20.0, "own_ms": 20.0},
        "other": {"until_ms": 50.0, "own_ms": 30.0},
    }


def test_the_documents_hold_the_tables_of_the_results_files() -> None:
    assert table.outdated() == []
    for document in table.DOCUMENTS:
        assert "<!-- benchmarks: " in document.read_text()


def test_a_figure_changed_by_hand_is_found_and_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = table.DOCUMENTS[0].read_text()
    document = tmp_path / "README.md"
    document.write_text(re.sub(r"(\| cold start \|[^|]+\| )[\d.]+", r"\g<1>99.9", right))
    monkeypatch.setattr(table, "DOCUMENTS", [document])
    assert document.read_text() != right
    assert table.outdated() == [document]
    assert table.write() == [document]
    assert (document.read_text(), table.outdated(), table.write()) == (right, [], [])
