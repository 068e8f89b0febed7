"""Makes the summary of a drop out of what was counted and what is there now. It does no I/O."""

from datetime import UTC, datetime
from typing import Any

from functions.errors import DropRefused
from functions.inference.model import ServedModel
from functions.scoring import reasons
from functions.scoring.drop import DropPaths
from functions.scoring.summary import Input, Model, Outputs, Rows, Summary
from functions.scoring.tally import Tally


def scored(
    drop: Input,
    model: ServedModel,
    tally: Tally,
    outputs: Outputs,
    *,
    max_rejected_share: float,
    started: datetime,
) -> Summary:
    """Of a drop whose outputs are there. `failed` where more than this share of its rows was rejected."""
    rows = tally.rows
    failed = rows.input > 0 and rows.rejected / rows.input > max_rejected_share
    paths = DropPaths(drop.key)
    message = (
        f"{rows.rejected} of {rows.input} rows were rejected, more than a share of {max_rejected_share:g} "
        f"(BATCH_MAX_REJECTED_SHARE); the others are in {paths.scored}, look at {paths.rejected}"
    )
    return Summary(
        status="failed" if failed else "scored",
        reason=reasons.TOO_MANY_REJECTED if failed else None,
        message=message if failed else None,
        input=drop,
        model=_model(model),
        rows=rows,
        rejected_by_reason=dict(sorted(tally.reasons.items())),
        warnings=tally.warnings,
        outputs=outputs,
        predictions=tally.predictions,
        features=tally.features,
        **_spent(started),
    )


def refused(drop: Input, model: ServedModel, error: DropRefused, started: datetime) -> Summary:
    """Of a drop of which nothing was scored."""
    return Summary(
        status="refused",
        reason=error.code,
        message=error.message,
        input=drop,
        model=_model(model),
        rows=Rows(0, 0, 0, 0),
        rejected_by_reason={},
        warnings={},
        outputs=Outputs(None, None),
        predictions=None,
        features={},
        **_spent(started),
    )


def _model(model: ServedModel) -> Model:
    return Model(model.name, model.version, model.engine.name)


def _spent(started: datetime) -> dict[str, Any]:
    seconds = max(0.0, (datetime.now(UTC) - started).total_seconds())
    return {"started": started.isoformat(timespec="milliseconds"), "seconds": round(seconds, 3)}
