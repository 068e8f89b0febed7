"""A newly trained version is judged, promoted and told of by what its training left, whoever else moves the alias."""

import math
from functools import partial
from typing import Any

import pytest

from functions.candidates import Candidates, Judged, Notice, Promoted
from functions.errors import ModelNotFound, ObjectNotFound, PreconditionFailed, StoreError
from functions.gate import Comparison, Figure, Limits
from functions.registry import alias as aliases
from functions.registry import evidence as evidences
from functions.registry import keys
from functions.registry.evidence import Evidence
from functions.registry.memory import MemoryStore
from tests.models import publish_iris

OLD, LIVE, NEW = "20261120T000000Z-00000000", "20261121T000000Z-11111111", "20261122T000000Z-22222222"
RUN = "job-1"
EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:stack-retraining:monday"
CALLED = ("RetrainingMinScore", "RetrainingMaxDropVsLive")
FIGURE = Figure("accuracy", 0.96, "30 held-out rows")
ON_THE_SAME = Comparison(LIVE, 0.96, 0.95, 30, notes=("the live version was fitted on another file",))


@pytest.fixture
def store() -> MemoryStore:
    """Three versions, of which the middle one is live."""
    store = MemoryStore()
    for version in (OLD, LIVE, NEW):
        publish_iris(store, version, move=False)
    aliases.move(store, "iris", "live", LIVE, by="anna")
    return store


def left(store: MemoryStore, figure: Figure = FIGURE, comparison: Comparison = ON_THE_SAME) -> None:
    evidences.leave(store, "iris", Evidence.of(RUN, NEW, figure, comparison))


def candidates(store: MemoryStore, min_score: float | None = None, max_drop: float | None = None) -> Candidates:
    return Candidates(store, "iris", "live", Limits(min_score, max_drop, CALLED))


def live(store: MemoryStore) -> aliases.Alias:
    return aliases.read(store, "iris", "live")


FIGURES = f"""\
accuracy 0.96 on 30 held-out rows.
accuracy 0.96 against 0.95 of {LIVE} on the same 30 rows.
The live version was fitted on another file.
"""
CARD = f"Its card: memory:/models/iris/versions/{NEW}/report.html\n"
BY_HAND = f"To promote it all the same: python -m training promote {NEW} --name iris --store memory: --alias live\n"
TOLD_BY = f"Execution: {EXECUTION}\n"


def test_a_version_that_reaches_what_is_asked_passes_and_is_promoted_and_its_figures_are_told(
    store: MemoryStore,
) -> None:
    left(store)
    it = candidates(store, 0.9, 0.0)
    judged = it.judge(RUN, EXECUTION)
    assert judged == Judged(
        "passed",
        NEW,
        LIVE,
        aliases.seen(store, "iris", "live").etag,
        (),
        Notice(
            f"iris: {NEW} passed the gate",
            f"iris {NEW} is published and passed the gate.\nlive is {LIVE}.\n\n{FIGURES}{CARD}{BY_HAND}{TOLD_BY}",
        ),
    )
    assert it.promote(RUN, judged.seen, EXECUTION) == Promoted(
        "promoted",
        NEW,
        LIVE,
        Notice(
            f"iris: {NEW} is live",
            f"iris {NEW} is live now, before it {LIVE}.\n{FIGURES}\n{CARD}"
            f"Back: python -m training rollback --name iris --store memory: --alias live\n{TOLD_BY}",
        ),
    )
    assert (live(store).version, live(store).previous, live(store).by) == (NEW, LIVE, "retraining monday")


def test_a_version_that_does_not_is_refused_with_every_reason_and_how_to_promote_it_by_hand(store: MemoryStore) -> None:
    left(store)
    judged = candidates(store, 0.97, -0.1).judge(RUN, EXECUTION)
    reasons = (
        "accuracy 0.96 on 30 held-out rows, less than the 0.97 of RetrainingMinScore",
        f"accuracy 0.96 against 0.95 of the live {LIVE} on the same 30 rows, further behind than the -0.1 of "
        "RetrainingMaxDropVsLive",
    )
    assert (judged.decision, judged.reasons) == ("refused", reasons)
    assert judged.notice == Notice(
        f"iris: {NEW} was refused by the gate",
        f"iris {NEW} is published and was refused by the gate.\n- {reasons[0]}\n- {reasons[1]}\nlive is {LIVE}.\n\n"
        f"{FIGURES}{CARD}{BY_HAND}{TOLD_BY}",
    )
    assert live(store).version == LIVE


def test_the_first_version_of_a_model_has_nothing_to_fall_behind(store: MemoryStore) -> None:
    store.delete(keys.alias_key("iris", "live"))
    left(store, comparison=Comparison(None))
    it = candidates(store, 0.9, 0.0)
    judged = it.judge(RUN, EXECUTION)
    assert (judged.decision, judged.live, judged.seen) == ("passed", None, None)
    promoted = it.promote(RUN, None, EXECUTION)
    assert promoted.notice.message == (
        f"iris {NEW} is live now.\naccuracy 0.96 on 30 held-out rows.\n\n{CARD}{TOLD_BY}"
    )


def test_a_figure_that_the_rows_do_not_define_comes_back_as_no_number_and_passes_nothing(store: MemoryStore) -> None:
    undefined = Figure("R²", math.nan, "1 held-out rows"), Comparison(LIVE, math.nan, -math.inf, 1)
    left(store, *undefined)
    assert evidences.read(store, "iris", RUN) == Evidence.of(RUN, NEW, *undefined)
    judged = candidates(store, -10.0, 10.0).judge(RUN, EXECUTION)
    assert (judged.decision, len(judged.reasons)) == ("refused", 2)


