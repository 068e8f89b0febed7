"""`python -m operations`: sets up the process, then hands over to the commands. It knows no command itself."""

import signal
import sys


def _start() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what is held is given back first
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name never ends the run
    from operations.cli import main

    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(_start())
