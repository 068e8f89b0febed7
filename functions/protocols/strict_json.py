"""JSON bodies, read fast where that is safe and strictly where it matters.

msgspec reads the body. It keeps the last of two equal keys and gives only an offset for NaN, so a body it refuses, and
any body that may hold a repeated key, is read again by the standard library, which says what is wrong and where.
"""

from typing import Any

import msgspec

from functions.errors import InvalidBody

DEEPEST = 32
LONGEST_WHOLE = 400  # digits


def decode(body: bytes, key: bytes) -> Any:
    """The document; `key` is the one top-level key that is expected.

    NaN, Infinity and numbers float64 cannot hold come as floats that are not finite, so that the check of the rows can
    say where they stand. Whole numbers keep every digit. Raises InvalidBody for anything but JSON in UTF-8, each key of
    an object once, every character whole, not nested deeper than 32.
    """
    try:
        document = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return _strictly(body)
    if _may_repeat_a_key(body, key) or (isinstance(document, dict) and document.keys() != {key.decode()}):
        return _strictly(body)
    return document


def _may_repeat_a_key(body: bytes, key: bytes) -> bool:
    """False only where no object can hold a key twice: one object, no escapes, the expected key once."""
    return body.count(b"{") > 1 or b"\\" in body or body.count(b'"' + key + b'"') > 1


def _strictly(body: bytes) -> Any:
    import json

    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidBody(f"the body is not UTF-8: byte {error.start}") from None
    if text.startswith("\ufeff"):
        text = text[1:]
    _check_depth(text)
    try:
        document = json.loads(text, object_pairs_hook=_object, parse_int=_whole)
    except json.JSONDecodeError as error:
        raise InvalidBody(f"the body is not JSON: {error.msg}, line {error.lineno}, column {error.colno}") from None
    if "\\u" in text:
        _check_characters(json.dumps(document, ensure_ascii=False))
    return document


def _check_characters(text: str) -> None:
    """An escape can spell half of a surrogate pair: no character, and nothing that could be answered or logged."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = ascii(text[error.start])[1:-1]
        raise InvalidBody(f"the body holds {half}, half of a surrogate pair; send whole characters") from None


def _check_depth(text: str) -> None:
    """Only a body with so many brackets can be nested so deep; then those inside strings are told from the others."""
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    depth = 0
    quoted = escaped = False
    for character in text:
        if quoted:
            quoted = escaped or character != '"'
            escaped = not escaped and character == "\\"
        elif character == '"':
            quoted = True
        elif character in "[{":
            depth += 1
            if depth > DEEPEST:
                raise InvalidBody(f"the body is nested deeper than {DEEPEST}")
        elif character in "]}":
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InvalidBody(f"the body repeats the key {_repeated(pairs)[:80]!r} in one object; give each key once")
    return found


def _repeated(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            return key
        seen.add(key)
    raise AssertionError  # fewer keys than pairs: one of them stands twice


def _whole(text: str) -> int | float:
    """Python reads no more than some thousand digits; float64 holds none of those anyhow."""
    return int(text) if len(text) < LONGEST_WHOLE else float(text)
