"""ONNX Runtime's shared library and the one environment of the process, made in a thread beside whatever else starts.

It imports next to nothing, to be the first of all: the environment takes 15 to 40 ms, the same for every model, and
none of it needs Python. What is done with it is `onnx_runtime`'s.

Source: `onnxruntime_c_api.h`, struct `OrtApi`; the table is append-only, so an older number is a prefix of a newer one.
"""

import threading
from ctypes import CDLL, CFUNCTYPE, POINTER, byref, c_char_p, c_int, c_uint32, c_void_p, cast

from functions import libraries

API_VERSION = 21  # of Debian trixie's libonnxruntime-dev; any newer library serves it

_GET_ERROR_MESSAGE, _CREATE_ENV = 2, 3  # places in the table
_SILENT = 4  # OrtLoggingLevel FATAL: what fails is raised, with its message

_M_TOP_PAD = -2  # mallopt(3)
_STEP = (
    4 * 1024 * 1024
)  # bytes by which a heap grows, instead of a few pages, for which every thread's page faults wait


class Library:
    """The opened library. `table`: its functions, by place; `environment`: the process's OrtEnv, never released."""

    def __init__(self, path: str) -> None:
        """Raises ImportError for a library that does not open or does not start."""
        base = _opened(path).OrtGetApiBase
        base.restype = POINTER(c_void_p)  # struct OrtApiBase { GetApi; GetVersionString; }
        get_api, get_version = base()[0], base()[1]
        self.version = (CFUNCTYPE(c_char_p)(get_version)() or b"").decode()
        api = CFUNCTYPE(c_void_p, c_uint32)(get_api)(API_VERSION)
        if not api:
            raise ImportError(f"onnxruntime {self.version} has no API {API_VERSION}; a newer one is needed")
        self.table = cast(api, POINTER(c_void_p))
        self.environment = c_void_p()
        create = CFUNCTYPE(c_void_p, c_int, c_char_p, c_void_p)(self.table[_CREATE_ENV])
        status = create(_SILENT, b"functions", byref(self.environment))
        if status:
            message = CFUNCTYPE(c_char_p, c_void_p)(self.table[_GET_ERROR_MESSAGE])(status) or b""
            raise ImportError(f"onnxruntime {self.version} does not start: {message.decode(errors='replace')}")


def library_path() -> str:
    """Where the installed `onnxruntime` wheel keeps its library. Raises ImportError without it."""
    return libraries.path_of("onnxruntime", "capi", "libonnxruntime.so", "libonnxruntime.1")  # Linux, macOS


def begin() -> None:
    """Starts to make the library ready, once in a process. What fails is raised by `library`."""
    global _making  # the library has one environment in a process
    with _lock:
        if _making is None:
            _making = _Making(name="onnxruntime")  # no daemon: see libraries
            _making.start()


def library() -> Library:
    """The process's library, once it is ready. Raises ImportError."""
    begin()
    assert _making is not None  # noqa: S101 - it has begun
    _making.join()
    if _making.made is None:
        raise _making.error
    return _making.made


class _Making(threading.Thread):
    made: Library | None = None
    error: Exception

    def run(self) -> None:
        try:
            self.made = Library(library_path())
        except Exception as error:
            self.error = error


_making: _Making | None = None
_lock = threading.Lock()


def _opened(path: str) -> CDLL:
    c = CDLL(None)
    if hasattr(c, "mallopt"):  # glibc
        c.mallopt(_M_TOP_PAD, _STEP)
    try:
        return libraries.opened(path)
    except OSError as error:
        raise ImportError(str(error), name="onnxruntime", path=path) from None
