"""docs/retraining.md's commands for one machine, typed in a fresh clone; the others need AWS, or a registry."""

import json
from pathlib import Path

from tests.e2e.reader import type_in
from tests.readme import blocks

PAGE = Path(__file__).parents[2] / "docs" / "retraining.md"


def test_what_a_training_job_leaves_for_the_gate_can_be_looked_at_on_one_machine(clone: Path) -> None:
    *_, block = [one.text for one in blocks(PAGE) if one.language == "sh"]
    *told, evidence = type_in(clone, block).partition("left what a gate looks at as ")
    address, _, document = evidence.partition("\n")
    assert "no alias was moved" in told[0]
    assert address.endswith("/bucket/models/iris/evidence/monday.json")
    found = json.loads(document)
    assert (found["run"], found["measured"]["name"]) == ("monday", "accuracy")
    assert found["compared"]["own"] == found["compared"]["live"]
