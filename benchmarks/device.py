"""One cold start on a device that is read as it is needed, as on Lambda: which files, pages and blocks it brings in.

Lambda unpacks an image, layer by layer, into one ext4 file system, and fetches that in blocks of 512 KiB when they are
first read (Brooker et al., "On-demand Container Loading in AWS Lambda", 2023). So it is done here: the layers go onto
an ext4 device, which is mounted with nothing of it in memory; the function runs with that as its root until it has
answered once; then every page in memory was read for that, and its place on the device tells the block it came with.
That counts pages of mapped libraries, which a count of read calls would miss, and the file system's own.

Twice: with no read-ahead, so only what is touched is read, and with the kernel's usual 128 KiB.
"""

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from benchmarks.contestants import Contestant, order_of
from benchmarks.environment import Environment
from benchmarks.residency import PAGE, places, resident

IMAGE = Path("/given/image.tar")
BLOCK = 512 * 1024
READ_AHEAD = {"touched": 0, "read": 128}
"""KiB that the kernel reads ahead, by what is then counted."""


def run(contestant: Contestant, event: bytes) -> dict[str, Any]:
    """`{"device_bytes", "touched": {...}, "read": {...}}`, each with `files`: pages by path, `pages` and `blocks`."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:  # on a disk, unlike /tmp
        device = Path(folder) / "device"
        made = _make(device)
        found = {what: _once(device, Path(folder), contestant, event, ahead) for what, ahead in READ_AHEAD.items()}
    return {"device_bytes": made, **found}


def _make(device: Path) -> int:
    """Unpacks the image onto a new device; gives how many bytes of it are used."""
    with device.open("wb") as file:
        file.truncate(IMAGE.stat().st_size * 5 // 4 + 64 * 1024 * 1024)
    _must("mkfs.ext4", "-q", "-O", "^has_journal", "-b", str(PAGE), str(device))
    with _mounted(device, device.parent / "root") as (_, root), tarfile.open(IMAGE) as image:
        for layer in json.load(_member(image, "manifest.json"))[0]["Layers"]:
            with tarfile.open(fileobj=_member(image, layer)) as files:
                files.extractall(root, filter="fully_trusted")  # noqa: S202 # an image that was built here
        state = os.statvfs(root)
    return (state.f_blocks - state.f_bfree) * PAGE


def _member(image: tarfile.TarFile, name: str) -> IO[bytes]:
    found = image.extractfile(name)
    if found is None:
        raise RuntimeError(f"{IMAGE} holds no file {name}")
    return found


def _once(device: Path, folder: Path, contestant: Contestant, event: bytes, ahead: int) -> dict[str, Any]:
    with _mounted(device, folder / "root", ahead) as (disk, root), _furnished(root):
        with Environment(_moved(contestant, root)) as environment:
            environment.start(event)
        size = device.stat().st_size
        files = {path: resident(path, path.stat().st_size) for path in _files(root)}
        own = resident(disk, size)
        placed = [place for path, pages in files.items() for place in places(path, pages)]
    return {
        "files": {f"/{path.relative_to(root)}": len(pages) for path, pages in files.items() if pages},
        "pages": len(placed) + len(own),
        "blocks": len({place * PAGE // BLOCK for place in [*placed, *own]}),
    }


def _files(root: Path) -> Iterator[Path]:
    """Every file of the image; what is mounted over it is left out."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not os.path.ismount(f"{folder}/{name}")]
        yield from (path for name in names if (path := Path(folder) / name).is_file() and not path.is_symlink())


def _moved(contestant: Contestant, root: Path) -> Contestant:
    """The contestant with another root."""
    inside = ["chroot", str(root), "/bin/sh", "-c", 'cd "$0" && exec "$@"', contestant.folder, *contestant.command]
    return Contestant(contestant.name, inside, "/", contestant.environment, contestant.answers)


@contextmanager
def _mounted(device: Path, root: Path, ahead: int | None = None) -> Iterator[tuple[Path, Path]]:
    """The device and its file system, with nothing of either in memory; to write on where no read-ahead is given."""
    root.mkdir(exist_ok=True)
    # Past the page cache of the file that plays the device, whose own read-ahead would be a second one.
    how = [] if ahead is None else ["--read-only", "--direct-io=on"]
    disk = Path(_must("losetup", "--find", "--show", *how, str(device)).strip())
    try:
        if ahead is not None:
            _must("blockdev", "--setra", str(ahead * 2), str(disk))
        _must("blockdev", "--flushbufs", str(disk))
        _must("mount", "-o", "rw" if ahead is None else "ro", str(disk), str(root))
        try:
            yield disk, root
        finally:
            _must("umount", str(root))
    finally:
        _must("losetup", "--detach", str(disk))


@contextmanager
def _furnished(root: Path) -> Iterator[None]:
    """What Lambda mounts into every container."""
    wanted = {"dev": ("--rbind", "/dev"), "proc": ("-t", "proc", "proc"), "tmp": ("-t", "tmpfs", "tmpfs")}
    mounted: list[str] = []
    try:
        for name, how in wanted.items():
            _must("mount", *how, f"{root}/{name}")
            mounted.append(f"{root}/{name}")
        yield
    finally:
        for path in reversed(mounted):
            _must("umount", "--lazy", path)


def _must(*command: str) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {ran.stderr.strip()}")
    return ran.stdout


if __name__ == "__main__":
    order = order_of(json.load(sys.stdin))
    sys.stdout.write(json.dumps(run(order.contestants[0], order.event.encode())))
