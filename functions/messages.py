"""The neutral messages between doors and rooms; they know no cloud, no protocol and no model."""

import msgspec


class Request(msgspec.Struct, frozen=True):
    """One HTTP-shaped request. Header names are lower case; `path` has no stage prefix and no query."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Response(msgspec.Struct, frozen=True):
    """One HTTP-shaped answer. `body` is UTF-8 text (JSON unless `content-type` says otherwise).

    `rows` is how many rows it predicts, for the log and for the size limit.
    """

    status: int
    body: bytes
    headers: dict[str, str] = msgspec.field(default_factory=lambda: {"content-type": "application/json"})
    rows: int = 0


class ObjectCreated(msgspec.Struct, frozen=True):
    """Somebody wrote an object. `key` is decoded. What else the event says may be old: the object itself is asked."""

    bucket: str
    key: str


class Passed(msgspec.Struct, frozen=True):
    """Something that is no new object, and is acknowledged; `key` where there is one."""

    key: str | None
    reason: str