def test_what_could_not_be_compared_is_refused_where_a_comparison_is_asked_for_and_told_where_it_is_not(
    store: MemoryStore,
) -> None:
    left(store, comparison=Comparison(LIVE, problem="it takes x, which this one does not"))
    refused = candidates(store, None, 1.0).judge(RUN, EXECUTION)
    assert refused.reasons == (f"it cannot be compared with the live {LIVE}: it takes x, which this one does not",)
    passed = candidates(store, 0.9, None).judge(RUN, EXECUTION)
    assert passed.decision == "passed"
    assert f"It could not be compared with {LIVE}: it takes x, which this one does not.\n" in passed.notice.message


def test_a_version_that_the_functions_would_refuse_is_not_promoted_however_good(store: MemoryStore) -> None:
    left(store)
    key = keys.version_folder("iris", NEW) + "model.joblib"
    store.put(key, store.get(key).body + b"x")
    judged = candidates(store).judge(RUN, EXECUTION)
    assert judged.decision == "refused"
    assert judged.reasons[0].startswith("the functions would refuse it: ")


def test_an_older_version_never_takes_the_place_of_a_newer_one(store: MemoryStore) -> None:
    newer = "20261123T000000Z-33333333"
    publish_iris(store, newer, move=False)
    left(store)
    aliases.move(store, "iris", "live", newer, by="another run")
    for limits in ((None, None), (0.9, 0.0), (0.99, 0.0)):
        judged = candidates(store, *limits).judge(RUN, EXECUTION)
        assert judged.decision == "overtaken"
        assert judged.reasons == (f"{newer}, which is newer, is live already",)


def test_where_another_older_one_went_live_meanwhile_the_comparison_is_out_of_date(store: MemoryStore) -> None:
    left(store)
    aliases.move(store, "iris", "live", OLD, by="anna")
    judged = candidates(store, 0.9, 0.0).judge(RUN, EXECUTION)
    assert (judged.decision, judged.reasons) == ("outdated", (f"it was compared with {LIVE}, and live is {OLD} now",))
    assert candidates(store, 0.9, None).judge(RUN, EXECUTION).decision == "passed"  # nobody asked for a comparison


def test_of_two_promotions_that_saw_the_same_exactly_one_wins_and_the_other_is_told_so(store: MemoryStore) -> None:
    left(store)
    evidences.leave(store, "iris", Evidence.of("job-2", OLD, FIGURE, ON_THE_SAME))
    it = candidates(store)
    seen = it.judge(RUN, EXECUTION).seen
    it.promote(RUN, seen, EXECUTION)
    with pytest.raises(PreconditionFailed) as raised:
        it.promote("job-2", seen, EXECUTION)
    assert raised.value.message == "live of iris was moved since it was judged; judge again"
    assert live(store).version == NEW


def test_a_step_that_runs_twice_does_its_work_once(store: MemoryStore) -> None:
    left(store)
    it = candidates(store, 0.9, 0.0)
    seen = it.judge(RUN, EXECUTION).seen
    first = it.promote(RUN, seen, EXECUTION)
    there = live(store)
    assert it.promote(RUN, seen, EXECUTION) == first
    assert it.judge(RUN, EXECUTION).decision == "passed"
    assert live(store) == there


def test_a_failure_is_told_with_what_is_live_meanwhile(store: MemoryStore) -> None:
    assert candidates(store).failed("it broke", EXECUTION) == Notice(
        "iris: retraining failed", f"Retraining iris failed: it broke\n\nlive is {LIVE}.\n{TOLD_BY}"
    )
    assert "live names nothing yet.\n" in candidates(MemoryStore()).failed("it broke", EXECUTION).message


def test_a_subject_is_no_longer_than_a_mails_may_be(store: MemoryStore) -> None:
    long = Candidates(store, "m" * 128, "live", Limits()).failed("it broke", EXECUTION)
    assert (len(long.subject), long.subject.isascii()) == (100, True)


def test_a_run_that_left_nothing_is_told_how_to_leave_it(store: MemoryStore) -> None:
    with pytest.raises(ObjectNotFound) as raised:
        candidates(store).judge("job-9", EXECUTION)
    assert raised.value.message == (
        "the run job-9 of iris left no evidence in memory:/models/iris/evidence/job-9.json; train with fit --evidence, "
        "by an image built from the same code as the functions"
    )


@pytest.mark.parametrize("body", [b"", b"[]", b'{"run": "job-1"}', b"\xff"])
def test_evidence_that_cannot_be_read_is_named(store: MemoryStore, body: bytes) -> None:
    store.put(keys.evidence_key("iris", RUN), body)
    with pytest.raises(StoreError) as raised:
        candidates(store).judge(RUN, EXECUTION)
    assert raised.value.message.startswith("memory:/models/iris/evidence/job-1.json cannot be read: ")


def test_a_run_leaves_its_evidence_once(store: MemoryStore) -> None:
    left(store)
    for again in (partial(left, store), partial(evidences.check, store, "iris", RUN)):
        with pytest.raises(PreconditionFailed) as raised:
            again()
        assert raised.value.message == (
            "a run called job-1 of iris has left its evidence already; give each run a name of its own"
        )


def test_a_version_that_was_removed_meanwhile_is_not_promoted(store: MemoryStore) -> None:
    left(store)
    it = candidates(store)
    seen: Any = it.judge(RUN, EXECUTION).seen
    store.delete(keys.version_folder("iris", NEW) + keys.MANIFEST)
    with pytest.raises(ModelNotFound):
        it.promote(RUN, seen, EXECUTION)
    assert candidates(store).judge(RUN, EXECUTION).decision == "refused"
