"""The rows that the gate makes: what must be among them, and how many there may be."""

from typing import Any

import numpy as np
import pytest

from tests import engines
from training import probes
from training.probes import Table, columns_of


def made(of: engines.Table, answering: Any = None, seed: int = 0) -> list[Table]:
    signature = engines.signature_of(of, [])
    rows = columns_of(of.features, signature)
    return list(probes.probes(signature, rows, answering or (lambda table: np.zeros(len(table[0]))), seed))


def cells(tables: list[Table], at: int) -> list[Any]:
    return [cell for table in tables for cell in table[at].tolist()]


def is_gap(cell: Any) -> bool:
    return cell is None or cell != cell


def test_every_text_is_once_one_that_training_did_not_see_alone_and_together_and_once_empty() -> None:
    seen = {at: set(engines.people().features.iloc[:, at].dropna()) for at in (2, 3)}
    strange = [
        (city not in seen[2] and city is not None, plan not in seen[3] and plan is not None)
        for table in made(engines.people())
        for city, plan in zip(table[2].tolist(), table[3].tolist(), strict=True)
    ]
    assert set(strange) == {(False, False), (True, False), (False, True), (True, True)}
    assert "" in cells(made(engines.people()), 2)
    assert "" in cells(made(engines.people()), 3)


def test_every_feature_that_may_be_missing_is_once_missing_alone_and_once_with_all_others_and_no_other_ever() -> None:
    gaps = {
        tuple(is_gap(cell) for cell in row)
        for table in made(engines.people())
        for row in zip(*(column.tolist() for column in table), strict=True)
    }
    nullable = (0, 2, 5)
    for at in nullable:
        assert tuple(place == at for place in range(6)) in gaps
    assert tuple(place in nullable for place in range(6)) in gaps
    assert not any(row[place] for row in gaps for place in (1, 3, 4))


def test_zeros_of_both_signs_the_smallest_and_absurd_numbers_are_among_them() -> None:
    found = cells(made(engines.iris()), 0)
    signs = {np.signbit(cell) for cell in found if cell == 0}
    assert signs == {True, False}
    assert {5e-324, 2.0**60, 3.5e38, -3.5e38, probes.LARGEST, -probes.LARGEST} <= set(found)
    assert max(map(abs, found)) == probes.LARGEST


def test_rows_lie_on_both_sides_of_a_boundary_as_near_as_float32_tells_apart_and_nearer() -> None:
    boundary = 5.7130

    def answering(table: Table) -> Any:
        return (table[0] > boundary).astype(float)

    found = np.array(cells(made(engines.iris(), answering)[-1:], 0))
    for side in (found[found <= boundary], found[found > boundary]):
        nearest = np.abs(side - boundary).min()
        assert nearest < 1e-8
    gap = float(np.spacing(np.float32(boundary)))
    in_single = found[found.astype(np.float32) == found]
    assert np.abs(in_single - boundary).min() < gap


def test_where_all_is_answered_alike_there_is_no_boundary() -> None:
    assert len(made(engines.iris())) == 4
    assert len(made(engines.iris(), lambda table: np.full(len(table[0]), np.nan))) == 4


def test_the_same_seed_makes_the_same_rows() -> None:
    def text(seed: int) -> str:
        return repr([[column.tolist() for column in table] for table in made(engines.people(), seed=seed)])

    assert text(0) == text(0) != text(1)


@pytest.mark.parametrize("width", [1, 50, 800])
def test_no_made_table_has_more_cells_than_allowed(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "MOST_CELLS", 60_000)
    table = engines.iris()
    wide = engines.Table(
        table.features.iloc[:, [at % 4 for at in range(width)]].set_axis([f"x{at}" for at in range(width)], axis=1),
        table.target,
        "classification",
    )

    def answering(rows: Table) -> Any:
        assert len(rows) * len(rows[0]) <= max(60_000, probes.FEWEST * width)
        return (rows[0] > 5.7).astype(float)

    for rows in made(wide, answering):
        assert len(rows) * len(rows[0]) <= max(60_000, probes.FEWEST * width)
