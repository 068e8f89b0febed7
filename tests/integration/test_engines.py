"""The estimators that must go by twin do, on real tables; docs/engines.md says what does and what does not."""

import pytest

from tests import engines
from training.parity import Twin

CASES = engines.cases()


@pytest.fixture(scope="module")
def outcomes() -> dict[engines.Case, Twin | str]:
    """Each case's outcome, found once."""
    return {}


@pytest.mark.parametrize("case", CASES, ids=[f"{case.name} on {case.on}" for case in CASES])
def test_the_pipeline_goes_by_the_engine_that_it_must(
    case: engines.Case, outcomes: dict[engines.Case, Twin | str]
) -> None:
    outcome = outcomes.setdefault(case, case.outcome())
    if case.name in engines.OTHERS:
        return  # either will do; the page says which
    assert isinstance(outcome, Twin), outcome
    assert outcome.parity.label_differences == 0
    assert outcome.parity.rows > 3 * len(case.table().features)
    assert outcome.parity.precision == "double"


def test_the_page_says_what_the_gate_said(outcomes: dict[engines.Case, Twin | str]) -> None:
    missing = [case for case in CASES if case not in outcomes]  # where this test is run alone
    outcomes.update({case: case.outcome() for case in missing})
    assert engines.PAGE.read_text() == engines.page({case: outcomes[case] for case in CASES})
