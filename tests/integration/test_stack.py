"""The template's stack, made by CloudFormation on a simulator and then used: upload, event, result; and left clean.

What only AWS can show is listed in tests/simulator/stack.py, and asked of the simulator again here.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import joblib
import pandas as pd
import pytest
from botocore.exceptions import ClientError

from local import showcase
from tests.local_room import eventually
from tests.simulator import http_api, leftovers, stack
from tests.simulator.server import Keys, Simulator
from tests.simulator.stack import Deployed, StackFailed
from tests.template import DROPS, FAN_OUT, MODELS, ROOT, VARIANTS, Stack, translated

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def deployed(simulator: Simulator) -> Iterator[Deployed]:
    """The stack as `sam deploy` without parameters would make it."""
    made = stack.deploy(simulator)
    yield made
    made.delete()
    stack.empty(made)


@pytest.fixture(scope="module")
def trainer(simulator: Simulator) -> Keys:
    """Somebody who may publish models and drop files, and call the HTTP API."""
    buckets = [f"arn:aws:s3:::{name}{rest}" for name in (MODELS, DROPS) for rest in ("", "/*")]
    return simulator.user(
        "trainer",
        {"Effect": "Allow", "Action": "s3:*", "Resource": buckets},
        {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"},
    )


@pytest.fixture(scope="module")
def version(deployed: Deployed, trainer: Keys) -> str:
    """Iris, trained and published into the stack's bucket by the command that users type."""
    words = ["fit", "data/iris.csv", "--target", "species", "--name", "iris"]
    subprocess.run(
        [sys.executable, "-m", "training", *words, "--store", f"s3://{deployed.outputs['ModelBucket']}"],
        cwd=ROOT,
        env={**os.environ, **deployed.simulator.environment(trainer)},
        check=True,
    )
    told = get(deployed, deployed.outputs["ModelBucket"], "models/iris/aliases/live.json")
    return str(json.loads(told)["version"])


def get(deployed: Deployed, bucket: str, key: str) -> bytes:
    found: bytes = deployed.simulator.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return found


def drop(deployed: Deployed, keys: Keys, key: str, rows: bytes) -> dict[str, Any]:
    """Drops a file as somebody, and gives the summary of what became of it."""
    bucket = deployed.outputs["DropBucket"]
    deployed.simulator.client("s3", keys).put_object(Bucket=bucket, Key=key, Body=rows)
    name = key.replace("incoming/", "scored/", 1) + ".summary.json"
    s3 = deployed.simulator.client("s3")
    eventually(lambda: s3.list_objects_v2(Bucket=bucket, Prefix=name).get("Contents"))
    summary: dict[str, Any] = json.loads(get(deployed, bucket, name))
    return summary


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_resource_of_every_set_of_parameters_is_made_and_taken_away_again(
    simulator: Simulator, variant: str
) -> None:
    parameters = {**VARIANTS[variant], "BucketPrefix": f"some-{len(variant)}-{variant}"[:28].rstrip("-")}
    if parameters.get("HttpHostedZoneId"):
        zone = simulator.client("route53").create_hosted_zone(Name="example.com", CallerReference=variant)
        parameters["HttpHostedZoneId"] = zone["HostedZone"]["Id"].rpartition("/")[2]
    made = stack.deploy(simulator, f"variant-{variant}", parameters)
    whole = made.expected
    left_out = {name for name, given in whole.resources.items() if stack.why_left_out(given)}
    assert made.statuses() == dict.fromkeys(set(whole.resources) - left_out, "CREATE_COMPLETE")
    assert set(made.outputs) == set(whole.outputs)
    prefix = parameters["BucketPrefix"]
    assert len(leftovers.of_stack(simulator, made.name, prefix)) > 20
    made.delete()
    assert sorted(leftovers.of_stack(simulator, made.name, prefix)) == made.buckets() != []
    stack.empty(made)
    assert leftovers.of_stack(simulator, made.name, prefix) == []


def test_what_is_listed_as_unknown_to_the_simulator_is_what_it_refuses(simulator: Simulator) -> None:
    with pytest.raises(StackFailed) as refused:
        stack.create(simulator, "whole", translated(parameters=FAN_OUT), FAN_OUT)
    assert str(refused.value) == (
        f"Template format error: Unrecognized resource types: [{', '.join(sorted(stack.UNKNOWN_TYPES))}]"
    )
    whole = Stack(translated(), FAN_OUT)
    for kind, form in stack.UNKNOWN_FORMS:
        names = [
            name for name, given in whole.resources.items() if given["Type"] == kind and form in given["Properties"]
        ]
        assert names
        for name in names:
            alone = {"Resources": {name: {"Type": kind, "Properties": whole.properties(name)}}}
            with pytest.raises(StackFailed, match=f"Properties.{form} .*is not supported"):
                stack.create(simulator, f"alone-{name}", alone, {})


