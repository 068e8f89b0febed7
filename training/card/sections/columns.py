"""The columns of the file: what each was taken for, what was done with it, and how much of it is missing."""

import msgspec

from training.evidence import Evidence


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column. missing and distinct count cells; `seen` says the training range or the categories, in words."""

    name: str
    kind: str
    role: str
    reason: str
    missing: int
    missing_share: float
    distinct: int
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    categories: list[str] | None = None


def measure(evidence: Evidence) -> list[Column]:
    """One for each column, in the file's order. No cell of a column that is left out is repeated here."""
    features = {feature.name: feature for feature in evidence.signature.features}
    rows = max(1, evidence.rows + evidence.dropped_rows)
    found = []
    for column in evidence.columns:
        feature = features.get(column.name) if column.role == "feature" else None
        found.append(
            Column(
                name=column.name,
                kind=column.kind,
                role=column.role,
                reason=column.reason,
                missing=column.missing,
                missing_share=min(1.0, column.missing / rows),
                distinct=column.distinct,
                minimum=feature.minimum if feature else None,
                maximum=feature.maximum if feature else None,
                mean=feature.mean if feature else None,
                categories=feature.categories if feature else None,
            )
        )
    return found
