"""Folders nobody may write, and acting as somebody to whom that matters. It knows no test."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


@contextmanager
def readable_folder() -> Iterator[Path]:
    """A new empty folder that everybody can reach; pytest's own are closed to other users."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755)
        shutil.rmtree(folder)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Takes everybody's leave to write in `folder`, and acts as nobody where the tests run as root."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    with unprivileged():
        yield


@contextmanager
def unprivileged() -> Iterator[None]:
    """Acts as nobody where the tests run as root, to whom permissions mean nothing."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
