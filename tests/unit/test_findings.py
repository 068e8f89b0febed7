"""What is accepted of checkov's findings: only what is named, where it is named, as long as it is found."""

import pytest

from tests.findings import Accepted, Finding, findings, judged, read_accepted
from tests.template import VARIANTS, Json

SETS = {"defaults": {}, "own-key": {"KeyArn": "arn:aws:kms:..."}}
PLAIN_LOGS = Finding("CKV_AWS_158", "AWS::Logs::LogGroup.Logs", "defaults", "Logs under a key")
LOGS_DESPITE_KEY = Finding("CKV_AWS_158", "AWS::Logs::LogGroup.Logs", "own-key", "Logs under a key")
LEAVE_LOGS = Accepted("CKV_AWS_158", "AWS::Logs::LogGroup.*", "they cost", unless="KeyArn")


def test_a_finding_that_is_accepted_where_it_is_found_is_nothing_to_say() -> None:
    assert judged([PLAIN_LOGS], [LEAVE_LOGS], SETS) == []


@pytest.mark.parametrize(
    "finding",
    [
        LOGS_DESPITE_KEY,
        Finding("CKV_AWS_158", "AWS::S3::Bucket.Logs", "defaults", "Logs under a key"),
        Finding("CKV_AWS_159", "AWS::Logs::LogGroup.Logs", "defaults", "Logs under a key"),
    ],
)
def test_one_that_is_not_is_named_with_its_place(finding: Finding) -> None:
    assert judged([PLAIN_LOGS, finding], [LEAVE_LOGS], SETS) == [
        f"{finding.check} {finding.resource} in {finding.where}: Logs under a key"
    ]


def test_what_is_wrong_in_several_sets_is_said_once() -> None:
    assert judged([LOGS_DESPITE_KEY, PLAIN_LOGS], [], SETS) == [
        "CKV_AWS_158 AWS::Logs::LogGroup.Logs in defaults, own-key: Logs under a key"
    ]


def test_what_is_accepted_and_found_no_more_is_to_be_taken_out() -> None:
    assert judged([], [LEAVE_LOGS], SETS) == [
        "CKV_AWS_158 AWS::Logs::LogGroup.* is accepted and no longer found: take it out of .ci/checkov.yaml"
    ]


def test_every_acceptance_has_a_reason_and_names_a_parameter_that_some_set_gives() -> None:
    for entry in read_accepted():
        assert len(entry.because.split()) > 5, entry
        assert entry.unless is None or any(entry.unless in values for values in VARIANTS.values()), entry


FAILED = {
    "check_id": "CKV_AWS_158",
    "check_name": "Logs under a key",
    "resource": "AWS::Logs::LogGroup.Logs",
    "file_path": "/defaults.json",
}


def report(kind: str = "cloudformation", **results: Json) -> Json:
    return {"check_type": kind, "results": {"passed_checks": [], "failed_checks": [FAILED], **results}}


def test_checkovs_report_is_read_whether_it_is_one_or_several() -> None:
    assert findings(report(), ["/defaults.json"]) == [PLAIN_LOGS]
    assert findings([report(), report("dockerfile")], ["/defaults.json"]) == [
        PLAIN_LOGS, Finding("CKV_AWS_158", "AWS::Logs::LogGroup.Logs", "/defaults.json", "Logs under a key"),
    ]  # fmt: skip


@pytest.mark.parametrize("said", [report(), [report(), report("dockerfile")], {"passed": 0, "failed": 0}])
def test_a_file_of_which_checkov_says_nothing_is_not_taken_for_one_without_findings(said: Json) -> None:
    with pytest.raises(RuntimeError, match=r"^checkov said nothing of .*/own-key.json$"):
        findings(said, ["/defaults.json", "/own-key.json"])
