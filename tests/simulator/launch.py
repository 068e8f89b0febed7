"""The simulator's own process, in its own environment; it must not import anything of this project.

ministack runs as it is, but for four things: an image's function is called over HTTP, where processes run the code
that the image would hold; what an alias says of asynchronous invocations counts; a function version may be told to
sleep or to have failed; TLS ends before it.
"""

import json
import os
import threading
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from ministack import app
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

TAKES_LONGEST = 960.0  # seconds; who runs the function holds it to its own time-out
PUT_TO_SLEEP = "/_function-versions"
REJECTS = "_rejects"
WAKES_SECONDS = 1.0
simulated: Callable[..., None] = lambda_svc.invoke_async_with_retry
simulated_invoke: Callable[..., Awaitable[Any]] = lambda_svc._invoke
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


async def invoke(
    name: str,
    event: Any,
    headers: dict[str, str],
    path_qualifier: str | None = None,
    query_params: dict[str, Any] | None = None,
) -> Any:
    """ministack calls whatever is there. Lambda rejects calls of what is not Active; the first wakes what sleeps.

    Source: AWS Lambda Developer Guide, "Create a Lambda function using a container image" (function lifecycle).
    """
    qualifier = path_qualifier or lambda_svc._qp_first(query_params or {}, "Qualifier")
    _, config = lambda_svc._get_func_record_for_qualifier(name, qualifier)
    if config and (rejection := config.get(REJECTS)):
        words = f"The operation cannot be performed at this time. The function is currently {config['State']}"
        if config["State"] == "Inactive":
            config.update(State="Pending", StateReason="The function is being restored.", StateReasonCode="Restoring")
            threading.Timer(WAKES_SECONDS, wake, [config]).start()
        return lambda_svc.error_response_json(rejection, words, 409)
    return await simulated_invoke(name, event, headers, path_qualifier, query_params)


def wake(config: dict[str, Any]) -> None:
    if config["State"] == "Pending":  # nobody has told it to be something else meanwhile
        config.update({"State": "Active", "StateReason": "", "StateReasonCode": "", REJECTS: ""})


def put_to_sleep(asked: dict[str, str]) -> None:
    """Has a version be in a state, and its calls rejected with this error until it is Active again."""
    functions = lambda_svc._functions
    whole = functions.get_scoped(asked["account"], asked["region"], asked["function"])
    whole["versions"][asked["version"]]["config"].update(
        {"State": asked["state"], "StateReason": asked["reason"], REJECTS: asked["rejection"]}
    )


async def behind_tls(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """As behind a balancer that ends TLS, so that policies which refuse plain HTTP let callers in."""
    if scope["type"] == "http" and scope["path"] == PUT_TO_SLEEP:
        put_to_sleep(dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    if scope["type"] == "http" and not any(name == b"x-forwarded-proto" for name, _ in scope["headers"]):
        scope = {**scope, "headers": [*scope["headers"], (b"x-forwarded-proto", b"https")]}
    await answering(scope, receive, send)


lambda_svc._execute_function_docker = execute
lambda_svc.invoke_async_with_retry = invoke_asynchronously
lambda_svc._invoke = invoke
app.app = behind_tls

if __name__ == "__main__":
    app.main()
