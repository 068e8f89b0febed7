"""ONNX Runtime through its C API: a model's bytes become a session, tensors go in and come out. It knows no signature.

The `onnxruntime` wheel carries `capi/libonnxruntime.so.*`, which exports `OrtGetApiBase`. ctypes calls it, so neither
the package's own Python code nor numpy is imported, which together take longer than everything else at a cold start.

Source of names, order and rules: `onnxruntime_c_api.h`, struct `OrtApi`; the table is append-only, and `OrtApi` of an
older number is a prefix of every newer one. Its rules, kept here:
- A function that can fail gives a status: NULL is success, anything else is read, then released.
- Whatever a Create, Get...TypeInfo or Run gives is released by its own Release, whatever happens in between.
- A tensor over the caller's memory does not own it: the memory outlives the run. A string tensor copies its texts.
- The pointer to a tensor's data is good until the tensor is released, so what comes out is copied before.
- The default allocator belongs to the library, and frees the names it gave.
- There is one environment in a process; asking again gives the same one. It is never released.

ctypes lets go of the interpreter's lock in every call: the environment can be made in one thread while another
imports or fetches, and several threads may run one session. With one thread to a session the library starts none of its
own and keeps no file open, so a process with an environment may be forked, or snapshot and resumed.
"""

import ctypes
import struct
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char, c_char_p, c_int, c_int64, c_size_t, c_void_p
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal, NamedTuple, TypeAlias

from functions.inference.onnx_library import Library, library

ElementType: TypeAlias = Literal["float", "int64", "string", "bool", "double"]

_CODES: dict[ElementType, int] = {"float": 1, "int64": 7, "string": 8, "bool": 9, "double": 11}
_TYPES: dict[int, ElementType] = {code: name for name, code in _CODES.items()}
_FORMATS: dict[ElementType, str] = {"float": "f", "int64": "q", "bool": "?", "double": "d"}
_SIZES: dict[ElementType, int] = {"float": 4, "int64": 8, "bool": 1, "double": 8}

_ERRORS = (
    "OK", "FAIL", "INVALID_ARGUMENT", "NO_SUCHFILE", "NO_MODEL", "ENGINE_ERROR", "RUNTIME_EXCEPTION",
    "INVALID_PROTOBUF", "MODEL_LOADED", "NOT_IMPLEMENTED", "INVALID_GRAPH", "EP_FAIL",
)  # fmt: skip

SMALL = 4096  # bytes of a tensor that is worth memory of its own: a few rows
MANY = 64  # texts among which it is worth looking for equal ones
MOST_PREPARED = 8  # numbers of rows for which a session keeps it

LEAST_MODEL = (
    b'\x08\x08:7\n\x10\n\x01x\x12\x01y"\x08Identity\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08\x0b\x12\x04\n\x02\x08\x01'
    b"b\x0f\n\x01y\x12\n\n\x08\x08\x0b\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\r"
)
"""An ONNX model in as few bytes as it takes: y = Identity(x), one double."""

_NO_OPTIMISATION = 0  # GraphOptimizationLevel ORT_DISABLE_ALL

