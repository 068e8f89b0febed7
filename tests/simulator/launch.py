"""The simulator's own process, in its own environment; it must not import anything of this project.

ministack runs as it is, but for three things: an image's function is called over HTTP, where processes run the code
that the image would hold; what an alias says of asynchronous invocations counts; TLS ends before it.
"""

import json
import os
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any

from ministack import app
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

TAKES_LONGEST = 960.0  # seconds; who runs the function holds it to its own time-out
simulated: Callable[..., None] = lambda_svc.invoke_async_with_retry
answering: Callable[..., Awaitable[None]] = app.app


def execute(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
    """Instead of starting a container by Docker."""
    config = func.get("config") or func
    credentials = lambda_runtime.execution_credentials(config)
    told = {"config": config, "credentials": credentials, "event": event, "request_id": request_id}
    url, body = os.environ["FUNCTIONS_URL"], json.dumps(told).encode()
    asked = urllib.request.Request(url, body, method="POST")  # noqa: S310 - always http
    with urllib.request.urlopen(asked, timeout=TAKES_LONGEST) as answer:  # noqa: S310 - always http
        result: dict[str, Any] = json.load(answer)
    return result


def invoke_asynchronously(func: dict[str, Any], event: Any) -> None:
    """ministack reads the configuration of $LATEST; the template gives one to the function alias, as S3 calls that."""
    config = func.get("config") or func
    account, region = config["FunctionArn"].split(":")[4], config["FunctionArn"].split(":")[3]
    whole = lambda_svc._functions.get_scoped(account, region, config["FunctionName"]) or {}
    said = whole.get("event_invoke_configs") or {}
    for name, alias in (whole.get("aliases") or {}).items():
        if name in said and alias["FunctionVersion"] == config["Version"]:
            func = {**func, "event_invoke_config": said[name]}
    simulated(func, event)


async def behind_tls(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """As behind a balancer that ends TLS, so that policies which refuse plain HTTP let callers in."""
    if scope["type"] == "http" and not any(name == b"x-forwarded-proto" for name, _ in scope["headers"]):
        scope = {**scope, "headers": [*scope["headers"], (b"x-forwarded-proto", b"https")]}
    await answering(scope, receive, send)


lambda_svc._execute_function_docker = execute
lambda_svc.invoke_async_with_retry = invoke_asynchronously
app.app = behind_tls

if __name__ == "__main__":
    app.main()
