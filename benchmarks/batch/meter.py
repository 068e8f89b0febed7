"""Runs one command and says what it took. It is a process of its own, and imports nothing that it can do without: the
peak memory of a process begins with that of the one that started it.

Source: getrusage(2); the kernel carries the high-water mark over an exec.
"""

import json
import os
import sys
import time


def main() -> int:
    """`meter.py <file for the figures> <command...>`: ends as the command ends.

    Figures: seconds from the spawn to the end; processor_seconds, user and system; peak_bytes, the most that was
    resident. Of children of the command, their processor time counts, and the largest one's memory.
    """
    figures, *command = sys.argv[1:]
    began = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ)
    _, status, used = os.wait4(process, 0)
    seconds = time.perf_counter() - began
    with open(figures, "w") as file:  # noqa: PTH123 # pathlib would be imported for this alone
        json.dump(
            {
                "seconds": seconds,
                "processor_seconds": used.ru_utime + used.ru_stime,
                "peak_bytes": used.ru_maxrss * 1024,
            },
            file,
        )
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
