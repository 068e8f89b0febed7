"""The commands of `python -m training`: options in, exit code out. It wires the steps and does none of them."""

import shlex
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from functions.settings import separator_of
from training.commands.declared import declare
from training.commands.unattended import declare as declare_unattended
from training.endings import ENVIRONMENT, MISTAKE, Stopped, exit_code_of, told
from training.person import user

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # brackets in a help text are brackets
    help="Train scikit-learn pipelines and publish them where the functions find them.",
)


@app.command(
    epilog="Exit codes: 0 published; 2 your arguments or data; 1 the store, the network or credentials; "
    "3 published, but the gate (--min-score, --max-drop-vs-live) let no alias move; 130 stopped.",
)
def fit(
    context: typer.Context,
    table: Annotated[
        str,
        typer.Argument(
            metavar="TABLE",
            help="A CSV with a header, plain or gzip, in UTF-8, or Parquet: a path, s3://bucket/key, or -.",
        ),
    ],
    target: Annotated[str, typer.Option(help="The column to predict.")],
    name: Annotated[str | None, typer.Option(help="The model's name in the registry, e.g. iris.")] = None,
    store: Annotated[
        str | None, typer.Option(help="Publish to a registry: s3://bucket[/prefix], file:///folder or a folder.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Or write plain files: model.joblib, with its manifest and its card beside it.")
    ] = None,
    alias: Annotated[str, typer.Option(help="The alias that is moved to the new version.")] = "live",
    promote: Annotated[bool, typer.Option(help="Move the alias, or leave it where it is.")] = True,
    features: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Learn from this column; from these alone, if any is given."),
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Leave a column out; may be given more than once.")
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="COLUMN=KIND", help="Take a column for a number, boolean or category."),
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="classification or regression. Without it: the target's values tell.")
    ] = None,
    positive_class: Annotated[
        str | None, typer.Option(help="Of two classes the one that precision and recall are about.")
    ] = None,
    group: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Rows of one group are never on both sides of a split.")
    ] = None,
    time: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Learn from earlier rows, judge by later ones.")
    ] = None,
    weight: Annotated[str | None, typer.Option(metavar="COLUMN", help="How much each row counts.")] = None,
    test_share: Annotated[float, typer.Option(help="The share of rows held out to judge by; 0 holds none out.")] = 0.2,
    models: Annotated[
        bool, typer.Option("--models", help="Compare linear, forest and boosted models, and take the best.")
    ] = False,
    pipeline: Annotated[
        str | None,
        typer.Option(metavar="WHERE", help="Your own: package.module:function, or path/to/file.py:function."),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Fit in so many processes; -1: one for each core.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Fit on a Dask cluster: its scheduler, tcp://host:port.")
    ] = None,
    separator: Annotated[
        str | None, typer.Option(help="One character, or tab. Without it: the header tells (, ; or tab).")
    ] = None,
    min_score: Annotated[
        float | None, typer.Option(metavar="SCORE", help="Promote only what reaches this accuracy (R² of numbers).")
    ] = None,
    max_drop_vs_live: Annotated[
        float | None,
        typer.Option(metavar="DROP", help="Promote only what falls behind the live version by no more than this."),
    ] = None,
    evidence: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Leave what a later gate looks at under this name, and move no alias."),
    ] = None,
    outcome: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what became of it to this file, as JSON.")
    ] = None,
    seed: Annotated[
        int,
        typer.Option(min=0, max=2**32 - 1, help="Of the split, the folds and the fit; the same seed, the same model."),
    ] = 0,
    by: Annotated[str | None, typer.Option(help="Who moves the alias. Without it: the user running this.")] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Fit a pipeline to a table, and publish it as a version.

    What each column is, and which are left out and why, is shown before the fit. Part of the rows is held out; on the
    others the reference pipeline (scaling, PCA and logistic or ridge regression; encoded categories) is searched over
    by 3-fold cross-validation. The best is judged on the rows held out, fitted again on all rows, loaded back and
    checked before anything is published.

    \b
    python -m training fit data/iris.csv --target species --name iris --store s3://bucket/prefix
    python -m training fit people.parquet --target stays --models --name people --store ./bucket
    python -m training fit - --target price --output model.joblib < prices.csv

    S3 is reached by the usual AWS variables; AWS_ENDPOINT_URL points it at MinIO.
    """
    try:
        from training.order import Order, kinds_of, limits_of, task_of
        from training.run import run
        from training.tables.roles import Wanted

        wanted = Wanted(
            target=target.strip(),
            features=_names(features),
            drop=_names(drop),
            types=kinds_of(tuple(kind or ())),
            group=None if group is None else group.strip(),
            time=None if time is None else time.strip(),
            weight=None if weight is None else weight.strip(),
        )
        run(
            Order(
                table=table,
                wanted=wanted,
                name=name,
                store=store,
                output=output,
                alias=alias if promote and evidence is None else None,
                separator=separator_of(separator, "--separator"),
                seed=seed,
                by=by or user(),
                task=task_of(task),
                positive=positive_class,
                share=test_share,
                models=models,
                pipeline=pipeline,
                jobs=jobs,
                scheduler=scheduler,
                command=shlex.join(["python", "-m", "training", *context.obj]),
                compared=alias,
                limits=limits_of(min_score, max_drop_vs_live),
                outcome=outcome,
                evidence=evidence,
            )
        )
    except BaseException:
        if debug:
            traceback.print_exc()
        raise


declare_unattended(app)
declare(app)


def main(arguments: Sequence[str]) -> int:
    """Runs one command and gives its exit code. Whatever ends it otherwise is one line on standard error."""
    code, line = ended(arguments)
    _say(line)
    return code


def ended(arguments: Sequence[str]) -> tuple[int, str]:
    """Runs one command; gives its exit code, and the one line about whatever ended it otherwise, else an empty one."""
    try:
        words = list(arguments)
        return int(app(args=words, prog_name="python -m training", obj=words, standalone_mode=False) or 0), ""
    except TyperException as error:
        usage = error.format_message().rstrip(".")
        return MISTAKE, _line(f"error: {usage}; see {_help(error)}")
    except (Exception, Stopped) as error:
        code = exit_code_of(error)
        if code is None:
            defect = f"{type(error).__name__}: {error}; this is a defect, please report it with what --debug shows"
            return ENVIRONMENT, _line(f"error: {defect}")
        return code, _line(told(error))


def _names(given: list[str] | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in given or ())


def _line(text: str) -> str:
    return " ".join(text.splitlines())


def _say(line: str) -> None:
    if line:
        print(line, file=sys.stderr)  # noqa: T201 # the one line a run ends with


def _help(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    return f"{context.command_path if context else 'python -m training'} --help"
