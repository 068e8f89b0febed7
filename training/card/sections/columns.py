"""The columns of the file: what each was taken for, what was done with it, and how much of it is missing."""

import msgspec

from training.card.sections.treatment import treatments
from training.evidence import Evidence


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column. treatment: what the pipeline does with it before its last step.

    missing: cells, of the rows with a target; of the target itself, of all rows. minimum, maximum, mean: of a number.
    """

    name: str
    kind: str
    role: str
    reason: str
    treatment: str
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
    treated = treatments(evidence.pipeline, evidence.signature.names)
    found = []
    for column in evidence.columns:
        rows = max(1, evidence.rows + (evidence.dropped_rows if column.role == "target" else 0))
        feature = features.get(column.name) if column.role == "feature" else None
        found.append(
            Column(
                name=column.name,
                kind=column.kind,
                role=column.role,
                reason=column.reason,
                treatment=treated.get(column.name, "") if column.role == "feature" else "",
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
