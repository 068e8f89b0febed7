"""Drops and steps are counted under Lambda's name for the function, as predict's requests are."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from functions.batch import BatchDoor
from functions.fanout import FanOutDoor
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

    def finish(self, *_: object) -> Report:
        return DONE


@pytest.mark.parametrize(
    ("door", "event", "otherwise"),
    [(BatchDoor, "s3-put", "batch"), (FanOutDoor, "step-finish", "fan-out")],
)
def test_what_is_measured_bears_the_functions_own_name(
    door: Any, event: str, otherwise: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = json.loads((ROOT / "events" / f"{event}.json").read_text(encoding="utf-8"))
    for context, name in ((SimpleNamespace(function_name="stack-Function-1"), "stack-Function-1"), (None, otherwise)):
        capsys.readouterr()
        door(Scoring())(sent, context)
        assert json.loads(capsys.readouterr().out)["function"] == name