def test_what_is_listed_as_forgotten_by_the_simulator_is_forgotten(simulator: Simulator) -> None:
    parameters = {"BucketPrefix": "forgotten"}
    stack.create(simulator, "forgotten", stack.template(parameters), parameters)
    told = simulator.client("cloudformation").describe_stack_resources(StackName="forgotten")["StackResources"]
    physical = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in told}
    assert simulator.client("apigatewayv2").get_routes(ApiId=physical["HttpApi"])["Items"] == []
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        simulator.client("s3").get_bucket_lifecycle_configuration(Bucket=physical["DropBucket"])
    assert set(stack.FORGOTTEN) == {
        ("AWS::ApiGatewayV2::Api", "Body"),
        ("AWS::S3::Bucket", "LifecycleConfiguration"),
    }


def test_the_buckets_are_private_encrypted_versioned_and_only_drops_are_told_of(deployed: Deployed) -> None:
    s3 = deployed.simulator.client("s3")
    told = {}
    for output in ("ModelBucket", "DropBucket"):
        name = deployed.outputs[output]
        rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
        told[name] = (
            s3.get_bucket_versioning(Bucket=name)["Status"],
            rules[0]["ApplyServerSideEncryptionByDefault"],
            set(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values()),
            [
                (each["LambdaFunctionArn"], each["Events"], each["Filter"]["Key"]["FilterRules"])
                for each in s3.get_bucket_notification_configuration(Bucket=name).get(
                    "LambdaFunctionConfigurations", []
                )
            ],
        )
    batch = [deployed.outputs["BatchFunction"], ["s3:ObjectCreated:*"], [{"Name": "prefix", "Value": "incoming/"}]]
    kept = ("Enabled", {"SSEAlgorithm": "AES256"}, {True})
    assert told == {MODELS: (*kept, []), DROPS: (*kept, [tuple(batch)])}


def test_who_may_do_anything_may_not_do_it_without_tls(deployed: Deployed, trainer: Keys) -> None:
    for bucket in (MODELS, DROPS):
        deployed.simulator.client("s3", trainer).list_objects_v2(Bucket=bucket)
        with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
            deployed.simulator.client("s3", trainer, https=False).list_objects_v2(Bucket=bucket)


