"""Takes out of a folder of Python modules what serving never reads, and puts bytecode in the place of every source.

    trim.py <folder> <where it lies in the image> [<folder of what lies there already>]

Only bytecode is ever imported, so sources go: half the files, and nothing to compare with at a start. It is
unchecked-hash, used whatever the files' times became in a registry. Licences, metadata and data files stay.
It runs on the Python that the image has, and knows no Docker.
"""

import compileall
import gzip
import py_compile
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDERS = {
    "__pycache__": "bytecode beside its source; it is made anew in the source's place",
    "include": "headers, for compilers",
    "test": "a package's own tests",
    "tests": "a package's own tests",
}

ENDINGS = {
    **dict.fromkeys((".pxd", ".pxi", ".pyi", ".pyx", ".tp", ".typed"), "for Cython and type checkers"),
    **dict.fromkeys((".a", ".build", ".c", ".cpp", ".f", ".f90", ".h", ".hpp", ".pc"), "for compilers"),
}

PATHS = {
    "bin": "commands that nobody runs here",
    "conftest.py": "pytest's",
    "*/conftest.py": "pytest's",
    "*.dist-info/INSTALLER": "pip's",
    "*.dist-info/RECORD": "pip's list of files, no longer true",
    "*.dist-info/REQUESTED": "pip's",
    # packages
    "botocore/data/*/*/examples-1.json": "for documentation",
    "botocore/data/*/*/waiters-2.json": "nobody waits by them",
    "numpy/_core/_*_tests*": "tests",
    "numpy/_core/_simd*": "tests",
    "numpy/_core/lib": "for compilers",
    "numpy/_pyinstaller": "for packagers",
    "numpy/random/_examples": "examples",
    "numpy/random/lib": "for compilers",
    "onnxruntime/*.py": "its Python code; functions/inference calls the C library",
    "onnxruntime/[!c]*/*": "the same",
    "onnxruntime/capi/*.py": "the same",
    "onnxruntime/capi/libonnxruntime_providers_shared.so": "for graphics processors",
    "onnxruntime/capi/onnxruntime_pybind11_state*": "a second copy of the library, for its Python code",
    "sklearn/_build_utils": "for compilers",
    "sklearn/datasets/data": "toy data",
    "sklearn/datasets/descr": "toy data",
    "sklearn/datasets/images": "toy data",
    # the standard library
    "curses": "needs a library that is not in the image",
    "dbm": "needs a library that is not in the image",
    "ensurepip": "installs pip",
    "idlelib": "an editor",
    "lib-dynload/_ctypes_test*": "tests",
    "lib-dynload/_curses*": "needs a library that is not in the image",
    "lib-dynload/_dbm*": "needs a library that is not in the image",
    "lib-dynload/_sqlite3*": "needs a library that is not in the image",
    "lib-dynload/_test*": "tests",
    "lib-dynload/_xx*": "tests",
    "lib-dynload/readline*": "the prompt",
    "lib-dynload/xx*": "tests",
    "pydoc_data": "the prompt's help",
    "sitecustomize.py": "Debian's crash reporter, looked for at every start",
    "sqlite3": "needs a library that is not in the image",
    "tkinter": "needs a library that is not in the image",
    "turtle.py": "a window to draw in",
    "turtledemo": "a window to draw in",
    "venv": "needs pip",
}
"""Patterns within the folder, and why nothing needs what they match."""

SERVICES = ("s3", "stepfunctions", "sts")
"""What botocore is asked for, the last by roles that a platform's token gives; it knows four hundred more."""

ZIPPED = ("botocore/data/endpoints.json",)
"""Read packed as well as plain, and seldom."""

LICENCES = ("LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "AUTHORS")
LICENCE_IN_SOURCE = "sklearn/svm/src/libsvm/svm.cpp"


def trim(folder: Path, place: str) -> None:
    """Removes what nothing needs; leaves bytecode alone, which says that it came from `place`."""
    for path in sorted(_unneeded(folder)):
        if path.is_dir():
            _remove_all_but_licences(path)
        elif path.exists() and not _is_licence(path, folder):
            path.unlink()
    for name in ZIPPED:
        _zip(folder / name)
    compileall.compile_dir(
        folder, maxlevels=sys.maxsize, quiet=2, legacy=True, stripdir=str(folder), prependdir=place,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )  # fmt: skip
    for bytecode in folder.rglob("*.pyc"):
        bytecode.with_suffix(".py").unlink(missing_ok=True)  # what does not compile stays, and fails as it did
    _remove_empty(folder)


def leave_to(folder: Path, other: Path) -> None:
    """Removes from `folder` every file that `other` has. Raises SystemExit where they hold different versions."""
    for metadata in other.glob("*.dist-info"):
        if not (folder / metadata.name).is_dir():
            raise SystemExit(f"the locks disagree on {metadata.name.removesuffix('.dist-info')}; run: make lock")
    for path in other.rglob("*"):
        if path.is_file():
            (folder / path.relative_to(other)).unlink(missing_ok=True)
    _remove_empty(folder)


def _unneeded(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        inside_metadata = any(part.endswith(".dist-info") for part in path.relative_to(folder).parts)
        if not inside_metadata and (path.name in FOLDERS if path.is_dir() else path.suffix in ENDINGS):
            yield path
    for pattern in PATHS:
        yield from folder.glob(pattern)
    yield from (path for path in folder.glob("botocore/data/*") if path.is_dir() and path.name not in SERVICES)


def _zip(path: Path) -> None:
    if path.exists():
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        path.unlink()


def _remove_all_but_licences(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and not path.name.startswith(LICENCES):
            path.unlink()
    _remove_empty(folder)


def _is_licence(path: Path, folder: Path) -> bool:
    return path.name.startswith(LICENCES) or path == folder / LICENCE_IN_SOURCE


def _remove_empty(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):  # what lies deepest first
        if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
            path.rmdir()


if __name__ == "__main__":
    given = Path(sys.argv[1])
    trim(given, sys.argv[2])
    if len(sys.argv) > 3:
        leave_to(given, Path(sys.argv[3]))
