"""docs/decided-cases.md is what its tests make of it, with a case for every code that a file's bytes alone decide."""

from functions.scoring import reasons
from tests.documents import decided
from tests.unit.scoring import test_decided_cases

NOT_BY_BYTES_ALONE = {
    reasons.NOT_PREDICTABLE,
    reasons.PREDICTION_NOT_FINITE,
    reasons.TOO_LARGE,
    reasons.GZIP_NOT_CUT,
    reasons.NO_SAFE_CUT,
    reasons.TOO_MANY_REJECTED,
}


def test_the_page_is_what_the_cases_make() -> None:
    told = decided.text()
    assert decided.DOCUMENT.read_text(encoding="utf-8") == told, (
        "docs/decided-cases.md is not up to date; run: make docs"
    )
    codes = {value for name, value in vars(reasons).items() if name.isupper()}
    assert {code for code in codes if f"`{code}`" in told} == codes - NOT_BY_BYTES_ALONE


def test_every_case_stands_under_a_heading_in_words_of_its_own() -> None:
    cases = [test for _, tests in decided.sections() for test in tests]
    named = [name for name in vars(test_decided_cases) if name.startswith("test_")]
    assert sorted(test.__name__ for test in cases) == sorted(named)
    assert all(test.__doc__ for test in cases)
