"""Plain lines for people and scripts; it must not know what they are about."""

import sys


class Refused(Exception):
    """What was asked for cannot be done; the words say why and what to do."""


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
