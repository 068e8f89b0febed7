"""The claim: binds a drop to one model version, by whoever creates it first. It does no I/O."""

import msgspec


class ClaimedModel(msgspec.Struct, frozen=True):
    name: str
    version: str


class Claim(msgspec.Struct, frozen=True):
    """`at`: UTC, ISO 8601."""

    model: ClaimedModel
    at: str


def encode(claim: Claim) -> bytes:
    return msgspec.json.encode(claim)


def decode(body: bytes) -> Claim | None:
    """None where this is no claim."""
    try:
        return msgspec.json.decode(body, type=Claim)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
