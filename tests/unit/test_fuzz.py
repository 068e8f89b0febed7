"""Random events through both doors; `make soak` does many more of them."""

from tests.fuzzing import Fuzz

ROUNDS = 3_000


def test_whatever_comes_is_answered_by_the_error_tree_or_rightly() -> None:
    found = Fuzz().rounds(range(ROUNDS))
    assert found.total() == ROUNDS
    for outcome in (
        "predict 200", "predict 400 invalid_body", "predict 400 invalid_rows", "predict 400 BAD_REQUEST", "direct 200",
        "predict 404 not_found", "predict 400 v2", "predict 405 method_not_allowed", "predict 406 not_acceptable",
        "predict 415 unsupported_media_type", "batch scored", "batch gone", "batch ignored",
        "batch raises unreadable_event", "batch batchItemFailures", "batch refused missing_columns",
    ):  # fmt: skip
        assert found[outcome], f"never {outcome}: {found}"  # else the events are not what they should be
