"""docs/batch.md shows what its commands print and what the summary holds, and explains every field and status."""

import re
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from functions.registry.s3 import PART_BYTES
from functions.score import EPILOG
from functions.scoring.report import Report
from functions.scoring.summary import ClassCounts, FeatureReport, Spread, Status, Summary
from tests.documents import batch

ROW = re.compile(r"^\| `([^`|]+)` \|", re.MULTILINE)


@pytest.fixture(scope="module")
def document() -> str:
    return batch.DOCUMENT.read_text()


def section(document: str, title: str) -> str:
    _, found, rest = document.partition(f"\n## {title}\n")
    assert found, f"there is no section {title}"
    return rest.partition("\n## ")[0]


def test_the_document_shows_what_comes_out() -> None:
    assert batch.shown() == batch.made(), "run: make docs"


def test_every_field_of_the_summary_is_explained_and_no_other(document: str) -> None:
    assert ROW.findall(section(document, "The summary")) == list(fields(Summary))


def fields(struct: Any, path: str = "") -> Any:
    """Every field by its path, as JSON has it: `rows.input`, `features.<name>.drift`."""
    hints = get_type_hints(struct)
    for field in msgspec.structs.fields(struct):
        name = path + field.encode_name
        inner = [kind for kind in (hints[field.name], *get_args(hints[field.name])) if _is_struct(kind)]
        if not inner:
            yield name
        within = f"{name}.<name>." if inner == [FeatureReport] else f"{name}."
        for kind in inner:
            yield from fields(kind, within)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def test_the_fields_are_found_in_every_kind_of_value() -> None:
    found = set(fields(Summary))
    assert {"status", "input.bytes", "outputs.scored.etag", "features.<name>.drift", "rejected_by_reason"} <= found
    kinds = [kind for struct in (ClassCounts, Spread) for kind in struct.__struct_fields__]
    assert {f"predictions.{kind}" for kind in kinds} <= found


def test_every_status_is_told_with_what_to_do(document: str) -> None:
    told = section(document, "What to do")
    assert ROW.findall(told) == list(get_args(Status))
    for status in (*words(get_type_hints(Report)["status"]), "ignored"):
        assert f"`{status}`" in told


def words(kind: Any) -> list[str]:
    """The words that a literal, or a union of several, allows."""
    return [kind] if isinstance(kind, str) else [word for one in get_args(kind) for word in words(one)]


def test_the_exit_codes_are_those_of_the_commands_own_help(document: str) -> None:
    listed = re.findall(r"^\| (\d+) \| (.*) \|$", section(document, "On a command line"), re.MULTILINE)
    helped = re.findall(r"^  (\d+) +(.*)$", EPILOG, re.MULTILINE)
    assert [code for code, _ in listed] == [*[code for code, _ in helped], "143"]
    assert listed[:3] == helped[:3]


@pytest.mark.parametrize(("rate", "whole"), [(10_000_000, 900.0), (3_000_000, 60.0), (50_000_000, 100.0)])
def test_the_size_that_fits_is_reckoned_as_the_document_says(document: str, rate: int, whole: float) -> None:
    assert "`0.8 * R * (T - min(10, T / 10))`" in document
    fitting = int(0.8 * rate * (whole - min(10, whole / 10)))
    told = batch.too_large(20_000_000_000_000, rate, whole)
    assert f"in files of at most {fitting} bytes" in told


def test_a_result_has_at_most_as_many_bytes_as_the_document_says(document: str) -> None:
    assert f"{PART_BYTES * 10_000:,} bytes" in document