# Where each function stands in the OrtApi table, and its arguments. Each of these gives a status.
_OUT = POINTER(c_void_p)
_FUNCTIONS: dict[str, tuple[int, tuple[Any, ...]]] = {
    "CreateSessionFromArray": (8, (c_void_p, c_char_p, c_size_t, c_void_p, _OUT)),
    "Run": (9, (c_void_p, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_void_p)),
    "CreateSessionOptions": (10, (_OUT,)),
    "DisableMemPattern": (17, (c_void_p,)),
    "DisableCpuMemArena": (19, (c_void_p,)),
    "SetSessionGraphOptimizationLevel": (23, (c_void_p, c_int)),
    "SetIntraOpNumThreads": (24, (c_void_p, c_int)),
    "SetInterOpNumThreads": (25, (c_void_p, c_int)),
    "SessionGetInputCount": (30, (c_void_p, POINTER(c_size_t))),
    "SessionGetOutputCount": (31, (c_void_p, POINTER(c_size_t))),
    "SessionGetInputName": (36, (c_void_p, c_size_t, c_void_p, _OUT)),
    "SessionGetOutputName": (37, (c_void_p, c_size_t, c_void_p, _OUT)),
    "CreateTensorAsOrtValue": (48, (c_void_p, c_void_p, c_size_t, c_int, _OUT)),
    "CreateTensorWithDataAsOrtValue": (49, (c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_int, _OUT)),
    "GetTensorMutableData": (51, (c_void_p, _OUT)),
    "FillStringTensor": (52, (c_void_p, c_void_p, c_size_t)),
    "GetStringTensorDataLength": (53, (c_void_p, POINTER(c_size_t))),
    "GetStringTensorContent": (54, (c_void_p, c_void_p, c_size_t, c_void_p, c_size_t)),
    "GetTensorElementType": (60, (c_void_p, POINTER(c_int))),
    "GetDimensionsCount": (61, (c_void_p, POINTER(c_size_t))),
    "GetDimensions": (62, (c_void_p, c_void_p, c_size_t)),
    "GetTensorTypeAndShape": (65, (c_void_p, _OUT)),
    "CreateCpuMemoryInfo": (69, (c_int, c_int, _OUT)),
    "AllocatorFree": (76, (c_void_p, c_void_p)),
    "GetAllocatorWithDefaultOptions": (78, (_OUT,)),
    "SessionGetModelMetadata": (111, (c_void_p, _OUT)),
    "ModelMetadataLookupCustomMetadataMap": (116, (c_void_p, c_void_p, c_char_p, _OUT)),
    "GetResizedStringTensorElementBuffer": (252, (c_void_p, c_size_t, c_size_t, _OUT)),
}
_GET_ERROR_CODE, _GET_ERROR_MESSAGE = 1, 2
_RELEASES = {
    "Status": 93,
    "Session": 95,
    "Value": 96,
    "TensorTypeAndShapeInfo": 99,
    "SessionOptions": 100,
    "ModelMetadata": 118,
}


class OnnxRuntimeError(Exception):
    """What the library refused, in its own words; `code` is the name of an OrtErrorCode."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"ONNX Runtime: {message} ({code})")
        self.code = code


class Tensor(NamedTuple):
    """Elements in row-major order, and their shape.

    data: numbers are a contiguous buffer in this machine's order (float 4 bytes, double and int64 8, bool 1), writable
    where it goes in, `bytes` where it comes out; texts are a sequence of bytes, UTF-8 by ONNX's rule, which the library
    does not check.
    """

    type: ElementType
    shape: tuple[int, ...]
    data: Any

    def tolist(self) -> list[Any]:
        """The elements, flat."""
        if self.type == "string":
            return list(self.data)
        return [element for (element,) in struct.iter_unpack(_FORMATS[self.type], self.data)]


class Runtime:
    """The library's functions: one in a process, from `runtime`. `version` is the library's."""

    def __init__(self, own: Library) -> None:
        self.version = own.version
        self.environment = own.environment
        table = own.table
        self._code = ctypes.CFUNCTYPE(c_int, c_void_p)(table[_GET_ERROR_CODE])
        self._message = ctypes.CFUNCTYPE(c_char_p, c_void_p)(table[_GET_ERROR_MESSAGE])
        self._functions = {
            name: ctypes.CFUNCTYPE(c_void_p, *arguments)(table[place])
            for name, (place, arguments) in _FUNCTIONS.items()
        }
        release = ctypes.CFUNCTYPE(None, c_void_p)
        self.release: dict[str, Callable[[Any], None]] = {
            kind: release(table[place]) for kind, place in _RELEASES.items()
        }
        self.memory = self.made("CreateCpuMemoryInfo", 0, 0)  # OrtDeviceAllocator, OrtMemTypeDefault
        self.allocator = self.made("GetAllocatorWithDefaultOptions")

    def call(self, name: str, *arguments: Any) -> None:
        """Calls a function of the table. Raises OnnxRuntimeError where its status says so."""
        status = self._functions[name](*arguments)
        if status:
            code, message = self._code(status), self._message(status).decode("utf-8", "replace")
            self.release["Status"](status)
            raise OnnxRuntimeError(_ERRORS[code] if 0 <= code < len(_ERRORS) else f"code {code}", message)

    def made(self, name: str, *arguments: Any) -> c_void_p:
        """Calls a function whose last argument is a pointer to fill in, and gives that pointer."""
        out = c_void_p()
        self.call(name, *arguments, byref(out))
        return out

    def number(self, name: str, *arguments: Any, kind: type[c_size_t | c_int] = c_size_t) -> int:
        """Calls a function whose last argument is a number to fill in, and gives that number."""
        out = kind()
        self.call(name, *arguments, byref(out))
        return out.value


def begin() -> None:
    """Starts to make the process's runtime in a thread; what fails there is raised by `runtime`.

    The library keeps what the first session of a process needs for all others, so one is made there too.
    """
    global _making
    with _lock:
        if _making is None:
            _making = _Making(name="onnxruntime")  # no daemon: see libraries
            _making.start()


def runtime() -> Runtime:
    """The process's runtime, once it is made. Raises ImportError where there is no library or it does not start."""
    begin()
    assert _making is not None  # noqa: S101 - it has begun
    _making.join()
    if _making.made is None:
        raise _making.error
    return _making.made


