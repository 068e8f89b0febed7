"""`python -m training`: sets up the process, then hands over to the commands. It knows no command itself."""

import signal
import sys

from training.endings import Stopped


def _stop(number: int, _frame: object) -> None:
    raise Stopped(number)


def _start() -> int:
    # As process 1 of a container Python would ignore SIGTERM, and `docker stop` would wait, then kill.
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name from the table never ends the run
    try:
        from training.cli import main

        return main(sys.argv[1:])
    except Stopped as stopped:  # before the commands were there
        print(stopped, file=sys.stderr)  # noqa: T201 # the one line a command ends with
        return stopped.exit_code


if __name__ == "__main__":
    sys.exit(_start())
