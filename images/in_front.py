"""Lays out an image in layers: what a cold start reads in front, then the rest of the system, then of the packages.

    in_front.py <list of patterns> <folder for the layers>

Lambda fetches an image in blocks of 512 KiB when they are first read. Files that are read together and lie together
come in fewer of them. What the list does not name, or names in vain, is in its place all the same, only further back.
It runs in the file system that it lays out; benchmarks/images.py writes the list.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

FIRST, SYSTEM, PACKAGES = "first", "system", "packages"
NOT_THE_IMAGE = {"/proc", "/sys", "/dev", "/images"}
OWN = "/opt/"
"""Where the packages lie; everything else is Debian's."""


def lay_out(patterns: list[str], layers: Path) -> None:
    for layer in (FIRST, SYSTEM, PACKAGES):
        (layers / layer).mkdir(parents=True)
    for path in _files():
        if any(fnmatch(str(path), pattern) for pattern in patterns):
            layer = FIRST
        else:
            layer = PACKAGES if str(path).startswith(OWN) else SYSTEM
        _put(path, layers / layer)


def _files() -> Iterator[Path]:
    """Every file, link and empty folder of this file system that belongs to the image."""
    for folder, folders, names in os.walk("/"):
        inside = [Path(folder, name) for name in sorted(folders)]
        yield from (path for path in inside if path.is_symlink())
        folders[:] = [path.name for path in inside if not path.is_symlink() and not _is_elsewhere(path)]
        yield from (Path(folder, name) for name in sorted(names))
        if not folders and not names:
            yield Path(folder)
    yield from map(Path, sorted(NOT_THE_IMAGE - {"/images"}))  # where Lambda and Docker mount theirs


def _is_elsewhere(path: Path) -> bool:
    return str(path) in NOT_THE_IMAGE or path == Path(sys.argv[2])


def _put(path: Path, layer: Path) -> None:
    for folder in reversed(path.parents[:-1]):
        _put_folder(folder, layer)
    if path.is_dir() and not path.is_symlink():
        _put_folder(path, layer)
    else:
        shutil.copy2(path, layer / path.relative_to("/"), follow_symlinks=False)


def _put_folder(folder: Path, layer: Path) -> None:
    to = layer / folder.relative_to("/")
    if not to.exists():
        to.mkdir()
        shutil.copystat(folder, to)


if __name__ == "__main__":
    named = Path(sys.argv[1]).read_text().splitlines()
    lay_out([line for line in named if line and not line.startswith("#")], Path(sys.argv[2]))