class _Making(threading.Thread):
    made: Runtime | None = None
    error: Exception

    def run(self) -> None:
        try:
            made = Runtime(library())
            made.release["Session"](_session(made, LEAST_MODEL, threads=1))
            self.made = made
        except Exception as error:
            self.error = error


_making: _Making | None = None
_lock = threading.Lock()


class Session:
    """A model ready to run; threads may share it. `inputs` and `outputs` are the model's names, in its order.

    `threads`: how many processors one run may use. Raises OnnxRuntimeError for bytes that are no model, or none that
    this library can run.
    """

    def __init__(self, model: bytes, *, threads: int = 1) -> None:
        self._pointer: c_void_p | None = None
        self._runtime = runtime()
        self._pointer = _session(self._runtime, model, threads)
        self.inputs = self._names("SessionGetInputCount", "SessionGetInputName")
        self.outputs = self._names("SessionGetOutputCount", "SessionGetOutputName")
        self._input_names = _texts([name.encode() for name in self.inputs])
        self._output_names = _texts([name.encode() for name in self.outputs])
        self._prepared: dict[tuple[tuple[str, tuple[int, ...]], ...], list[_Prepared]] = {}

    def __del__(self) -> None:
        if self._pointer:
            self._runtime.release["Session"](self._pointer)

    def note(self, key: str) -> str | None:
        """A text of the model's metadata; None where there is none of this key."""
        metadata = self._runtime.made("SessionGetModelMetadata", self._pointer)
        try:
            own = (metadata, self._runtime.allocator, key.encode())
            return self._taken(self._runtime.made("ModelMetadataLookupCustomMetadataMap", *own))
        finally:
            self._runtime.release["ModelMetadata"](metadata)

    def run(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """One tensor for each of `inputs` in, one for each of `outputs` out, copied.

        Raises OnnxRuntimeError for a type or shape that does not fit the model, and for an output that is no tensor.
        """
        if len(tensors) != len(self.inputs):
            raise OnnxRuntimeError("INVALID_ARGUMENT", f"{len(tensors)} tensors for the inputs {self.inputs}")
        sizes = tuple([(tensor.type, tensor.shape) for tensor in tensors])
        free = self._prepared.get(sizes)
        if free is None:
            found = self._run(tensors)
            if len(self._prepared) < MOST_PREPARED and all(map(_is_small, (*tensors, *found))):
                self._prepared[sizes] = [self._prepare(tensors, found)]
            return found
        try:
            prepared = free.pop()  # nobody else runs over its memory meanwhile
        except IndexError:
            return self._run(tensors)
        try:
            return prepared.run(tensors)
        except OnnxRuntimeError:
            return self._run(tensors)  # other sizes come out this time, or it says what is wrong
        finally:
            free.append(prepared)

    def _prepare(self, tensors: Sequence[Tensor], found: Sequence[Tensor]) -> "_Prepared":
        return _Prepared(self._runtime, (self._pointer, self._input_names, self._output_names), tensors, found)

    def _run(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        given, found = _array(c_void_p, len(tensors))(), _array(c_void_p, len(self.outputs))()
        try:
            for place, tensor in enumerate(tensors):
                given[place] = _value(self._runtime, tensor)
            self._runtime.call(
                "Run", self._pointer, None, self._input_names, given, len(given), self._output_names, len(found), found
            )
            return [_tensor(self._runtime, value) for value in found]
        finally:
            for value in (*given, *found):
                if value:
                    self._runtime.release["Value"](value)

    def _names(self, count: str, name: str) -> list[str]:
        indices = range(self._runtime.number(count, self._pointer))
        texts = [self._runtime.made(name, self._pointer, index, self._runtime.allocator) for index in indices]
        return [self._taken(text) or "" for text in texts]

    def _taken(self, text: c_void_p) -> str | None:
        """A copy of a text that the library's allocator made; gives it back."""
        if not text.value:
            return None
        copy = ctypes.string_at(text.value).decode()
        self._runtime.call("AllocatorFree", self._runtime.allocator, text)
        return copy


class _Prepared:
    """A run over memory of its own, made ready for tensors of some sizes: one call of the library instead of twenty."""

    def __init__(
        self, own: Runtime, session: tuple[Any, Any, Any], tensors: Sequence[Tensor], found: Sequence[Tensor]
    ) -> None:
        """`session`: its pointer, the names of its inputs and outputs. `found`: what `tensors` gave, for the sizes."""
        self._own = own
        self._memory = [ctypes.create_string_buffer(_bytes(tensor)) for tensor in (*tensors, *found)]
        self._values: list[int] = []
        for tensor, memory in zip((*tensors, *found), self._memory, strict=True):
            rank, code = len(tensor.shape), _CODES[tensor.type]
            shape = _array(c_int64, rank)(*tensor.shape)
            made = own.made("CreateTensorWithDataAsOrtValue", own.memory, memory, len(memory), shape, rank, code)
            self._values.append(made.value or 0)
        count = len(tensors)
        self._given = [memoryview(memory).cast("B") for memory in self._memory[:count]]
        self._found = [
            (tensor.type, tensor.shape, memory) for tensor, memory in zip(found, self._memory[count:], strict=True)
        ]
        given, results = (_array(c_void_p, len(part))(*part) for part in (self._values[:count], self._values[count:]))
        pointer, input_names, output_names = session
        self._arguments = (pointer, None, input_names, given, count, output_names, len(results), results)

    def __del__(self) -> None:
        for value in self._values:
            self._own.release["Value"](value)

    def run(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Raises OnnxRuntimeError, also where the model gives other sizes this time."""
        for memory, tensor in zip(self._given, tensors, strict=True):
            data = memoryview(tensor.data)
            if data.nbytes != len(memory):
                raise OnnxRuntimeError("INVALID_ARGUMENT", f"{data.nbytes} bytes for a tensor of {len(memory)}")
            memory[:] = data.cast("B")
        self._own.call("Run", *self._arguments)
        return [Tensor(kind, shape, memory.raw) for kind, shape, memory in self._found]


def _is_small(tensor: Tensor) -> bool:
    return tensor.type != "string" and 0 < _bytes(tensor) <= SMALL


def _bytes(tensor: Tensor) -> int:
    size = _SIZES[tensor.type]
    for length in tensor.shape:
        size *= length
    return size


def _session(own: Runtime, model: bytes, threads: int) -> c_void_p:
    """A session, which the caller releases."""
    with _options(own, threads) as options:
        return own.made("CreateSessionFromArray", own.environment, model, len(model), options)


@contextmanager
def _options(own: Runtime, threads: int) -> Iterator[c_void_p]:
    """For small models on one processor: no pool of threads, no arena held for later, no work planned ahead."""
    options = own.made("CreateSessionOptions")
    try:
        own.call("SetIntraOpNumThreads", options, threads)
        own.call("SetInterOpNumThreads", options, 1)
        own.call("DisableCpuMemArena", options)
        own.call("DisableMemPattern", options)
        own.call("SetSessionGraphOptimizationLevel", options, _NO_OPTIMISATION)  # a twin is optimised when it is made
        yield options
    finally:
        own.release["SessionOptions"](options)


def _value(own: Runtime, tensor: Tensor) -> int | None:
    """An OrtValue over the tensor's numbers, or with copies of its texts; the caller releases it."""
    rank, code = len(tensor.shape), _CODES[tensor.type]
    shape = _array(c_int64, rank)(*tensor.shape)
    if tensor.type == "string":
        value = own.made("CreateTensorAsOrtValue", own.allocator, shape, rank, code)
        try:
            _fill(own, value, tensor.data)
        except BaseException:
            own.release["Value"](value)
            raise
        return value.value
    size = memoryview(tensor.data).nbytes
    start = byref(c_char.from_buffer(tensor.data)) if size else byref(c_char())
    return own.made("CreateTensorWithDataAsOrtValue", own.memory, start, size, shape, rank, code).value


def _fill(own: Runtime, value: c_void_p, texts: Sequence[bytes]) -> None:
    own.call("FillStringTensor", value, _texts(texts) if len(texts) < MANY else _repeated(texts), len(texts))
    for index, text in enumerate(texts) if b"\0" in b"".join(texts) else ():
        if b"\0" in text:  # where FillStringTensor ended it
            buffer = own.made("GetResizedStringTensorElementBuffer", value, index, len(text))
            ctypes.memmove(buffer, text, len(text))


def _tensor(own: Runtime, value: int) -> Tensor:
    """A copy of what an OrtValue holds."""
    info = own.made("GetTensorTypeAndShape", value)
    try:
        code = own.number("GetTensorElementType", info, kind=c_int)
        rank = own.number("GetDimensionsCount", info)
        sizes = _array(c_int64, rank)()
        own.call("GetDimensions", info, sizes, rank)
    finally:
        own.release["TensorTypeAndShapeInfo"](info)
    if code not in _TYPES:
        raise OnnxRuntimeError(
            "NOT_IMPLEMENTED", f"an output has element type {code}; these are read: {list(_TYPES.values())}"
        )
    kind, shape, count = _TYPES[code], tuple(sizes), 1
    for size in shape:
        count *= size
    if kind == "string":
        return Tensor(kind, shape, _read_texts(own, value, count))
    data = ctypes.string_at(own.made("GetTensorMutableData", value), count * _SIZES[kind]) if count else b""
    return Tensor(kind, shape, data)


def _read_texts(own: Runtime, value: int, count: int) -> list[bytes]:
    length = own.number("GetStringTensorDataLength", value)
    content, starts = ctypes.create_string_buffer(length), (c_size_t * count)()
    own.call("GetStringTensorContent", value, content, length, starts, count)
    cuts, texts = [*starts, length], content.raw
    return [texts[start:end] for start, end in pairwise(cuts)]


def _texts(texts: Sequence[bytes]) -> Any:
    return _array(c_char_p, len(texts))(*texts)


def _repeated(texts: Sequence[bytes]) -> Any:
    """As `_texts`, for many that are few different ones: a pointer is looked up once for each of these."""
    pointers = {text: ctypes.cast(c_char_p(text), c_void_p).value or 0 for text in set(texts)}
    return _array(c_void_p, len(texts)).from_buffer(array("Q", map(pointers.__getitem__, texts)))


@lru_cache(maxsize=64)
def _array(kind: type[Any], length: int) -> Any:
    """The ctypes array type; making one takes longer than most calls of the library."""
    return kind * length
