"""The template's retraining on a real S3 server: real training jobs, real functions, each as the role it is given."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from functions.registry import alias
from functions.registry.alias import Alias
from functions.registry.store import Store, open_store
from tests.minio_server import Minio
from tests.models import VERSION as LIVE
from tests.models import publish_iris
from tests.retraining_machine import Job, Retraining, retraining
from tests.training_runs import IRIS

DATA = "incoming-training/iris.csv"
Starts: TypeAlias = Callable[..., AbstractContextManager[Retraining]]


@pytest.fixture
def store(minio: Minio, model_bucket: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The models as their owner sees them, with one that is live."""
    with monkeypatch.context() as own:
        for name, value in minio.environment(minio.root).items():
            own.setenv(name, value)
        store = open_store(f"s3://{model_bucket}")
    publish_iris(store, twin=True)
    return store


@pytest.fixture
def start(minio: Minio, tmp_path: Path, model_bucket: str, drop_bucket: str, store: Store) -> Starts:
    """The template's machine with these parameters, over a bucket with a table to train on."""
    del store  # which is there before anything runs

    def started(
        parameters: Mapping[str, str], settings: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Retraining]:
        with minio.client(minio.root) as client:
            client.put_object(Bucket=drop_bucket, Key=DATA, Body=IRIS.read_bytes())
        return retraining(minio, tmp_path, model_bucket, drop_bucket, parameters, settings)

    return started


def live(store: Store) -> Alias:
    return alias.read(store, "iris", "live")


def worse(body: bytes) -> bytes:
    """The same table, with the answer to all but every fifth row made up."""
    header, *rows = body.decode().splitlines()
    kinds = ["setosa", "versicolor", "virginica"]
    made_up = [f"{row.rpartition(',')[0]},{kinds[index % 3]}" if index % 5 else row for index, row in enumerate(rows)]
    return "\n".join([header, *made_up, ""]).encode()


def test_a_version_that_passes_the_gate_is_promoted_and_its_figures_are_told(start: Starts, store: Store) -> None:
    with start({"RetrainingMinScore": "0.8"}) as it:
        ended = it.machine.run({})
        assert (ended.exec_status, ended.error, ended.cause) == ("SUCCEEDED", None, None)
        version = it.versions()[-1]
        assert (it.versions(), it.steps()) == ([LIVE, version], [("gate", "passed"), ("promote", "promoted")])
    now = live(store)
    assert (now.version, now.previous, now.by) == (version, LIVE, "retraining run")
    ((subject, message),) = it.notices
    assert subject == f"iris: {version} is live"
    first, figure, beside, *_ = message.splitlines()
    assert first == f"iris {version} is live now, before it {LIVE}."
    assert figure.startswith("accuracy ")
    assert figure.endswith(" on 30 held-out rows.")
    assert beside.endswith(f" of {LIVE} on the same 30 rows.")
    assert ended.output["notice"] == {"subject": subject, "message": message}
    (job,) = it.sagemaker.jobs.values()
    assert job.request["HyperParameters"] == {
        "target": "species",
        "name": "iris",
        "store": f"s3://{it.models}",
        "alias": "live",
        "evidence": job.request["TrainingJobName"],
    }


def test_a_version_that_the_gate_refuses_is_published_and_not_promoted_and_the_reasons_are_told(
    start: Starts, store: Store
) -> None:
    with start({}) as it:
        it.put(DATA, worse(IRIS.read_bytes()))
        ended = it.machine.run({})
        assert (ended.exec_status, it.steps()) == ("SUCCEEDED", [("gate", "refused")])
        version = it.versions()[-1]
    assert live(store).version == LIVE
    ((subject, message),) = it.notices
    assert subject == f"iris: {version} was refused by the gate"
    reason = f"of the live {LIVE} on the same 30 rows, further behind than the 0.02 of RetrainingMaxDropVsLive\n"
    assert reason in message
    assert f"python -m training promote {version} --name iris --store s3://{it.models} --alias live\n" in message


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"RetrainingTarget": "colour"}, "there is no column 'colour' for --target"),
        ({"RetrainingData": "incoming-training/none"}, "there is no file in "),
        ({"RetrainingOptions": '{"colour": "red"}'}, "there is no hyperparameter 'colour'; there are "),
        ({"RetrainingOptions": '{"min-score": "0.9"}'}, "--evidence leaves the judgement to a later gate"),
    ],
)  # fmt: skip
def test_a_training_job_that_fails_ends_the_run_with_its_reason_told_and_nothing_promoted(
    start: Starts, store: Store, parameters: dict[str, str], reason: str
) -> None:
    with start(parameters) as it:
        ended = it.machine.run({})
        assert it.steps() == [("explain", None)]
        assert it.versions() == [LIVE]
    assert live(store).version == LIVE
    ((subject, message),) = it.notices
    assert subject == "iris: retraining failed"
    assert " ended as Failed: AlgorithmError: error: " in message
    assert reason in message
    assert f"\nlive is {LIVE}.\n" in message
    assert (ended.exec_status, ended.error, ended.cause) == ("FAILED", "RetrainingFailed", message)


