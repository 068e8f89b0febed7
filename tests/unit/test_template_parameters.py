"""What the template's parameters take, and what they set; nothing is called."""

import ast
import json
import re

import pytest

from functions.errors import NotConfigured
from functions.settings import (
    BatchSettings,
    FanOutSettings,
    ModelSettings,
    SiteSettings,
    StoreSettings,
    separator_of,
)
from tests.template import CERTIFICATE, DROPS, FUNCTIONS, MACHINE, MODELS, ROOT, VARIANTS, Json, Stack, environment

# Read by settings, and not the template's to set: Lambda says how it starts and gives its region, and one endpoint is
# enough for one service.
NOT_IN_THE_TEMPLATE = {
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL_S3",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_REGION",
}


def test_the_template_sets_what_settings_reads_and_nothing_else(stack: Stack) -> None:
    tree = ast.parse((ROOT / "functions" / "settings.py").read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    read = {text for text in texts if text.isupper() and text.replace("_", "").isalnum()}
    named = {name for function in FUNCTIONS for name in environment(stack, function)}
    assert named == read - NOT_IN_THE_TEMPLATE


def test_what_sam_local_is_given_are_settings_that_the_template_names(stack: Stack) -> None:
    # Others would be left out without a word.
    given = json.loads((ROOT / "local" / "sam.json").read_text(encoding="utf-8"))["Parameters"]
    assert set(given) <= set(environment(stack, "BatchFunction"))


def test_predict_is_told_nothing_of_drops(stack: Stack) -> None:
    only_batch = set(environment(stack, "BatchFunction")) - set(environment(stack, "PredictFunction"))
    assert only_batch == {"DATA_STORE"} | {name for name in only_batch if name.startswith("BATCH_")}


def test_the_templates_defaults_are_the_codes_defaults(template: dict[str, Json], stack: Stack) -> None:
    assert FanOutSettings.read(environment(stack, "FanOutFunction")) == FanOutSettings.read({})
    given = environment(Stack(template), "BatchFunction")
    least = {"MODEL_STORE": f"s3://{MODELS}", "DATA_STORE": f"s3://{DROPS}", "MODEL_NAME": "iris"}
    assert BatchSettings.read(given) == BatchSettings.read(least)
    assert ModelSettings.read(given) == ModelSettings.read(least)
    assert StoreSettings.read(given) == StoreSettings.read(least)


def test_a_setting_reaches_the_functions_from_its_parameter(template: dict[str, Json]) -> None:
    parameters = {
        "ModelName": "wine",
        "ModelAlias": "candidate",
        "ModelVersion": "20261122T195207Z-1f0c9a2b",
        "ModelRefreshSeconds": "5",
        "HttpBasePath": "/v1",
        "HttpCorsOrigins": "https://a.example,https://b.example",
        "BatchMaxRejectedShare": "0.1",
        "BatchMaxRecordBytes": "4096",
        "BatchSeparator": "tab",
        "BatchProbabilities": "true",
        "FanOut": "on",
        "FanOutPartBytes": "2097152",
        "EndpointUrl": "http://127.0.0.1:9000",
    }
    asked = environment(Stack(template, parameters), "PredictFunction")
    assert ModelSettings.read(asked) == ModelSettings(
        store=f"s3://{MODELS}",
        name="wine",
        alias="candidate",
        version="20261122T195207Z-1f0c9a2b",
        refresh_seconds=5.0,
    )
    assert SiteSettings.read(asked) == SiteSettings("/v1", ("https://a.example", "https://b.example"))
    given = environment(Stack(template, parameters), "BatchFunction")
    assert BatchSettings.read(given) == BatchSettings(
        store=f"s3://{DROPS}",
        max_rejected_share=0.1,
        max_record_bytes=4096,
        separator="\t",
        probabilities=True,
        fan_out=MACHINE,
    )
    parts = environment(Stack(template, parameters), "FanOutFunction")
    assert FanOutSettings.read(parts) == FanOutSettings(part_bytes=2097152)
    assert BatchSettings.read({**parts, "BATCH_FANOUT": MACHINE}) == BatchSettings.read(given)
    assert StoreSettings.read(given).endpoint == "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        (VARIANTS["own-name"], []),
        (VARIANTS["in-a-vpc"], []),
        (
            {"VpcSubnetIds": "subnet-0a1b"},
            ["VpcSubnetIds needs VpcSecurityGroupIds, what the functions may reach there"],
        ),
        ({"VpcSecurityGroupIds": "sg-0a1b"}, ["VpcSecurityGroupIds is of no use without VpcSubnetIds"]),
        ({"HttpJwtIssuer": "https://issuer.example"}, ["HttpJwtIssuer is of no use without HttpAuth JWT"]),
        (
            {"HttpCertificateArn": CERTIFICATE, "HttpHostedZoneId": "Z1"},
            [
                "HttpCertificateArn is of no use without HttpDomainName, the name it is for",
                "HttpHostedZoneId is of no use without HttpDomainName, the name to write there",
            ],
        ),
        (
            {"HttpDomainName": "models.example.com"},
            ["HttpDomainName needs HttpCertificateArn, a certificate for it in this region"],
        ),
        ({}, []),
        ({"HttpAuth": "OPEN"}, []),
        (VARIANTS["jwt"], []),
        (VARIANTS["snap-start"], []),
        (VARIANTS["kept-ready"], []),
        (
            {**VARIANTS["snap-start"], **VARIANTS["kept-ready"]},
            ["PredictSnapStart and PredictProvisionedConcurrency do not go together; choose one"],
        ),
        (
            {"HttpAuth": "JWT"},
            [
                "HttpAuth JWT needs HttpJwtIssuer, as https://issuer",
                "HttpAuth JWT needs HttpJwtAudience, since without one every token of the issuer would do",
            ],
        ),
        (
            {"HttpAuth": "JWT", "HttpJwtIssuer": "https://issuer.example"},
            ["HttpAuth JWT needs HttpJwtAudience, since without one every token of the issuer would do"],
        ),
    ],
)
def test_parameters_that_do_not_go_together_are_refused_before_anything_is_made(
    template: dict[str, Json], parameters: dict[str, str], told: list[str]
) -> None:
    assert Stack(template, parameters).broken_rules() == told


