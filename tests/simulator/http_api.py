"""The stack's HTTP API: its routes made of its OpenAPI body, which the simulator forgets, and requests to it, signed.

Source: API Gateway Developer Guide, "Working with OpenAPI definitions for HTTP APIs in API Gateway".
"""

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.simulator.server import Keys, Simulator
from tests.simulator.stack import Deployed
from tests.template import REGION

METHODS = {"x-amazon-apigateway-any-method": "ANY"}
CORS = {
    "allowOrigins": "AllowOrigins",
    "allowMethods": "AllowMethods",
    "allowHeaders": "AllowHeaders",
    "maxAge": "MaxAge",
}


def make_routes(deployed: Deployed) -> None:
    """What API Gateway's import would make of the body."""
    gateway = deployed.simulator.client("apigatewayv2")
    api = deployed.physical["HttpApi"]
    body = deployed.expected.properties("HttpApi")["Body"]
    authorizers = _make_authorizers(gateway, api, body["components"]["securitySchemes"])
    if "x-amazon-apigateway-cors" in body:
        cors = {CORS[name]: value for name, value in body["x-amazon-apigateway-cors"].items()}
        gateway.update_api(ApiId=api, CorsConfiguration=cors)
    for path, methods in body["paths"].items():
        for method, operation in methods.items():
            default = operation.get("isDefaultRoute", False)
            route = "$default" if default else f"{METHODS.get(method, method.upper())} {path}"
            integration = operation["x-amazon-apigateway-integration"]
            made = gateway.create_integration(
                ApiId=api,
                IntegrationType=integration["type"].upper(),
                IntegrationMethod=integration["httpMethod"],
                IntegrationUri=_physical(deployed, integration["uri"]),
                PayloadFormatVersion=integration["payloadFormatVersion"],
            )
            target = f"integrations/{made['IntegrationId']}"
            gateway.create_route(
                ApiId=api, RouteKey=route, Target=target, **_secured(operation["security"], authorizers)
            )


def _make_authorizers(gateway: Any, api: str, schemes: dict[str, Any]) -> dict[str, str | None]:
    """Name -> authorizer's id; None for IAM, which needs none."""
    made: dict[str, str | None] = {}
    for name, scheme in schemes.items():
        if scheme.get("x-amazon-apigateway-authtype") == "awsSigv4":
            made[name] = None
            continue
        told = scheme["x-amazon-apigateway-authorizer"]
        configuration = told["jwtConfiguration"]
        made[name] = gateway.create_authorizer(
            ApiId=api,
            AuthorizerType="JWT",
            Name=name,
            IdentitySource=[told["identitySource"]],
            JwtConfiguration={"Issuer": configuration["issuer"], "Audience": configuration["audience"]},
        )["AuthorizerId"]
    return made


def _secured(security: list[dict[str, list[str]]], authorizers: dict[str, str | None]) -> dict[str, Any]:
    if not security:
        return {"AuthorizationType": "NONE"}
    ((name, scopes),) = security[0].items()
    identity = authorizers[name]
    if identity is None:
        return {"AuthorizationType": "AWS_IAM"}
    return {"AuthorizationType": "JWT", "AuthorizerId": identity, "AuthorizationScopes": scopes}


def _physical(deployed: Deployed, uri: str) -> str:
    """The function's name in the address, which the template's own view calls by its logical id."""
    return uri.replace(":function:PredictFunction:", f":function:{deployed.physical['PredictFunction']}:")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    simulator: Simulator,
    url: str,
    body: bytes | None = None,
    *,
    keys: Keys | None = None,
    headers: dict[str, str] | None = None,
    method: str | None = None,
) -> Answer:
    """One request to a URL of the stack, at the simulator's address. keys: sign it as this caller."""
    parts = urlsplit(url)
    request = AWSRequest(method or ("GET" if body is None else "POST"), url, headers=headers or {}, data=body)
    if keys is not None:
        SigV4Auth(Credentials(keys.access_key, keys.secret_key, keys.token), "execute-api", REGION).add_auth(request)
    sent = {"host": parts.netloc, **dict(request.headers.items())}
    connection = HTTPConnection(urlsplit(simulator.endpoint).netloc, timeout=120)
    try:
        connection.request(request.method, parts.path or "/", body, sent)
        got = connection.getresponse()
        return Answer(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
    finally:
        connection.close()
