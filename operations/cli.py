"""The commands of `python -m operations`: options in, exit code out. It wires the steps and does none of them."""

from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from operations import function_versions
from operations.failures import Failure, Unreadable
from operations.function_versions import Alias, Function, Version
from operations.replaying import HELD_SECONDS, Replay, Stopped
from operations.stack import Refused, output, outputs, resources

Stack = Annotated[str, typer.Option("--stack", metavar="NAME", help="The stack that is deployed.")]
Named = Annotated[str, typer.Argument(metavar="FUNCTION", help="Its name in the template, as PredictFunction.")]
Region = Annotated[str | None, typer.Option(help="Without it: AWS_REGION or the profile's.")]
Profile = Annotated[str | None, typer.Option(help="A profile of ~/.aws/config.")]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # brackets in a help text are brackets
    help="Run a deployed stack.",
)


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
    region: Region = None,
    profile: Profile = None,
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
    except KeyboardInterrupt:
        typer.echo("stopped; what was not sent is in the queue", err=True)
        raise typer.Exit(130) from None
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


@app.command(epilog="Exit codes: 0 done; 2 it could not begin.")
def versions(stack: Stack, region: Region = None, profile: Profile = None) -> None:
    """Show every function's versions, newest first: which is live, and which the stack deployed last.

    \b
    python -m operations versions --stack serverless-sklearn
    """
    clients = _Clients(region, profile)
    client = clients("lambda")
    for function in function_versions.functions(resources(clients("cloudformation"), stack), stack):
        now = function_versions.alias(client, function)
        typer.echo(f"{function.logical}  {function.name}")
        for version in function_versions.versions(client, function):
            typer.echo(_version(version, function, now))
        if now.version != function.deployed and not now.shifted:
            typer.echo(f"    {_before_the_next(function, stack)}")


@app.command(epilog="Exit codes: 0 done; 2 it could not begin.")
def rollback(
    stack: Stack,
    function: Named,
    version: Annotated[
        str | None, typer.Argument(metavar="VERSION", help="Its number. Without it: the one before the live one.")
    ] = None,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Point a function's alias at an older function version: image and settings, not the model.

    All calls follow at once. A version that Lambda let sleep is woken before, one that has failed is refused.
    CodeDeploy refuses the next deployment unless resume is run before it.

    \b
    python -m operations rollback --stack serverless-sklearn PredictFunction
    """
    clients = _Clients(region, profile)
    client = clients("lambda")
    found = function_versions.named(
        function_versions.functions(resources(clients("cloudformation"), stack), stack), function
    )
    now = function_versions.alias(client, found)
    there = function_versions.versions(client, found)
    wanted = version or function_versions.before(there, found, now.version)
    if wanted not in [each.number for each in there]:
        raise Refused(f"{function} has no version {wanted}; it has {', '.join(each.number for each in there)}")
    _move(client, found, now, wanted)
    if wanted != found.deployed:
        typer.echo(_before_the_next(found, stack))


@app.command(epilog="Exit codes: 0 done; 2 it could not begin.")
def resume(stack: Stack, function: Named, region: Region = None, profile: Profile = None) -> None:
    """Point a function's alias at the version that the stack deployed last, as the next deployment expects.

    \b
    python -m operations resume --stack serverless-sklearn PredictFunction
    """
    clients = _Clients(region, profile)
    client = clients("lambda")
    found = function_versions.named(
        function_versions.functions(resources(clients("cloudformation"), stack), stack), function
    )
    _move(client, found, function_versions.alias(client, found), found.deployed)


def main(arguments: Sequence[str]) -> int:
    """Runs one command; the exit code says how it ended."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

    try:
        return int(app(args=list(arguments), prog_name="python -m operations", standalone_mode=False) or 0)
    except TyperException as mistake:
        usage = mistake.format_message().rstrip(".")
        context = getattr(mistake, "ctx", None)
        asked = context.command_path if context else "python -m operations"
        typer.echo(f"operations: {usage}; see {asked} --help", err=True)
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
        typer.echo("stopped", err=True)
        return 130


def _move(client: object, function: Function, now: Alias, version: str) -> None:
    if version == now.version and not now.shifted:
        typer.echo(f"{function.logical}:{function.alias} names version {version} already")
        return
    function_versions.move(client, function, now, version, lambda line: typer.echo(_plain(line), err=True))
    typer.echo(f"{function.logical}:{function.alias} names version {version}; it named {now.version}")


def _version(version: Version, function: Function, now: Alias) -> str:
    marks = [function.alias] * (version.number == now.version)
    marks += [f"{function.alias} of a roll-out"] * (version.number in now.shifted)
    marks += ["deployed last"] * (version.number == function.deployed)
    told = [f"    {version.number:>4}  {version.published:%Y-%m-%d %H:%M:%SZ}", _plain(version.description)]
    return "  ".join(filter(None, [*told, ", ".join(marks)]))


def _before_the_next(function: Function, stack: str) -> str:
    return f"before the next deployment: python -m operations resume --stack {stack} {function.logical}"


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
