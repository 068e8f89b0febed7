"""Drops and steps are counted under Lambda's name for the function, as predict's requests are."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from functions.batch import BatchDoor
from functions.candidates import Judged, Notice
from functions.fanout import FanOutDoor
from functions.release import ReleaseDoor
from functions.scoring.report import Report
from functions.scoring.summary import Rows
from tests.template import ROOT

DONE = Report("scored", None, Rows(2, 2, 0, 0), "7", 10)


class Scoring:
    """A worker that has always scored two rows of whatever it is asked for."""

    def get(self) -> "Scoring":
        return self

    def why_ignored(self, _bucket: str, _key: str) -> None:
        return None

    def within(self, key: str) -> str:
        return key

    def score(self, *_: object) -> Report:
        return DONE

    def judge(self, *_: object) -> Judged:
        return Judged("passed", "7", None, None, (), Notice("", ""))

    def finish(self, *_: object) -> Report:
        return DONE


def test_the_rows_of_a_drop_in_parts_are_counted_once_by_the_finish_that_did_the_work(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Finished(Scoring):
        """Of three rows one was rejected; asked again it says the same of what was done before."""

        def __init__(self) -> None:
            self.reports = [
                Report("scored", None, Rows(3, 2, 1, 0), "7", 10, before=before) for before in (False, True, True)
            ]

        def finish(self, *_: object) -> Report:
            return self.reports.pop(0)

        abort = finish

    live: Any = Finished()
    sent = json.loads((ROOT / "events" / "step-finish.json").read_text(encoding="utf-8"))
    told = [FanOutDoor(live)({**sent, "step": step}, None) for step in ("finish", "finish", "abort")]
    rows = {"input": 3, "scored": 2, "rejected": 1, "blank": 0}
    assert told == [{"key": "incoming/iris sample.csv", "status": "scored", "reason": None, "rows": rows}] * 3
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["RowsScored"], line["RowsRejected"]) for line in lines] == [(2, 1), (0, 0), (0, 0)]


def release_door(candidates: Any) -> ReleaseDoor:
    return ReleaseDoor(lambda: candidates)


@pytest.mark.parametrize(
    ("door", "event", "otherwise"),
    [(BatchDoor, "s3-put", "batch"), (FanOutDoor, "step-finish", "fan-out"), (release_door, "release-gate", "release")],
)
def test_what_is_measured_bears_the_functions_own_name(
    door: Any, event: str, otherwise: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = json.loads((ROOT / "events" / f"{event}.json").read_text(encoding="utf-8"))
    for context, name in ((SimpleNamespace(function_name="stack-Function-1"), "stack-Function-1"), (None, otherwise)):
        capsys.readouterr()
        door(Scoring())(sent, context)
        assert json.loads(capsys.readouterr().out)["function"] == name
