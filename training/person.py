"""Who runs this, for the history of an alias. It knows no store."""

import getpass
import os


def user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user has no name
        return f"uid {os.getuid()}"
