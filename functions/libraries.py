"""Shared libraries that packages carry: found without importing the package, opened without holding Python up.

It imports next to nothing, to be among the first of all, and knows no library.
"""

import importlib.util
import os
import threading
from ctypes import CDLL, c_char_p, c_int, c_void_p


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

    threading.Thread(target=attempt, name=f"open {package}", daemon=True).start()
