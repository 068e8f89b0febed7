"""The commands of `python -m training`: options in, exit code out. It wires the steps and does none of them."""

import getpass
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from functions.settings import separator_of
from training.endings import ENVIRONMENT, MISTAKE, Stopped, exit_code_of, told

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # brackets in a help text are brackets
    help="Train scikit-learn pipelines and publish them where the functions find them.",
)


@app.callback()
def _commands() -> None:
    """Keeps `fit` a word of its own, also while it is the only command."""


@app.command(
    epilog="Exit codes: 0 published; 2 your arguments or data; 1 the store, the network or credentials; 130 stopped.",
)
def fit(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="A CSV with a header, plain or gzip, in UTF-8.")],
    target: Annotated[str, typer.Option(help="The column to predict.")],
    name: Annotated[str | None, typer.Option(help="The model's name in the registry, e.g. iris.")] = None,
    store: Annotated[
        str | None, typer.Option(help="Publish to a registry: s3://bucket[/prefix], file:///folder or a folder.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Or write plain files: model.joblib, with model.manifest.json beside it.")
    ] = None,
    alias: Annotated[str, typer.Option(help="The alias that is moved to the new version.")] = "live",
    promote: Annotated[bool, typer.Option(help="Move the alias, or leave it where it is.")] = True,
    drop: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Leave a column out; may be given more than once.")
    ] = None,
    separator: Annotated[
        str | None, typer.Option(help="One character, or tab. Without it: the header tells (, ; or tab).")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Shuffles the folds; the same seed, the same model.")
    ] = 0,
    by: Annotated[str | None, typer.Option(help="Who moves the alias. Without it: the user running this.")] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Fit the reference pipeline to a CSV, and publish it as a version.

    Every column beside the target is a numeric feature; rows whose target is missing are left out. Scaling, PCA and
    logistic regression are searched over by 3-fold cross-validation, and the best is loaded back and checked
    before anything is published.

    \b
    python -m training fit data/iris.csv --target species --name iris --store s3://bucket/prefix
    python -m training fit data/iris.csv --target species --name iris --store ./bucket
    python -m training fit data/iris.csv --target species --output model.joblib

    S3 is reached by the usual AWS variables; AWS_ENDPOINT_URL points it at MinIO.
    """
    try:
        from training.run import Order, run

        run(
            Order(
                table=table,
                target=target,
                name=name,
                store=store,
                output=output,
                alias=alias if promote else None,
                drop=tuple(drop or ()),
                separator=separator_of(separator, "--separator"),
                seed=seed,
                by=by or _user(),
            )
        )
    except BaseException:
        if debug:
            traceback.print_exc()
        raise


def main(arguments: Sequence[str]) -> int:
    """Runs one command and gives its exit code. Whatever ends it otherwise is one line on standard error."""
    try:
        return int(app(args=list(arguments), prog_name="python -m training", standalone_mode=False) or 0)
    except TyperException as error:
        usage = error.format_message().rstrip(".")
        return _end(f"error: {usage}; see python -m training fit --help", MISTAKE)
    except (Exception, Stopped) as error:
        code = exit_code_of(error)
        if code is None:
            defect = f"{type(error).__name__}: {error}; this is a defect, please report it with what --debug shows"
            return _end(f"error: {defect}", ENVIRONMENT)
        return _end(told(error), code)


def _end(text: str, code: int) -> int:
    print(" ".join(text.splitlines()), file=sys.stderr)  # noqa: T201 # the one line a run ends with
    return code


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user has no name
        return f"uid {os.getuid()}"
