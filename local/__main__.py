"""The machine room's command line; it must not know how anything is done."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from functions.errors import ServingError
from local.connection import PortInUse
from local.spool import SpoolInUse
from local.terminal import Refused, complain

EPILOG = """\
environment:
  PORT           the HTTP port (8080)
  MODEL_STORE    s3://bucket[/prefix], file:///folder or a folder: where models/ lies
  DATA_STORE     where incoming/, scored/, rejected/ lie; default MODEL_STORE
  MODEL_NAME     the model to serve
  SPOOL          the folder that keeps undelivered events
  and whatever else the functions read: AWS_*, MODEL_*, BATCH_*

exit codes: 0 done; 1 it went wrong; 2 it could not start as asked
"""


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m local",
        description="Lambda, API Gateway and bucket notifications on this machine; for development only.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="command")

    demo = commands.add_parser(
        "demo",
        help="train iris, answer a request, score a dropped CSV; on a terminal, stay until Ctrl-C",
        description="Trains iris into a folder bucket, answers a request over HTTP and scores a dropped CSV. On a "
        "terminal it then stays until Ctrl-C; otherwise it checks what it showed and ends.",
    )
    demo.add_argument("--bucket", type=Path, default=Path("bucket"), help="the folder that is the bucket (./bucket)")
    demo.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    demo.add_argument("--port", type=_port, help="default: PORT, else 8080 on a terminal and any free one otherwise")

    serve = commands.add_parser(
        "serve",
        help="serve a published model over HTTP, and score what is dropped where DATA_STORE is a folder",
        description="Serves MODEL_NAME out of MODEL_STORE over HTTP until Ctrl-C. Where DATA_STORE is a folder, "
        "files dropped into its incoming/ are scored.",
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    serve.add_argument("--port", type=_port, help="default: PORT, else 8080")
    serve.add_argument("--spool", type=Path, help="folder for undelivered events (SPOOL, else inside the bucket)")

    gateway = commands.add_parser(
        "gateway",
        help="the same for function containers, which connect by AWS_LAMBDA_RUNTIME_API (compose)",
        description="API Gateway, Lambda's Invoke and MinIO's webhook (POST /events) on one port; one Runtime API "
        "port for the containers of each function. An environment is a container; a lost connection is a crash.",
    )
    gateway.add_argument("--host", default="0.0.0.0", help="address to listen on (0.0.0.0)")  # noqa: S104 - in a container
    gateway.add_argument("--port", type=_port, help="HTTP; default: PORT, else 8080")
    gateway.add_argument("--predict-port", type=_port, default=9001, help="Runtime API of predict (9001)")
    gateway.add_argument("--batch-port", type=_port, default=9002, help="Runtime API of batch (9002)")
    gateway.add_argument("--spool", type=Path, help="folder for undelivered events (SPOOL, else build/spool)")

    setup = commands.add_parser(
        "setup",
        help="make the buckets on MinIO and its notification for incoming/ (compose)",
        description="Waits for the S3 endpoint, makes the buckets of MODEL_STORE and DATA_STORE with versioning, "
        "and has new objects under incoming/ told to the webhook. Running it again changes nothing.",
    )
    target = "arn:minio:sqs::BATCH:webhook"
    setup.add_argument("--notify", default=target, metavar="ARN", help=f"MinIO's webhook target ({target})")
    setup.add_argument("--wait", type=float, default=60.0, metavar="SECONDS", help="for the endpoint to answer (60)")

    letters = commands.add_parser("dead-letters", help="list the events that failed three times")
    letters.add_argument("--spool", type=Path, help="the gateway's folder (SPOOL, else that of ./bucket)")

    replay = commands.add_parser("replay", help="have dead letters delivered again")
    replay.add_argument("ids", nargs="*", metavar="id", help="as dead-letters lists them; none: all of them")
    replay.add_argument("--spool", type=Path, help="the gateway's folder (SPOOL, else that of ./bucket)")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    options = parser().parse_args(argv)
    try:
        return _run(options)
    except PortInUse as error:
        ports = "--port, --predict-port, --batch-port" if options.command == "gateway" else "PORT"
        complain(f"{options.command}: {error}; stop what uses it, or choose another by {ports}")
        return 2
    except (Refused, SpoolInUse, ServingError) as error:
        complain(f"{options.command}: {error}")
        return 2
    except OSError as error:
        complain(f"{options.command}: {error.strerror or error}: {error.filename or ''}".rstrip(": "))
        return 2
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    port = getattr(options, "port", None)
    if port is None and hasattr(options, "port"):
        port = _port_of_environment()
    if options.command == "demo":
        from local.demo import demo

        return demo(options.bucket, options.host, port, stay=sys.stdin.isatty())
    if options.command == "serve":
        from local.serve import serve

        return serve(options.host, 8080 if port is None else port, options.spool or _spool())
    if options.command == "gateway":
        from local.serve import gateway

        ports = (options.predict_port, options.batch_port)
        return gateway(options.host, 8080 if port is None else port, ports, options.spool or _spool())
    if options.command == "setup":
        from local.setup import setup

        return setup(options.notify, options.wait)
    from local import letters

    folder = options.spool or _spool() or Path("bucket", ".local")
    return letters.show(folder) if options.command == "dead-letters" else letters.replay(folder, options.ids)


def _spool() -> Path | None:
    return Path(os.environ["SPOOL"]) if os.environ.get("SPOOL") else None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 0 (any free one) to 65535")
    return int(text)


def _port_of_environment() -> int | None:
    text = os.environ.get("PORT") or None
    try:
        return None if text is None else _port(text)
    except argparse.ArgumentTypeError as error:
        raise Refused(f"PORT: {error}") from None


if __name__ == "__main__":
    raise SystemExit(main())
