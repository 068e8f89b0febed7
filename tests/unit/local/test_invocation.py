"""A call is settled once."""

from local.invocation import Invocation


def test_the_first_to_settle_a_call_is_heard_and_nobody_after() -> None:
    invocation = Invocation(b"{}")
    assert invocation.settle(b"1")
    assert not invocation.settle(b"2", failed=True)
    assert (invocation.answer, invocation.failed, invocation.started.is_set()) == (b"1", False, True)
