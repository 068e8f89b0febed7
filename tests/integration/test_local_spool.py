"""Events on disk: nothing kept is lost, whatever ends the process."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.spool import Spool, SpoolInUse


def test_an_event_waits_runs_and_is_done(tmp_path: Path) -> None:
    spool = Spool(tmp_path, own=True)
    event_id = spool.put("batch", b"{}")
    assert spool.take("predict") is None
    taken = spool.take("batch")
    assert taken is not None
    assert (taken.id, taken.function, taken.payload, taken.attempts) == (event_id, "batch", b"{}", 0)
    assert spool.take("batch") is None
    spool.done(event_id)
    spool.close()
    again = Spool(tmp_path, own=True)
    assert again.take("batch") is None
    again.close()


def test_what_ran_when_the_process_was_killed_waits_again(tmp_path: Path) -> None:
    killed = (
        "import os, sys; from pathlib import Path; from local.spool import Spool\n"
        "spool = Spool(Path(sys.argv[1]), own=True)\n"
        "spool.put('batch', b'first'); spool.put('batch', b'second'); spool.take('batch')\n"
        "os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", killed, tmp_path]).returncode == -9
    spool = Spool(tmp_path, own=True)
    assert {event.payload for _ in range(2) if (event := spool.take("batch"))} == {b"first", b"second"}
    spool.close()


def test_failed_attempts_end_as_a_dead_letter_that_can_be_replayed(tmp_path: Path) -> None:
    spool = Spool(tmp_path, own=True)
    event_id = spool.put("batch", b"{}")
    spool.take("batch")
    spool.failed(event_id, "boom", 0.0)
    second = spool.take("batch")
    assert second is not None
    assert (second.attempts, second.error) == (1, "boom")
    spool.failed(event_id, "bang", None)
    assert spool.take("batch") is None
    assert [(letter.id, letter.attempts, letter.error) for letter in spool.dead()] == [(event_id, 2, "bang")]
    assert spool.replay(["unknown", event_id]) == [event_id]
    replayed = spool.take("batch")
    assert replayed is not None
    assert replayed.attempts == 0
    assert spool.dead() == []
    spool.close()


def test_what_is_not_due_is_not_taken(tmp_path: Path) -> None:
    spool = Spool(tmp_path, own=True)
    spool.put("batch", b"{}")
    taken = spool.take("batch")
    assert taken is not None
    spool.postpone(taken.id, 3600)
    assert spool.take("batch") is None
    spool.postpone(taken.id, 0)
    again = spool.take("batch")
    assert again is not None
    assert again.attempts == 0
    spool.close()


def test_only_one_gateway_works_on_a_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path, own=True)
    with pytest.raises(SpoolInUse, match="another gateway works on"):
        Spool(tmp_path, own=True)
    beside = Spool(tmp_path, own=False)
    beside.close()
    spool.close()


def test_files_seen_are_remembered_with_their_event_and_forgotten_on_request(tmp_path: Path) -> None:
    spool = Spool(tmp_path, own=True)
    spool.put("batch", b"{}", seen=("incoming/a.csv", "1"))
    spool.put("batch", b"{}", seen=("incoming/b.csv", "1"))
    spool.put("batch", b"{}", seen=("incoming/a.csv", "2"))
    spool.forget("incoming/b.csv")
    spool.close()
    again = Spool(tmp_path, own=True)
    assert again.seen() == {"incoming/a.csv": "2"}
    again.close()
