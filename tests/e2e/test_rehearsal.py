"""`make rehearse`: everything a deployed stack goes through, shown step by step, and nothing of it left."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.local_room import alive, eventually
from tests.rehearsal import __main__ as command
from tests.rehearsal.steps import begin
from tests.simulator import leftovers

VERSION = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
API = "https://<api>.execute-api.eu-central-1.amazonaws.com"
MASKS = (
    (re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}Z"), "<when>"),
    (re.compile(r"https://[0-9a-f]{8}\.execute"), "https://<api>.execute"),
    (re.compile(r":\d{4,5}(?=[:/])"), ":<port>"),
    (re.compile(r"/\S+/rehearsal-\w+"), "<folder>"),
    (re.compile(r"-[0-9A-F]{13}\b"), "-<made>"),
    (re.compile(r"(?<=\"probabilities\":)\[\{.*?\}\]"), "<probabilities>"),
    (re.compile(r"in \d+ seconds"), "in <n> seconds"),
    (re.compile(r": \d+ resources made"), ": <n> resources made"),
)
MODELS, DROPS = (f"rehearsal-{what}-123456789012-eu-central-1" for what in ("models", "drops"))
LAMBDA = "arn:aws:lambda:eu-central-1:123456789012:function:serverless-sklearn"
FIT = f"$ python -m training fit data/iris.csv --target species --name iris --store s3://{MODELS}"
SIGNED = ' --aws-sigv4 aws:amz:eu-central-1:execute-api --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"'
ROW = '{{"instances": [[5.1, 3.5, 1.4, 0.2]]}}'
ASKED = f"$ curl -s{{}} {API}/predict -H 'content-type: application/json' -d '{ROW}'"
PREDICTED = (
    '    200 {{"predictions":["setosa"],"probabilities":<probabilities>,"model":{{"name":"iris","version":"{}"}}}}'
)
DROPPED = f"$ aws s3 cp {{0}} s3://{DROPS}/incoming/{{0}}"
SUMMARY = (
    '    scored/{}.summary.json, in part: {{"status": "scored", "model": {{"name": "iris", "version": "{}", '
    '"engine": "onnx"}}, "rows": {{"input": 7, "scored": 6, "rejected": 1, "blank": 0}}, '
    '"rejected_by_reason": {{"not_a_number": 1}}}}'
)
GIVEN = "{'BucketPrefix': 'rehearsal', 'ModelRefreshSeconds': '1'}"
CODE_DEPLOY = "(no CodeDeploy: a new function version takes over at once)"
GIVEN_UP = f"""\
    <when>  incoming/given-up.csv
        given up after every attempt (about 3); Unfinished: 1 of 1 not finished: incoming/given-up.csv: \
