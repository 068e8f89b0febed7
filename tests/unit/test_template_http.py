"""What the translated template promises of the HTTP API: who may call, how much, under which name."""

import json
from collections.abc import Mapping

import pytest

from functions.protocols import cors
from functions.settings import SiteSettings
from tests.template import CERTIFICATE, LAMBDA, VARIANTS, Json, Stack, environment, translated


def test_every_http_request_goes_to_predicts_alias(stack: Stack) -> None:
    body = stack.properties("HttpApi")["Body"]
    assert list(body["paths"]) == ["/$default"]
    assert list(body["paths"]["/$default"]) == ["x-amazon-apigateway-any-method"]
    route = body["paths"]["/$default"]["x-amazon-apigateway-any-method"]
    assert route["isDefaultRoute"] is True
    assert route["x-amazon-apigateway-integration"] == {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "payloadFormatVersion": "2.0",
        "uri": "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/"
        f"{LAMBDA}:PredictFunction:live/invocations",
    }


def test_predict_answers_before_the_http_api_gives_up(stack: Stack) -> None:
    assert stack.properties("PredictFunction")["Timeout"] < 30


def http(parameters: Mapping[str, str]) -> Json:
    return Stack(translated(parameters=parameters)).properties("HttpApi")["Body"]


def security(parameters: Mapping[str, str]) -> Json:
    return http(parameters)["paths"]["/$default"]["x-amazon-apigateway-any-method"]["security"]


AWS_IAM = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "x-amazon-apigateway-authtype": "awsSigv4",
}


def test_a_request_must_be_signed_unless_parameters_ask_for_tokens_or_open_the_api(template: dict[str, Json]) -> None:
    assert security({}) == [{"AWS_IAM": []}]
    assert security(VARIANTS["jwt"]) == [{"JWT": []}]
    assert security(VARIANTS["jwt-with-scopes"]) == [{"JWT": ["predict", "all"]}]
    assert security({"HttpAuth": "OPEN"}) == []
    assert template["Parameters"]["HttpAuth"]["AllowedValues"] == ["IAM", "JWT", "OPEN"]
    assert http({})["components"]["securitySchemes"] == {"AWS_IAM": AWS_IAM}
    # What no route uses API Gateway warns of, and FailOnWarnings makes that an error.
    assert http({"HttpAuth": "OPEN"})["components"]["securitySchemes"] == {}


def test_a_token_must_be_the_issuers_and_for_one_of_the_audience() -> None:
    assert http(VARIANTS["jwt"])["components"]["securitySchemes"] == {
        "JWT": {
            "type": "oauth2",
            "x-amazon-apigateway-authorizer": {
                "type": "jwt",
                "identitySource": "$request.header.Authorization",
                "jwtConfiguration": {"issuer": "https://issuer.example/pool", "audience": ["one", "two"]},
            },
        },
    }


def test_under_a_name_of_its_own_the_api_has_no_other_and_keeps_its_path(template: dict[str, Json]) -> None:
    stack = Stack(template, VARIANTS["own-name"])
    shut = "x-amazon-apigateway-endpoint-configuration"
    assert http(VARIANTS["own-name"])["servers"] == [{shut: {"disableExecuteApiEndpoint": True}}]
    assert http({})["servers"] == [{shut: {"disableExecuteApiEndpoint": False}}]
    assert stack.properties("HttpName") == {
        "DomainName": "models.example.com",
        "DomainNameConfigurations": [
            {"CertificateArn": CERTIFICATE, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"}
        ],
    }
    mapping = {"ApiId": "HttpApi", "DomainName": "HttpName", "Stage": "HttpApiApiGatewayDefaultStage"}
    assert stack.properties("HttpNameLeadsToTheApi") == {**mapping, "ApiMappingKey": "v1/flowers"}
    assert stack.properties("HttpNameInTheZone") == {
        "HostedZoneId": "Z0123456789ABC",
        "Name": "models.example.com",
        "Type": "A",
        "AliasTarget": {
            "DNSName": "HttpName.RegionalDomainName",
            "HostedZoneId": "HttpName.RegionalHostedZoneId",
        },
    }
    assert stack.resolved(stack.outputs["Url"]["Value"]) == "https://models.example.com/v1/flowers"
    assert SiteSettings.read(environment(stack, "PredictFunction")).base_path == "/v1/flowers"
    without = Stack(template, VARIANTS["own-name-without-zone-and-path"])
    assert without.properties("HttpNameLeadsToTheApi") == mapping
    assert "HttpNameInTheZone" not in without.resources
    assert without.resolved(without.outputs["NameLeadsTo"]["Value"]) == "HttpName.RegionalDomainName"
    assert not [name for name in Stack(template).resources if name.startswith("HttpName")]


def test_other_sites_are_shut_out_unless_named() -> None:
    body = http({})
    assert "x-amazon-apigateway-cors" not in body
    assert list(body["paths"]) == ["/$default"]


@pytest.mark.parametrize("variant", [name for name, given in VARIANTS.items() if "HttpCorsOrigins" in given])
def test_a_browser_may_ask_without_a_signature_or_a_token_whether_it_may_ask(variant: str) -> None:
    body = http(VARIANTS[variant])
    asked = body["paths"]["/{proxy+}"]
    answered = body["paths"]["/$default"]["x-amazon-apigateway-any-method"]
    assert list(asked) == ["options"]
    assert [(one["name"], one["in"], one["required"]) for one in asked["options"]["parameters"]] == [
        (path.strip("/{}"), "path", True) for path in body["paths"] if "{" in path
    ]
    assert asked["options"]["security"] == []
    integration = "x-amazon-apigateway-integration"
    assert asked["options"][integration] == answered[integration]
    alone = {name: value for name, value in VARIANTS[variant].items() if name != "HttpCorsOrigins"}
    assert answered["security"] == security(alone)


def test_the_api_tells_other_sites_what_the_function_does() -> None:
    assert http(VARIANTS["jwt-with-scopes"])["x-amazon-apigateway-cors"] == {
        "allowOrigins": ["https://a.example", "https://b.example"],
        "allowMethods": ["GET", "HEAD", "POST"],
        "allowHeaders": cors.HEADERS.split(", "),
        "maxAge": int(cors.KEPT),
    }


def test_callers_are_held_to_a_rate_and_every_request_leaves_a_line_of_json(template: dict[str, Json]) -> None:
    stage = Stack(template).of_type("AWS::ApiGatewayV2::Stage")["HttpApiApiGatewayDefaultStage"]
    assert stage["DefaultRouteSettings"] == {"ThrottlingRateLimit": 100, "ThrottlingBurstLimit": 200}
    logs = stage["AccessLogSettings"]
    assert logs["DestinationArn"] == "arn:aws:logs:eu-central-1:123456789012:log-group:AccessLogs"
    line = json.loads(logs["Format"])
    assert "\n" not in logs["Format"]
    assert set(line) >= {"time", "requestId", "ip", "caller", "status", "milliseconds", "error"}
    assert not [value for value in line.values() if not value.startswith("$context.")]
