"""`python -m training`: sets up the process, then hands over to the commands. It knows no command itself."""

import sys

from training.endings import Stopped
from training.stopping import ignore_signals, stop_on_signals


def _start() -> int:
    stop_on_signals()
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name from the table never ends the run
    try:
        from training.cli import main

        return main(sys.argv[1:])
    except Stopped as stopped:  # before the commands were there
        print(stopped, file=sys.stderr)  # noqa: T201 # the one line a run ends with
        return stopped.exit_code
    finally:
        ignore_signals()  # it is over, whatever comes now


if __name__ == "__main__":
    sys.exit(_start())
