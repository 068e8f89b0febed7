"""Shared libraries that packages carry: found without importing the package, opened without holding Python up.

It imports next to nothing, to be among the first of all, and knows no library.
"""

import importlib.util
import os
import threading
from ctypes import CDLL, c_char_p, c_int, c_size_t, c_void_p

_MADV_DONTNEED = 4  # madvise(2)


def path_of(package: str, folder: str, *beginnings: str) -> str:
    """The file in `folder` of the package whose name begins so. Raises ImportError where there is none."""
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        inside = f"{place}/{folder}"
        for name in sorted(os.listdir(inside)) if os.path.isdir(inside) else ():  # noqa: PTH112, PTH208 - nor pathlib
            if name.startswith(beginnings):
                return f"{inside}/{name}"
    raise ImportError(f"there is no {package} here with its {folder}/{beginnings[0]}", name=package)


def opened(path: str) -> CDLL:
    """The library, opened by a call that lets go of the interpreter's lock, which an import and ctypes' own do not.

    Raises OSError.
    """
    dlopen = CDLL(None).dlopen
    dlopen.restype, dlopen.argtypes = c_void_p, (c_char_p, c_int)
    handle = dlopen(os.fsencode(path), os.RTLD_NOW | os.RTLD_LOCAL)
    return CDLL(path, handle=handle)  # without a handle this opens it again, and says what is wrong


def begin_to_open(package: str, folder: str, *beginnings: str) -> None:
    """Opens a library in a thread, so that the import that needs it finds it open. What fails, that import says."""

    def attempt() -> None:
        try:
            opened(path_of(package, folder, *beginnings))
        except (ImportError, OSError):
            return

    # No daemon, here and where ONNX Runtime begins: a process that ends while a library is being set up crashes.
    threading.Thread(target=attempt, name=f"open {package}").start()


def give_back(*packages: str) -> None:
    """Lets go of the code pages of these packages' libraries, most of which a start needs once; the others come back.

    Code is never written to, so each page is in its file as it was. Does nothing where the system does not tell.
    """
    try:
        with open("/proc/self/maps") as file:  # noqa: PTH123 - pathlib is not on the cold path
            lines = [line.split() for line in file if " r-xp " in line]
    except OSError:
        return
    madvise = CDLL(None).madvise
    madvise.argtypes = (c_void_p, c_size_t, c_int)
    for addresses, _, _, _, _, *path in lines:
        if path and any(f"/{package}/" in path[0] for package in packages):
            start, end = (int(address, 16) for address in addresses.split("-"))
            madvise(start, end - start, _MADV_DONTNEED)