the credentials in use may not do this with models/iris/aliases/live.json in s3://{MODELS}"""
EXPECTED = f"""
1. Start an AWS simulator
    http://127.0.0.1:<port>: S3, Lambda, API Gateway, SQS, IAM, CloudFormation (ministack), in <folder>
    functions run as awslambdaric processes of the code here, with the keys of their roles
    $ is what you would type with an account; python is run so, the others are made as the same requests

2. Make the stack
    template.yaml, translated by SAM, with {GIVEN}: <n> resources made
    not here but on AWS: BatchFunctionDeploymentGroup {CODE_DEPLOY}
    not here but on AWS: PredictFunctionDeploymentGroup {CODE_DEPLOY}
    not here but on AWS: RejectedShare (an alarm over metric math)
    not here but on AWS: ServerlessDeploymentApplication {CODE_DEPLOY}
    Url: {API}
    ModelBucket: {MODELS}
    DropBucket: {DROPS}
    BatchFailures: http://eu-central-1.amazonaws.com:<port>/123456789012/serverless-sklearn-BatchFailures-<made>
    PredictFunction: {LAMBDA}-PredictFunction-<made>:live
    BatchFunction: {LAMBDA}-BatchFunction-<made>:live

3. Train on iris, and publish
{FIT}
    iris <first> is live

4. Ask over HTTP
{ASKED.format(SIGNED)}
{PREDICTED.format("<first>")}
{ASKED.format("")}
    403 {{"message": "Forbidden"}}

5. Drop a file
{DROPPED.format("flowers.csv")}
{SUMMARY.format("flowers.csv", "<first>")}
    petal_width,sepal_length,collector,petal_length,sepal_width,prediction
    0.2,5.10,"Anderson, E.",1.4,3.5,setosa
    1.4,7.0,"Fisher ""Ron"" A.",4.7,3.2,versicolor
    2.5,6.3,Anderson,6e0,3.3,virginica
    .3,4.6,,1.4,3.4,setosa
    1.5,6.4,Anderson,4.5,3.2,versicolor
    2.1,+7.1,Fisher,5.9,3.0,virginica
    line,reason,message,record
    5,not_a_number,"column 'petal_width': found 'wide', expected a number","wide,5.8,Fisher,5.1,2.7"

6. Drop a file that cannot be scored now
    somebody's mistake: the policy of the model bucket now refuses batch's role
{DROPPED.format("given-up.csv")}
    batch was tried three times, as BatchRetries says, and the event lies in the queue of failures
$ python -m operations replay --stack serverless-sklearn --dry-run
{GIVEN_UP}
        would be sent again
    1 would be sent again, 0 left in the queue
    mended: the policy is as the stack made it

7. Send it again once the cause is mended
$ python -m operations replay --stack serverless-sklearn
{GIVEN_UP}
        sent again
    1 sent again, 0 left in the queue
{SUMMARY.format("given-up.csv", "<first>")}

8. Promote another version
{FIT} --seed 1 --alias candidate
$ python -m training promote candidate --name iris --store s3://{MODELS}
    live is now <second>, before it <first>
{ASKED.format(SIGNED)}
{PREDICTED.format("<second>")}
{DROPPED.format("promoted.csv")}
{SUMMARY.format("promoted.csv", "<second>")}

9. Roll back
$ python -m training rollback --name iris --store s3://{MODELS}
    live is now <first>, before it <second>
{ASKED.format(SIGNED)}
{PREDICTED.format("<first>")}
{DROPPED.format("rolled-back.csv")}
{SUMMARY.format("rolled-back.csv", "<first>")}

10. Tear down
$ aws cloudformation delete-stack --stack-name serverless-sklearn
    outlive the stack, with models, drops and results in them: {DROPS}, {MODELS}
    both emptied, every version of every object, and deleted
    the simulator and every function process have ended

rehearsed in <n> seconds; nothing is left
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which everything temporary is made."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def _simulator_is_there() -> None:
    if not (PROJECT / ".venv-simulator" / "bin" / "python").exists():
        pytest.skip("there is no .venv-simulator; run: make simulator-environment")


def test_every_step_is_shown_with_what_came_of_it_and_nothing_is_left(temporary: Path) -> None:
    tree = changed()
    ended = subprocess.run(
        ["make", "rehearse"],
        cwd=PROJECT,
        env={name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert masked(ended.stdout) == EXPECTED
    assert (list(temporary.glob("rehearsal-*")), leftovers.processes(str(temporary)), changed()) == ([], [], tree)


def test_a_step_that_fails_is_named_with_its_reason_and_leaves_nothing(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrong(_: object) -> None:
        raise RuntimeError("it is not as it should be")

    monkeypatch.setattr(command, "STEPS", (("Start", begin), ("Go wrong", wrong)))
    assert command.main() == 1
    said = capsys.readouterr()
    assert said.err.splitlines()[-1] == "step 2 failed: Go wrong: RuntimeError: it is not as it should be"
    assert "-- simulator.log\n" in said.err
    assert (list(temporary.glob("rehearsal-*")), leftovers.processes(str(temporary))) == ([], [])


@pytest.mark.parametrize(("sent", "code", "folders"), [(signal.SIGTERM, 130, 0), (signal.SIGKILL, -9, 1)])
def test_stopped_in_the_middle_it_leaves_no_process(
    temporary: Path, sent: signal.Signals, code: int, folders: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.rehearsal"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            if line.startswith("5. "):
                break
        time.sleep(1)
        running = leftovers.processes(f"{temporary}/rehearsal-")
        process.send_signal(sent)
        assert process.wait(60) == code
    assert running != []
    eventually(lambda: not any(map(alive, running)))
    assert len(list(temporary.glob("rehearsal-*"))) == folders  # nobody can tidy up after kill -9


def masked(text: str) -> str:
    """Without what differs from run to run, and without the table and figures of the training."""
    first, second = dict.fromkeys(VERSION.findall(text))
    text = text.replace(first, "<first>").replace(second, "<second>")
    for pattern, word in MASKS:
        text = pattern.sub(word, text)
    kept, fitting = [], False
    for line in text.splitlines():
        if not line.startswith("    ") or "is live" in line:
            fitting = line.startswith("$ python -m training fit")
            kept.append(line)
        elif not fitting:
            kept.append(line)
    return "\n".join(kept) + "\n"


def changed() -> str:
    return subprocess.run(["git", "status", "--porcelain"], cwd=PROJECT, capture_output=True, text=True).stdout
