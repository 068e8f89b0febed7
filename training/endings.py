"""How a run ends other than well: the exceptions, their exit codes and their one line. It knows no command.

0   done
1   the environment failed: the store, the bucket, the network, credentials, permissions, a full disk
2   the user's mistake: arguments or data; running it again unchanged would not help
3   judged, and found wanting: the gate kept a version from its alias, or a check found one that would not be served
130 stopped by SIGINT, 143 by SIGTERM
"""

from functions.errors import NotConfigured, ServingError, words_of

ENVIRONMENT = 1
MISTAKE = 2
REFUSED = 3


class Mistake(Exception):
    """The user's to mend. The message says what was wrong, where, and what to do."""


class Refused(Exception):
    """A judgement that went against a version. The message says which version, why, and what holds meanwhile."""


class Failure(Exception):
    """The environment's failure, where no error of the store says it already."""


class Stopped(BaseException):
    """A signal asked the run to stop. Not an Exception, so that nothing on the way takes it for a failed fit."""

    def __init__(self, number: int) -> None:
        super().__init__("stopped; nothing was published")
        self.exit_code = 128 + number


def exit_code_of(error: BaseException) -> int | None:
    """The exit code of an error raised on purpose; None for a defect."""
    if isinstance(error, Stopped):
        return error.exit_code
    if isinstance(error, Mistake | NotConfigured):
        return MISTAKE
    if isinstance(error, Refused):
        return REFUSED
    if isinstance(error, Failure | ServingError | OSError):
        return ENVIRONMENT
    return None


def told(error: BaseException) -> str:
    """The one line about an error raised on purpose, or by the operating system."""
    return str(error) if isinstance(error, Stopped | Refused) else f"error: {words_of(error)}"
