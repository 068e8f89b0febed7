"""Lists dead letters and sends them again; it must not know whether a gateway is running: one that is sees them."""

import time
from pathlib import Path

from local.invocation import words_of
from local.notification import keys
from local.spool import Spool
from local.terminal import Refused, complain, say


def show(folder: Path) -> int:
    """Prints one line for each dead letter. Raises Refused where the folder holds no spool."""
    spool = _open(folder)
    letters = spool.dead()
    spool.close()
    for letter in letters:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(letter.received))
        what = ", ".join(keys(letter.payload)) or f"{len(letter.payload)} bytes"
        say(f"{letter.id}  {moment}  {letter.function}  {what}  {words_of(letter.error)}")
    if not letters:
        say("no dead letters")
    return 0


def replay(folder: Path, ids: list[str]) -> int:
    """Has these delivered again, or all. Exit code 1 where an id names no dead letter.

    Raises Refused where the folder holds no spool.
    """
    spool = _open(folder)
    found = spool.replay(ids or [letter.id for letter in spool.dead()])
    spool.close()
    for unknown in [each for each in ids if each not in found]:
        complain(f"replay: no dead letter {unknown}")
    say(f"{len(found)} to be delivered again")
    return 0 if len(found) == len(ids) or not ids else 1


def _open(folder: Path) -> Spool:
    if not (folder / "events.sqlite3").exists():
        raise Refused(f"{folder} holds no spool; give the gateway's with --spool or SPOOL")
    return Spool(folder, own=False)
