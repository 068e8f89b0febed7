"""Log lines: one JSON object each, whatever they are about."""

import json
import warnings
from typing import Any

import pytest

from functions import telemetry
from functions.errors import StoreUnavailable


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    read = capfd.readouterr()
    assert read.err == ""
    found = [json.loads(line) for line in read.out.splitlines()]
    return [{key: value for key, value in line.items() if key != "timestamp"} for line in found]


def test_a_line_is_written_whatever_it_holds(capfd: pytest.CaptureFixture[str]) -> None:
    telemetry.log("failed", key="a\ud800", none=None)
    assert lines(capfd) == [{"level": "INFO", "message": "failed", "key": "a\ud800"}]


def test_a_deliberate_error_says_its_code_and_a_defect_shows_its_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    telemetry.failure("failed", StoreUnavailable("no bucket"), key="k")
    telemetry.failure("failed", ValueError("odd"))
    deliberate, defect = lines(capfd)
    assert deliberate == {
        "level": "ERROR", "message": "failed", "code": "store_unavailable", "error": "no bucket", "key": "k"
    }  # fmt: skip
    assert defect.pop("trace") == "ValueError: odd\n"
    assert defect == {"level": "ERROR", "message": "failed", "error": "odd"}


def test_a_librarys_warning_is_a_line_like_the_others(capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        telemetry.warnings_as_lines()
        warnings.warn("overflow encountered", RuntimeWarning, stacklevel=1)
    (line,) = lines(capfd)
    assert line.pop("place").startswith("test_telemetry.py:")
    assert line == {"level": "WARN", "message": "overflow encountered", "category": "RuntimeWarning"}