def test_a_model_published_by_the_training_command_answers_over_http_who_is_allowed_to_ask(
    deployed: Deployed, version: str, trainer: Keys
) -> None:
    url, body = deployed.outputs["Url"] + "/predict", json.dumps(showcase.REQUEST).encode()
    answer = http_api.ask(deployed.simulator, url, body, keys=trainer, headers=JSON)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json["model"] == {"name": "iris", "version": version}
    showcase.check_answer(answer.json, ["setosa"])
    stranger = deployed.simulator.user("stranger", {"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    refused = [http_api.ask(deployed.simulator, url, body, keys=keys, headers=JSON) for keys in (None, stranger)]
    assert [each.status for each in refused] == [403, 403]
    ready = http_api.ask(deployed.simulator, deployed.outputs["Url"] + "/ping", keys=trainer)
    assert ready.status == 200


def test_a_dropped_file_is_scored_by_the_event_that_its_bucket_sends(
    deployed: Deployed, version: str, trainer: Keys
) -> None:
    summary = drop(deployed, trainer, "incoming/new & old/flowers.csv", showcase.DROPPED)
    scored = get(deployed, DROPS, "scored/new & old/flowers.csv")
    rejected = get(deployed, DROPS, "rejected/new & old/flowers.csv")
    showcase.check_results(scored, rejected, summary["rows"], labels_of(deployed, version))
    s3 = deployed.simulator.client("s3")
    heads = {
        name: s3.head_object(Bucket=DROPS, Key=f"{name}/new & old/flowers.csv")
        for name in ("incoming", "scored", "rejected")
    }
    assert {name: summary[name] for name in ("status", "reason", "model", "rejected_by_reason", "outputs")} == {
        "status": "scored",
        "reason": None,
        "model": {"name": "iris", "version": version, "engine": "onnx"},
        "rejected_by_reason": {"not_a_number": 1},
        "outputs": {
            name: {
                "key": f"{name}/new & old/flowers.csv",
                "etag": heads[name]["ETag"],
                "bytes": heads[name]["ContentLength"],
            }
            for name in ("scored", "rejected")
        },
    }
    assert (summary["input"]["etag"], summary["input"]["version_id"]) == (
        heads["incoming"]["ETag"],
        heads["incoming"]["VersionId"],
    )
    calls = deployed.simulator.functions.called(deployed.physical["BatchFunction"])
    (call,) = [call for call in calls if call.event["Records"][0]["s3"]["object"]["key"].endswith("/flowers.csv")]
    assert call.payload == {
        "records": [
            {"key": "incoming/new & old/flowers.csv", "status": "scored", "reason": None, "rows": summary["rows"]}
        ]
    }


def test_the_functions_may_do_what_their_roles_say(deployed: Deployed, version: str, trainer: Keys) -> None:
    drop(deployed, trainer, "incoming/roles.csv", showcase.DROPPED)
    http_api.ask(deployed.simulator, deployed.outputs["Url"] + "/ping", keys=trainer)
    model = f"models/iris/versions/{version}/manifest.json"
    may = {
        function: [
            words
            for bucket, key in ((MODELS, model), (DROPS, "incoming/roles.csv"), (DROPS, "scored/roles.csv"))
            for words in allowed(deployed, function, bucket, key)
        ]
        for function in ("PredictFunction", "BatchFunction")
    }
    assert may == {
        "PredictFunction": ["get models/"],
        "BatchFunction": ["get models/", "get incoming/", "get scored/", "put scored/", "delete scored/"],
    }


def allowed(deployed: Deployed, function: str, bucket: str, key: str) -> list[str]:
    """What the role of a function that has run may do with an object, tried in this order."""
    keys = deployed.simulator.functions.roles[deployed.physical[function]]
    role = Keys(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], keys["AWS_SESSION_TOKEN"])
    s3 = deployed.simulator.client("s3", role)
    return [
        f"{verb} {key.partition('/')[0]}/"
        for verb, call, more in (
            ("get", s3.get_object, {}),
            ("put", s3.put_object, {"Body": b""}),
            ("delete", s3.delete_object, {}),
        )
        if not refused(call, Bucket=bucket, Key=key, **more)
    ]


def refused(call: Callable[..., Any], **given: Any) -> bool:
    """Whether who calls may not; any other error is one."""
    try:
        call(**given)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return True
    return False


@pytest.mark.parametrize("retries", [0, 2])
def test_a_drop_that_fails_is_tried_as_often_as_the_parameter_says_and_then_kept_with_its_event(
    simulator: Simulator, retries: int
) -> None:
    name = f"retries-{retries}"
    made = stack.deploy(simulator, name, {"BucketPrefix": name, "BatchRetries": str(retries)})
    simulator.client("s3").put_object(Bucket=made.outputs["DropBucket"], Key="incoming/a.csv", Body=showcase.DROPPED)
    sqs, queue = simulator.client("sqs"), made.outputs["BatchFailures"]
    (message,) = eventually(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    told = json.loads(message["Body"])
    calls = simulator.functions.called(made.physical["BatchFunction"])
    assert [call.failed for call in calls] == [True] * (retries + 1)
    assert [call.event for call in calls] == [told["requestPayload"]] * (retries + 1)
    why = "iris has no alias live in s3://{}; train and publish it, or name another".format(made.outputs["ModelBucket"])
    assert told["responsePayload"]["errorMessage"] == f"1 of 1 not finished: incoming/a.csv: {why}"
    made.delete()
    stack.empty(made)


def test_a_changed_parameter_makes_a_function_version_to_which_the_alias_moves(
    deployed: Deployed, version: str, trainer: Keys
) -> None:
    assert version
    before = drop(deployed, trainer, "incoming/before.csv", showcase.DROPPED)
    stack.update(deployed, {"BatchProbabilities": "true"})
    after = drop(deployed, trainer, "incoming/after.csv", showcase.DROPPED)
    assert [summary["rows"] for summary in (before, after)] == [after["rows"]] * 2
    headers = [get(deployed, DROPS, f"scored/{name}.csv").splitlines()[0] for name in ("before", "after")]
    added = b",probability_setosa,probability_versicolor,probability_virginica"
    assert headers == [headers[0], headers[0] + added]
    alias = deployed.simulator.client("lambda").get_alias(FunctionName=deployed.physical["BatchFunction"], Name="live")
    assert alias["FunctionVersion"] == "2"
    kept = deployed.simulator.client("lambda").list_versions_by_function(
        FunctionName=deployed.physical["BatchFunction"]
    )
    assert {each["Version"] for each in kept["Versions"]} >= {"1", "2"}


def labels_of(deployed: Deployed, version: str) -> list[str]:
    """The labels that the published pipeline itself gives the good rows."""
    where = deployed.simulator.folder / "model.joblib"
    where.write_bytes(get(deployed, MODELS, f"models/iris/versions/{version}/model.joblib"))
    manifest = json.loads(get(deployed, MODELS, f"models/iris/versions/{version}/manifest.json"))
    names = [feature["name"] for feature in manifest["features"]]
    return [str(label) for label in joblib.load(where).predict(pd.DataFrame(showcase.good_rows(names), columns=names))]
