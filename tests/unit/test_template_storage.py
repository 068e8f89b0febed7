"""What the translated template promises of buckets, queue and logs; nothing is called."""

import hashlib
import json

from tests.template import (
    ALL_ON,
    DROPS,
    FAILURES,
    FUNCTIONS,
    KEY,
    LAMBDA,
    MODELS,
    ROOT,
    VARIANTS,
    Json,
    Stack,
    document,
    environment,
)


def test_a_file_dropped_under_incoming_goes_to_batchs_alias_whatever_its_name_ends_in(stack: Stack) -> None:
    assert stack.properties("DropBucket")["NotificationConfiguration"] == {
        "EventBridgeConfiguration": {"EventBridgeEnabled": True},  # for retraining, where that is on
        "LambdaConfigurations": [
            {
                "Event": "s3:ObjectCreated:*",
                "Function": f"{LAMBDA}:BatchFunction:live",
                "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "incoming/"}]}},
            }
        ],
    }


# A bucket that outlived the first deployment, which failed, would stand in the way of the second by its name. Source:
# AWS CloudFormation Template Reference, "DeletionPolicy attribute".
KEPT = ("RetainExceptOnCreate", "Retain")


def test_both_buckets_outlive_the_stack_except_where_it_never_came_to_be_and_keep_versions(stack: Stack) -> None:
    buckets = stack.of_type("AWS::S3::Bucket")
    assert {name: given["BucketName"] for name, given in buckets.items()} == {
        "ModelBucket": MODELS,
        "DropBucket": DROPS,
    }
    for name, given in buckets.items():
        resource = stack.resources[name]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == KEPT
        assert given["VersioningConfiguration"] == {"Status": "Enabled"}
    for name in stack.of_type("AWS::S3::BucketPolicy"):
        resource = stack.resources[name]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == KEPT


def test_a_second_stack_serves_another_alias_out_of_the_first_ones_bucket_and_may_only_read_there(
    template: dict[str, Json],
) -> None:
    given = Stack(template, VARIANTS["models-of-another-stack"])
    assert list(given.of_type("AWS::S3::Bucket")) == ["DropBucket"]
    assert list(given.of_type("AWS::S3::BucketPolicy")) == ["DropBucketOverTlsOnly"]
    assert given.properties("DropBucket")["BucketName"] == DROPS.replace("serverless-sklearn", "candidate")
    assert given.resolved(given.outputs["ModelBucket"]["Value"]) == MODELS
    own = Stack(template, {"FanOut": "on"})
    for function in ("PredictFunction", "BatchFunction", "FanOutFunction"):
        variables = environment(given, function)
        assert (variables["MODEL_STORE"], variables["MODEL_ALIAS"]) == (f"s3://{MODELS}", "candidate")
        role = function.replace("Function", "Role")
        (store,) = (one for one in own.properties(role)["Policies"] if one["PolicyName"] == "store")
        (there,) = (one for one in given.properties(role)["Policies"] if one["PolicyName"] == "store")
        assert there["PolicyDocument"]["Statement"][:2] == store["PolicyDocument"]["Statement"][:2]
        assert MODELS not in json.dumps(there["PolicyDocument"]["Statement"][2:])


UPLOADS_AND_OLD_VERSIONS = [
    {
        "Id": "uploads-nobody-finished",
        "Status": "Enabled",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    },
    {
        "Id": "old-versions",
        "Status": "Enabled",
        "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
        "ExpiredObjectDeleteMarker": True,
    },
]


def test_uploads_that_a_killed_function_left_open_go_after_a_week_and_what_was_overwritten_after_ninety_days(
    stack: Stack,
) -> None:
    for given in stack.of_type("AWS::S3::Bucket").values():
        assert given["LifecycleConfiguration"] == {"Rules": UPLOADS_AND_OLD_VERSIONS}


def test_drops_and_results_are_deleted_only_where_asked_for_and_models_never(template: dict[str, Json]) -> None:
    asked = Stack(template, VARIANTS["everything-expires"])
    assert asked.properties("DropBucket")["LifecycleConfiguration"]["Rules"] == [
        *UPLOADS_AND_OLD_VERSIONS,
        {"Id": "drops", "Status": "Enabled", "Prefix": "incoming/", "ExpirationInDays": "30"},
        {"Id": "scored", "Status": "Enabled", "Prefix": "scored/", "ExpirationInDays": "60"},
        {"Id": "rejected", "Status": "Enabled", "Prefix": "rejected/", "ExpirationInDays": "60"},
    ]
    assert asked.properties("ModelBucket")["LifecycleConfiguration"]["Rules"] == UPLOADS_AND_OLD_VERSIONS


