"""docs/errors.md is the error tree's, whole."""

from functions import errors
from functions.scoring import reasons
from tests.documents import errors as document


def test_the_document_is_what_the_code_says() -> None:
    assert document.DOCUMENT.read_text() == document.text(), "run: make docs"


def test_every_error_of_the_tree_and_every_reason_is_documented() -> None:
    shown = document.text()
    for error in [*document.below(errors.RequestError), *document.below(errors.ModelError), *document.stores()]:
        assert f"| {error.status} | `{error.code}` |" in shown
    others = (errors.EventError, errors.ServingError, errors.Unfinished, errors.OutOfTime, errors.RunEnded)
    for code in (error.code for error in others):
        assert f"`{code}`" in shown
    constants = {name: value for name, value in vars(reasons).items() if name.isupper()}
    assert {name: told.code for name, told in document.told_of_reasons().items()} == constants
    for code in constants.values():
        assert f"| `{code}` |" in shown


def test_nothing_else_is_raised_on_purpose() -> None:
    raised = {each for each in document.below(errors.ServingError) if each.__module__.startswith("functions.")}
    documented = {*document.answered(), *document.stores(), errors.Unfinished, errors.OutOfTime, errors.RunEnded}
    documented |= {errors.RequestError, errors.DropRefused}  # a base that is never raised; a reason's carrier
    assert raised == documented - {errors.ServingError}
