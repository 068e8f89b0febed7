"""`python -m tests.rehearsal`: one step after the other; says which one failed and why. It knows no step."""

import logging
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from local.lifetime import ended_by_signals
from local.terminal import complain, say
from tests.rehearsal.steps import STEPS, Rehearsal

LAST_WORDS = 3000  # characters of each log


def main() -> int:
    """Exit code 0 where everything was as it should be, 1 where a step was not, 130 where it was stopped."""
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of what only AWS's own copy of it has
    began = time.monotonic()
    with ended_by_signals(), tempfile.TemporaryDirectory(prefix="rehearsal-") as folder, ExitStack() as opened:
        rehearsal = Rehearsal(Path(folder), opened)
        number, title = 0, ""
        try:
            for number, (title, step) in enumerate(STEPS, 1):
                say(f"\n{number}. {title}")
                step(rehearsal)
        except KeyboardInterrupt:
            complain(f"stopped in step {number}: {title}")
            return 130
        except Exception as error:  # whatever it is, the person is told in which step
            for log in ("functions.log", "simulator.log"):
                path = Path(folder, log)
                complain(f"-- {log}\n{path.read_text(errors='replace')[-LAST_WORDS:] if path.exists() else ''}")
            complain(f"step {number} failed: {title}: {type(error).__name__}: {error}")
            return 1
    if Path(folder).exists():
        complain(f"{folder} is left")
        return 1
    say(f"\nrehearsed in {time.monotonic() - began:.0f} seconds; nothing is left")
    return 0


if __name__ == "__main__":
    sys.exit(main())