def test_every_parameter_stands_in_one_group_and_says_what_it_is_for(template: dict[str, Json]) -> None:
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    named = [name for group in groups for name in group["Parameters"]]
    assert sorted(named) == sorted(template["Parameters"])
    for name, given in template["Parameters"].items():
        assert given["Description"].endswith((".", ".md")), name


def taken(parameter: Json, value: str) -> bool:
    """Whether CloudFormation takes this value for the parameter."""
    if parameter["Type"] == "Number":
        return bool(float(parameter.get("MinValue", "-inf")) <= float(value) <= float(parameter.get("MaxValue", "inf")))
    listed = parameter.get("AllowedValues", [value])
    return value in listed and re.fullmatch(parameter.get("AllowedPattern", ".*"), value) is not None


def test_the_variants_and_the_defaults_are_values_that_cloudformation_takes(template: dict[str, Json]) -> None:
    parameters = template["Parameters"]
    assert not [name for name, given in parameters.items() if not taken(given, str(given["Default"]))]
    for variant, values in VARIANTS.items():
        assert not [name for name, value in values.items() if not taken(parameters[name], value)], variant


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HttpAuth", "NONE"),
        ("HttpJwtIssuer", "http://issuer.example"),
        ("HttpJwtIssuer", "issuer.example"),
        ("HttpJwtAudience", "one, two"),
        ("HttpJwtScopes", "one,,two"),
        ("HttpCorsOrigins", "a.example"),
        ("HttpCorsOrigins", "https://a.example,*"),
        ("HttpRequestsPerSecond", "0"),
        ("HttpDomainName", "https://models.example.com"),
        ("HttpCertificateArn", "models.example.com"),
        ("HttpHostedZoneId", "example.com"),
        ("ModelBucketName", "s3://models"),
        ("ModelBucketName", "arn:aws:s3:::models"),
        ("KeyArn", "alias/mine"),
        ("KeyArn", "arn:aws:kms:eu-central-1:123456789012:alias/mine"),
        ("DropRetentionDays", "0"),
        ("ResultRetentionDays", "-1"),
        ("BatchRetries", "3"),
        ("BatchMaxEventAgeSeconds", "30"),
        ("PredictProvisionedConcurrency", "0"),
        ("PredictSnapStart", "true"),
        ("VpcSubnetIds", "subnet-1, subnet-2"),
        ("VpcSecurityGroupIds", "subnet-1"),
        ("Rollout", "Canary50Percent5Minutes"),
        ("AlarmEmail", "somebody"),
        ("AlarmRejectedShare", "2"),
    ],
)
def test_cloudformation_refuses_a_value_that_could_not_work(template: dict[str, Json], name: str, value: str) -> None:
    assert not taken(template["Parameters"][name], value)


def test_cloudformation_takes_of_separators_the_printable_ones_that_the_code_takes(template: dict[str, Json]) -> None:
    def read(value: str) -> bool:
        try:
            separator_of(value, "BATCH_SEPARATOR")
        except NotConfigured:
            return False
        return True

    values = ["", "tab", "comma", "semicolon", "ab", *map(chr, range(ord(" "), 128))]
    printable = [value for value in values if value != chr(127)]
    asked = template["Parameters"]["BatchSeparator"]
    assert [value for value in values if taken(asked, value)] == [value for value in printable if read(value)]


def test_the_variants_decide_every_condition_both_ways_and_break_no_rule(template: dict[str, Json]) -> None:
    for condition in template["Conditions"]:
        decided = {Stack(template, values).holds(condition) for values in VARIANTS.values()}
        assert decided == {True, False}, condition
    assert not [name for name, values in VARIANTS.items() if Stack(template, values).broken_rules()]
