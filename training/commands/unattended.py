"""The commands that run `fit` for somebody else: SageMaker, a table that lands in a bucket. They fit nothing."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer


def declare(app: typer.Typer) -> None:
    app.command(epilog="Exit codes: those of fit.")(train)
    app.command(
        epilog="Exit codes: 0 with --once, when nothing is left; 2 your arguments; 1 the store; 143 stopped.",
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )(watch)


def train() -> int:
    """Fit as SageMaker runs a training container.

    The table is what lies in /opt/ml/input/data/train, and the options of fit are the hyperparameters. Without the
    hyperparameter `store`, plain files go to /opt/ml/model; why it failed goes to /opt/ml/output/failure.
    """
    from training import sagemaker

    return train_under(sagemaker.ROOT)


def train_under(root: Path) -> int:
    """The job whose files lie under `root`, which is /opt/ml in SageMaker."""
    from training import sagemaker
    from training.cli import ended

    options = [
        sagemaker.Option(
            one.opts[0].lstrip("-"), one.opts[0], next(iter(one.secondary_opts), None), one.is_flag, one.multiple
        )
        for one in _fit().params
        if one.param_type_name == "option"
    ]
    code, line = sagemaker.train(options, lambda words: ended(["fit", *words]), root)
    if line:
        print(line, file=sys.stderr)  # noqa: T201 # the one line a run ends with
    return code


def watch(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="STORE", help="Where incoming-training/ lies: s3://bucket[/prefix] or a folder.")
    ],
    every: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="Between two looks.")] = 5.0,
    once: Annotated[bool, typer.Option("--once", help="Train on what is there, then end.")] = False,
) -> int:
    """Train on each table that lands under incoming-training/, with the options of fit.

    Each table is trained on once, and trained/<path>.summary.json says what became of it: promoted, published,
    refused by the gate, or failed, and why. Functions follow the alias, so nothing is deployed.

    \b
    python -m training watch s3://drops --target species --name iris --store s3://models --max-drop-vs-live 0.02
    python -m training watch ./bucket --once --target species --name iris --store ./bucket
    """
    from functions.registry.store import open_store
    from training import watch as watching
    from training.endings import Mistake, Stopped
    from training.progress import Narrator

    # A wrong option is told before there is a table.
    given = _fit().make_context("python -m training fit", ["-", *context.args]).params
    if not (given["store"] and given["name"]):
        raise Mistake("watch needs --store and --name, where versions are published")
    say = Narrator().say
    watched = watching.Watch(open_store(source), context.args, say)
    say(f"watching {watching.INCOMING} of {source}" + ("" if once else f", every {every:g} s"))
    try:
        watching.run(watched, every=every, once=once, say=say)
    except Stopped as stopped:
        say("stopped")
        return stopped.exit_code
    return 0


def _fit() -> Any:
    from training.cli import app

    return typer.main.get_command(app).commands["fit"]  # type: ignore[attr-defined] # it is a group of commands