def test_a_key_of_ones_own_encrypts_buckets_queue_logs_and_settings(template: dict[str, Json]) -> None:
    given = Stack(template, VARIANTS["own-key"])
    for bucket in given.of_type("AWS::S3::Bucket").values():
        assert bucket["BucketEncryption"] == {
            "ServerSideEncryptionConfiguration": [
                {
                    "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
                    "BucketKeyEnabled": True,
                }
            ]
        }
    queue = given.properties("BatchFailures")
    assert (queue["KmsMasterKeyId"], "SqsManagedSseEnabled" in queue) == (KEY, False)
    assert given.properties("AlarmTopic")["KmsMasterKeyId"] == KEY
    assert {group["KmsKeyId"] for group in given.of_type("AWS::Logs::LogGroup").values()} == {KEY}
    assert {given.properties(function)["KmsKeyArn"] for function in FUNCTIONS} == {KEY}


def test_without_one_aws_keeps_the_keys(stack: Stack) -> None:
    queue = stack.properties("BatchFailures")
    assert (queue["SqsManagedSseEnabled"], "KmsMasterKeyId" in queue) == (True, False)
    assert not [name for name, group in stack.of_type("AWS::Logs::LogGroup").items() if "KmsKeyId" in group]
    assert not [function for function in FUNCTIONS if "KmsKeyArn" in stack.properties(function)]


def test_a_drop_that_is_given_up_stays_in_a_queue_with_its_event_for_fourteen_days(template: dict[str, Json]) -> None:
    stack = Stack(template, {"BatchRetries": "1", "BatchMaxEventAgeSeconds": "3600"})
    assert stack.of_type("AWS::Lambda::EventInvokeConfig") == {
        "BatchGivesUp": {
            "FunctionName": "BatchFunction",
            "Qualifier": "live",
            "MaximumRetryAttempts": "1",
            "MaximumEventAgeInSeconds": "3600",
            "DestinationConfig": {"OnFailure": {"Destination": FAILURES}},
        }
    }
    assert stack.properties("BatchFailures")["MessageRetentionPeriod"] == 14 * 24 * 60 * 60


def test_the_queue_of_failures_refuses_plain_http(stack: Stack) -> None:
    assert stack.of_type("AWS::SQS::QueuePolicy") == {
        "BatchFailuresOverTlsOnly": {
            "Queues": ["BatchFailures"],
            "PolicyDocument": document(
                {
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "sqs:*",
                    "Resource": FAILURES,
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                }
            ),
        }
    }


def test_both_buckets_are_private_encrypted_and_refuse_plain_http(stack: Stack) -> None:
    for given in stack.of_type("AWS::S3::Bucket").values():
        assert given["PublicAccessBlockConfiguration"] == {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        }
        assert given["BucketEncryption"] == {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        }
    assert {given["Bucket"]: given["PolicyDocument"] for given in stack.of_type("AWS::S3::BucketPolicy").values()} == {
        bucket: document(
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        )
        for bucket in (MODELS, DROPS)
    }


def test_the_longest_prefix_still_makes_bucket_names_that_s3_takes(template: dict[str, Json]) -> None:
    longest_region, most = "ap-southeast-1", 63
    prefix = "a" * 28
    names = [
        given["BucketName"].replace("eu-central-1", longest_region)
        for given in Stack(template, {"BucketPrefix": prefix}).of_type("AWS::S3::Bucket").values()
    ]
    assert max(map(len, names)) == most
    assert template["Parameters"]["BucketPrefix"]["AllowedPattern"] == "[a-z0-9][a-z0-9-]{1,26}[a-z0-9]"


def test_the_functions_the_http_api_and_the_state_machines_log_to_groups_that_forget(template: dict[str, Json]) -> None:
    stack = Stack(template, {**ALL_ON, "LogRetentionDays": "7"})
    groups = stack.of_type("AWS::Logs::LogGroup")
    used = {stack.properties(function)["LoggingConfig"]["LogGroup"] for function in FUNCTIONS}
    assert used | {"AccessLogs", "FanOutMachineLogs", "RetrainingLogs"} == set(groups)
    assert {given["RetentionInDays"] for given in groups.values()} == {"7"}


def test_the_sample_storage_events_speak_of_the_iris_file_that_is_here() -> None:
    content = (ROOT / "data" / "iris.csv").read_bytes()
    for name in ("s3-put", "s3-put-minio"):
        event = json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
        told = event["Records"][0]["s3"]["object"]
        assert (told["size"], told["eTag"]) == (len(content), hashlib.md5(content, usedforsecurity=False).hexdigest())
