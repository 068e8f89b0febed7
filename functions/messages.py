"""The neutral messages between doors and rooms; they know no cloud, no protocol and no model."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP-shaped request. Header names are lower case; `path` has no stage prefix and no query."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP-shaped answer. `body` is UTF-8 text (JSON unless `content-type` says otherwise).

    `rows` is how many rows it predicts, for the log and for the size limit.
    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    rows: int = 0


@dataclass(frozen=True, slots=True)
class ObjectCreated:
    """Somebody wrote an object. `key` is decoded. What else the event says may be old: the object itself is asked."""

    bucket: str
    key: str
