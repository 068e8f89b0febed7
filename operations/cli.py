"""The commands of `python -m operations`: options in, exit code out. It wires the steps and does none of them."""

from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from operations.failures import Failure, Unreadable
from operations.replaying import HELD_SECONDS, Replay, Stopped
from operations.stack import Refused, output, outputs

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # brackets in a help text are brackets
    help="Run a deployed stack.",
)


@app.callback()
def _several() -> None:
    """Makes `replay` a command by its name although it is the only one."""


@app.command(epilog="Exit codes: 0 done; 1 something was left in the queue; 2 it could not begin; 130 stopped.")
def replay(
    stack: Annotated[
        str | None, typer.Option(metavar="NAME", help="The stack, whose outputs say which queue and function.")
    ] = None,
    queue: Annotated[str | None, typer.Option(metavar="URL", help="Without --stack: the queue of failures.")] = None,
    function: Annotated[
        str | None, typer.Option(metavar="NAME", help="Without --stack: who gets the events, as name:alias or ARN.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what failed and why; everything stays in the queue.")
    ] = False,
    most: Annotated[
        int | None, typer.Option("--max", min=1, metavar="N", help="Send no more than this; one first, say.")
    ] = None,
    region: Annotated[str | None, typer.Option(help="Without it: AWS_REGION or the profile's.")] = None,
    profile: Annotated[str | None, typer.Option(help="A profile of ~/.aws/config.")] = None,
) -> None:
    """Send dropped files that were given up to batch again.

    Do so once the cause is mended; the reason stands beside each. A message leaves the queue only once Lambda has
    taken its event, so a run may be stopped and started again: a file that is done is not scored twice. What cannot be
    read is shown and left.

    \b
    python -m operations replay --stack serverless-sklearn --dry-run
    python -m operations replay --stack serverless-sklearn
    """
    if (stack is None) == (queue is None or function is None) or (stack is not None and (queue or function)):
        raise Refused("give --stack, or --queue and --function")
    clients = _Clients(region, profile)
    if stack is not None:
        found = outputs(clients("cloudformation"), stack)
        queue, function = output(found, "BatchFailures", stack), output(found, "BatchFunction", stack)
    run = Replay(clients("sqs"), clients("lambda"), str(queue), str(function), dry_run, _Lines())
    try:
        run.run(most)
    except Stopped as stopped:
        typer.echo(f"replay: {stopped}", err=True)
        typer.echo(_counted(run))
        raise typer.Exit(1) from None
    typer.echo(_counted(run))
    if held := run.held_by_others:
        typer.echo(
            f"{held} more held by another run, or by one that was killed: seen again in {HELD_SECONDS // 60} min"
        )
    raise typer.Exit(1 if run.left else 0)


def main(arguments: Sequence[str]) -> int:
    """Runs one command; the exit code says how it ended."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

    try:
        return int(app(args=list(arguments), prog_name="python -m operations", standalone_mode=False) or 0)
    except TyperException as mistake:
        usage = mistake.format_message().rstrip(".")
        typer.echo(f"operations: {usage}; see python -m operations replay --help", err=True)
        return 2
    except NoCredentialsError:
        typer.echo("operations: there are no AWS credentials here; name a --profile, or run: aws configure", err=True)
        return 2
    except NoRegionError:
        typer.echo("operations: there is no region; give --region, or set AWS_REGION", err=True)
        return 2
    except (Refused, BotoCoreError, ClientError) as error:
        typer.echo(f"operations: {error}", err=True)
        return 2
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("stopped; what was not sent is in the queue", err=True)
        return 130


class _Clients:
    """boto3's clients of one region and profile."""

    def __init__(self, region: str | None, profile: str | None) -> None:
        import os

        import boto3

        # boto3 itself reads AWS_DEFAULT_REGION alone; Lambda and the other SDKs AWS_REGION.
        self._session = boto3.Session(region_name=region or os.environ.get("AWS_REGION") or None, profile_name=profile)

    def __call__(self, service: str) -> object:
        return self._session.client(service)


class _Lines:
    """One paragraph for each message."""

    def sent(self, failure: Failure) -> None:
        _show(failure, "sent again")

    def would_send(self, failure: Failure) -> None:
        _show(failure, "would be sent again")

    def left(self, failure: Failure, why: str) -> None:
        _show(failure, f"left in the queue: {why}")

    def unreadable(self, message: Unreadable) -> None:
        typer.echo(f"{message.moment:%Y-%m-%d %H:%M:%SZ}  message {message.id}")
        typer.echo(f"    left in the queue: {message.problem}: {_plain(message.excerpt)}")
        typer.echo("    find out who put it there; SQS deletes it after 14 days, or you do in its console")


def _show(failure: Failure, became: str) -> None:
    typer.echo(f"{failure.moment:%Y-%m-%d %H:%M:%SZ}  {_plain(failure.what)}")
    typer.echo(f"    {_plain(failure.why)}")
    typer.echo(f"    {became}")


def _counted(run: Replay) -> str:
    if not run.sent and not run.left:
        return "no failures in the queue"
    return f"{run.sent} {'would be ' if run.dry_run else ''}sent again, {run.left} left in the queue"


def _plain(text: str) -> str:
    """On one line, and no order to a terminal: names of files and errors come from outside."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