def test_where_the_function_itself_fails_the_cause_is_told_as_it_is(start: Starts, store: Store) -> None:
    with start({"RetrainingTarget": "colour"}, {"MODEL_STORE": ""}) as it:
        ended = it.machine.run({})
    assert (ended.exec_status, live(store).version) == ("FAILED", LIVE)
    ((subject, message),) = it.notices
    assert subject == "stack - retraining failed"
    assert message.startswith(f"Retraining failed, States.TaskFailed. Execution {ended.exec_arn}. ")
    assert "there is no column 'colour' for --target" in message
    assert ended.cause == message


def test_further_options_of_fit_reach_the_training_job_and_several_files_are_one_table(start: Starts) -> None:
    header, *rows = IRIS.read_text().splitlines(keepends=True)
    with start({"RetrainingOptions": '{"drop": "[\\"sepal_width\\", \\"sepal_length\\"]", "name": "other"}'}) as it:
        it.put(DATA, "".join([header, *rows[::2]]).encode())
        it.put("incoming-training/more/second.csv", "".join([header, *rows[1::2]]).encode())
        ended = it.machine.run({})
        assert ended.exec_status == "SUCCEEDED"
        with it.minio.client(it.minio.root) as client:
            key = f"models/iris/versions/{it.versions()[-1]}/manifest.json"
            manifest = json.loads(client.get_object(Bucket=it.models, Key=key)["Body"].read())
    assert manifest["data"]["rows"] == 150
    # The live version takes what this one does not: they are not compared, and it is not promoted.
    assert [feature["name"] for feature in manifest["features"]] == ["petal_length", "petal_width"]
    assert ended.output["reasons"] == [
        f"it cannot be compared with the live {LIVE}: it takes sepal_length, sepal_width, which this one does not"
    ]


def decisions(ended: Iterable[Any]) -> list[str]:
    """Of executions that succeeded, in order."""
    ended = list(ended)
    assert [one.exec_status for one in ended] == ["SUCCEEDED"] * len(ended)
    return [one.output["decision"] for one in ended]


LEFT, LATER = "left to a newer run", "left to a later job"


def test_of_runs_that_start_together_the_oldest_trains_for_all(start: Starts, store: Store) -> None:
    with start({}) as it:
        it.sagemaker.before = lambda _: time.sleep(3)  # longer than the newest waits before it looks again
        executions = [it.machine.start({}, name) for name in ("first", "second", "third")]
        ended = [it.machine.ended(one) for one in executions]
        assert decisions(ended) == ["promoted", LEFT, LATER]
        (name,) = it.sagemaker.jobs
        assert ended[1].output["newer"] == executions[2].exec_arn
        assert (ended[2].output["job"], ended[2].output["run"]) == (name, executions[0].exec_arn)
        assert len(it.notices) == 1
    assert live(store).by == "retraining first"


def test_a_run_that_starts_while_another_trains_waits_for_it_and_is_judged_by_what_that_promoted(
    start: Starts, store: Store
) -> None:
    with start({"RetrainingMaxDropVsLive": "1"}) as it:
        begun: list[Any] = []

        def start_another(_: Job) -> None:
            if not begun:
                begun.append(it.machine.start({}, "second"))
                time.sleep(3)  # longer than its two waits before it looks about

        it.sagemaker.before = start_another
        first = it.machine.run({}, "first")
        second = it.machine.ended(begun[0])
        assert decisions([first, second]) == ["promoted", "promoted"]
        assert len(it.sagemaker.jobs) == 2
        assert it.sagemaker.looks > 0
    assert (live(store).version, live(store).previous) == (second.output["version"], first.output["version"])
    assert f" of {first.output['version']} on the same 30 rows.\n" in it.notices[1][1]


# A minute's wait takes a second here, so these are files every quarter of a minute, and every minute and a half.
@pytest.mark.parametrize("pause", [0.25, 1.5], ids=["while each settles", "after each has settled"])
def test_files_that_never_cease_are_all_trained_on_by_one_job_after_the_other(start: Starts, pause: float) -> None:
    with start({"RetrainingMaxDropVsLive": ""}) as it:
        it.sagemaker.before = lambda _: time.sleep(1)
        executions: list[Any] = []
        until = time.monotonic() + 60
        while len(it.sagemaker.jobs) < 2:
            assert time.monotonic() < until, "files go on landing, and nobody trains"
            executions.append(it.machine.start({}, f"file-{len(executions)}"))
            time.sleep(pause)
        told = decisions(it.machine.ended(one) for one in executions)
        jobs = list(it.sagemaker.jobs.values())
    assert {LEFT, LATER} >= set(told) - {"promoted", "refused"}
    assert len(jobs) == len(told) - told.count(LEFT) - told.count(LATER) < len(executions)
    began = [job.created for job in jobs]
    assert all(any(one.start_date.timestamp() < job for job in began) for one in executions)
    assert all(job.ended and job.ended < later for job, later in zip(jobs, began[1:], strict=False))


