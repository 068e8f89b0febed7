"""The translated template, once for all tests that read it; SAM's translator is imported for those alone."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.template import Json, Stack


@pytest.fixture(scope="session")
def template() -> "dict[str, Json]":
    from tests.template import translated

    return translated()


@pytest.fixture(scope="session")
def stack(template: "dict[str, Json]") -> "Stack":
    """What the template makes where fan-out and retraining are on and everything else is as by default."""
    from tests.template import ALL_ON, Stack

    return Stack(template, ALL_ON)
