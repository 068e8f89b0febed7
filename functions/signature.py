"""What a model takes and gives, as the manifest says it and inference checks it; it knows no store and no engine."""

from typing import Literal, TypeAlias

import msgspec

Cell: TypeAlias = float | bool | str | None
"""One value of one feature: a finite float64, a boolean, a text, or None for missing."""

Label: TypeAlias = str | int | bool
"""One class of a classifier, as scikit-learn's `classes_` holds it."""

DType: TypeAlias = Literal["float64", "bool", "string"]
Task: TypeAlias = Literal["classification", "regression"]


class Feature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input column and what training saw in it.

    `nullable`: training saw missing values, so scoring takes them. `categories`: the texts seen (dtype string).
    `minimum` .. `std`: the training range (dtype float64), in the column's own unit; None where it does not apply.
    """

    name: str
    dtype: DType
    nullable: bool
    categories: list[str] | None = None
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    std: float | None = None


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Features in the order the pipeline was fitted on, and the target. `classes` is empty in regression."""

    task: Task
    features: list[Feature]
    target: str
    classes: list[Label]

    @property
    def names(self) -> list[str]:
        return [feature.name for feature in self.features]