def test_a_look_at_jobs_that_fails_keeps_a_run_until_its_turn(start: Starts) -> None:
    with start({"RetrainingMaxDropVsLive": "1"}) as it:
        it.sagemaker.throttles = True
        it.sagemaker.before = lambda _: time.sleep(3)
        executions = [it.machine.start({}, name) for name in ("first", "second")]
        assert decisions(it.machine.ended(one) for one in executions) == ["promoted", "promoted"]
        assert it.sagemaker.looks > 1
        assert len(it.sagemaker.jobs) == 2


def test_a_run_that_no_list_shows_leaves_to_a_newer_one_alone_and_else_looks_again(start: Starts) -> None:
    with start({}) as it:
        seen: list[Any] = []

        def shown(running: list[Any]) -> list[Any]:
            seen.append(running)
            newest, *older = seen[0]
            # Too long a list for the first run; then one that lags behind for the second, until the fourth look.
            shows: list[list[Any]] = [[newest], [], older, running]
            return shows[min(len(seen), 4) - 1]

        it.shown = shown
        first = it.machine.start({}, "first")
        time.sleep(0.3)
        second = it.machine.start({}, "second")
        assert decisions(it.machine.ended(one) for one in (first, second)) == [LEFT, "promoted"]
        assert (first.output["newer"], len(seen)) == (second.exec_arn, 4)


def move(store: Store, version: str) -> None:
    alias.move(store, "iris", "live", version, by="anna")


OLDER, NEWER = "20261120T000000Z-00000000", "29991231T000000Z-00000000"


def test_a_version_compared_with_what_is_no_longer_live_is_trained_again(start: Starts, store: Store) -> None:
    publish_iris(store, OLDER, move=False, twin=True)
    with start({}) as it:
        rollback = iter([True])
        it.sagemaker.after = lambda _: move(store, OLDER) if next(rollback, False) else None
        ended = it.machine.run({})
        assert it.steps() == [("gate", "outdated"), ("gate", "passed"), ("promote", "promoted")]
        assert len(it.sagemaker.jobs) == 2
    assert f" of {OLDER} on the same 30 rows.\n" in ended.output["notice"]["message"]
    assert (live(store).version, live(store).previous) == (it.versions()[-1], OLDER)


def test_a_version_never_takes_the_place_of_a_newer_one(start: Starts, store: Store) -> None:
    publish_iris(store, NEWER, move=False, twin=True)
    with start({}) as it:
        it.sagemaker.after = lambda _: move(store, NEWER)
        ended = it.machine.run({})
        assert it.steps() == [("gate", "overtaken")]
    assert (ended.exec_status, live(store).version) == ("SUCCEEDED", NEWER)
    assert it.notices[0][0].endswith(" was overtaken")


def test_who_moves_the_alias_between_gate_and_promotion_is_not_overruled(start: Starts, store: Store) -> None:
    publish_iris(store, NEWER, move=False, twin=True)
    with start({}) as it:
        it.machine.before = lambda event: move(store, NEWER) if event["step"] == "promote" else None
        it.machine.run({})
        assert it.steps() == [("gate", "passed"), ("promote", "PreconditionFailed"), ("gate", "overtaken")]
    assert live(store).version == NEWER


def test_a_step_whose_function_dies_is_taken_again_and_its_work_is_done_once(start: Starts, store: Store) -> None:
    with start({}) as it:
        dying = iter([True])

        def kill(event: Any) -> None:
            if event["step"] == "promote" and next(dying, False):
                for one in it.machine.functions["ReleaseFunction"].environments():
                    threading.Timer(0.01, one.end).start()

        it.machine.before = kill
        ended = it.machine.run({})
        assert ended.exec_status == "SUCCEEDED"
    assert (live(store).version, live(store).previous) == (it.versions()[-1], LIVE)


def test_a_run_that_is_started_again_trains_anew_under_another_name(start: Starts, store: Store) -> None:
    with start({"RetrainingMaxDropVsLive": "1"}) as it:
        first, second = it.machine.run({}, "monday"), it.machine.run({}, "tuesday")
        assert [one.output["decision"] for one in (first, second)] == ["promoted", "promoted"]
        assert len(it.sagemaker.jobs) == 2
    assert live(store).previous == first.output["version"]
