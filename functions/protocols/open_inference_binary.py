"""Tensors that follow a request's JSON as bytes, read into the lists they stand for; imported when some come.

Source: Triton Inference Server, "Binary Tensor Data Extension".
"""

import struct
from collections.abc import Sequence
from typing import Any

from functions.errors import InvalidBody

CODES = {
    "BOOL": "?", "INT8": "b", "INT16": "h", "INT32": "i", "INT64": "q", "UINT8": "B", "UINT16": "H", "UINT32": "I",
    "UINT64": "Q", "FP16": "e", "FP32": "f", "FP64": "d",
}  # fmt: skip
HEADER = "inference-header-content-length"
SIZE = "binary_data_size"


def split(body: bytes, length: str) -> tuple[bytes, bytes]:
    """The JSON and the bytes behind it. Raises InvalidBody."""
    if not (length.isascii() and length.isdigit()) or len(length) > 10 or int(length) > len(body):
        raise InvalidBody(f"{HEADER} is {length[:40]!r}, expected a number of bytes up to the body's {len(body)}")
    return body[: int(length)], body[int(length) :]


def with_data(inputs: Sequence[dict[str, Any]], binary: bytes) -> list[dict[str, Any]]:
    """The tensors, those that came as bytes with their flat `data`. Raises InvalidBody."""
    found = []
    start = 0
    for index, given in enumerate(inputs):
        size = (given.get("parameters") or {}).get(SIZE)
        if size is None:
            found.append(given)
            continue
        title = f"tensor {str(given.get('name', index))[:80]!r}"
        if type(size) is not int or not 0 <= size <= len(binary) - start:
            raise InvalidBody(
                f"{title} has the {SIZE} {str(size)[:40]}, expected a number up to the {len(binary) - start} bytes left"
            )
        if given.get("data") is not None:
            raise InvalidBody(f"{title} has both data and {SIZE}; send one of them")
        values = _values(title, given.get("datatype"), binary[start : start + size])
        found.append({**given, "data": values})
        start += size
    if start < len(binary):
        raise InvalidBody(f"{len(binary) - start} bytes follow the last tensor; send each with its {SIZE}")
    return found


def _values(title: str, datatype: Any, data: bytes) -> list[Any]:
    if datatype == "BYTES":
        return _texts(title, data)
    code = CODES.get(datatype) if isinstance(datatype, str) else None
    if code is None:
        return []  # told with the other problems of the tensor
    count, rest = divmod(len(data), struct.calcsize(code))
    if rest:
        raise InvalidBody(f"{title} has {len(data)} bytes, which are no whole number of {datatype}")
    return list(struct.unpack(f"<{count}{code}", data))


def _texts(title: str, data: bytes) -> list[str]:
    """Each text is its length, four bytes, then itself."""
    found: list[str] = []
    start = 0
    while start < len(data):
        end = start + 4 + int.from_bytes(data[start : start + 4], "little")
        if end > len(data):
            raise InvalidBody(f"{title} has bytes that end within element {len(found)}")
        try:
            found.append(data[start + 4 : end].decode("utf-8"))
        except UnicodeDecodeError:
            raise InvalidBody(f"{title} has an element {len(found)} that is not UTF-8") from None
        start = end
    return found
