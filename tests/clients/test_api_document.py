"""docs/api.md shows what curl gets."""

from collections.abc import Iterator

import pytest

from functions.protocols import native, routes
from tests.documents import api
from tests.serving import Served, serving


@pytest.fixture(scope="module")
def open_to_a_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("documented"), "iris", HTTP_CORS_ORIGINS=api.PAGE) as served:
        yield served


@pytest.mark.parametrize("exchange", api.exchanges(), ids=lambda exchange: exchange.command[:100])
def test_the_document_shows_what_comes_back(exchange: api.Exchange, open_to_a_page: Served) -> None:
    assert api.steady(api.answer(exchange.command, open_to_a_page)) == api.steady(exchange.answer), "run: make docs"


@pytest.mark.parametrize("path", [*native.ROUTES, *routes.OTHERS])
def test_every_path_is_documented_with_a_request_and_its_answer(path: str) -> None:
    assert any(f"{api.URL}{path}" in exchange.command for exchange in api.exchanges())


def test_no_block_of_the_document_is_left_out() -> None:
    assert api.DOCUMENT.read_text().count("```sh\n") == len(api.exchanges())
