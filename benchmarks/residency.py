"""Which pages of a mounted device are in memory, and where on the device they lie. It starts no process.

Source: mincore(2), and `FIBMAP` of linux/fs.h, which counts in the file system's blocks: here as large as a page.
"""

import ctypes
import fcntl
import os
import struct
from collections.abc import Iterator
from pathlib import Path

PAGE = 4096
_FIBMAP = 1
_PROT_READ, _MAP_SHARED = 1, 1
_MAP_FAILED = ctypes.c_void_p(-1).value

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
_libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


def resident(path: Path, size: int) -> list[int]:
    """The numbers of the pages of a file or device that are in memory; looking brings none in."""
    if not size:
        return []
    descriptor = os.open(path, os.O_RDONLY)
    try:
        address = _libc.mmap(None, size, _PROT_READ, _MAP_SHARED, descriptor, 0)
        if address == _MAP_FAILED:
            raise OSError(ctypes.get_errno(), f"mmap of {path}")
        states = ctypes.create_string_buffer((size + PAGE - 1) // PAGE)
        failed = _libc.mincore(address, size, states)
        _libc.munmap(address, size)
        if failed:
            raise OSError(ctypes.get_errno(), f"mincore of {path}")
    finally:
        os.close(descriptor)
    return [number for number, state in enumerate(states.raw) if state & 1]


def places(path: Path, pages: list[int]) -> Iterator[int]:
    """Where on its device each page of a file lies, in pages from the device's start; holes lie nowhere."""
    with path.open("rb") as file:
        for page in pages:
            (place,) = struct.unpack("i", fcntl.ioctl(file, _FIBMAP, struct.pack("i", page)))
            if place:
                yield place
