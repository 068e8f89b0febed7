"""gzip, both ways: a body that came packed is unpacked within a limit, an answer is packed for whoever takes it.

Source: RFC 9110, 8.4 and 12.5.3.
"""

import zlib

from functions.errors import InvalidBody, PayloadTooLarge, UnsupportedMediaType
from functions.messages import Request, Response

UNPACKED_LIMIT = 6 * 1024 * 1024  # bytes; what a body that is not packed may have at most
GZIP = 16 + zlib.MAX_WBITS


def unpacked(request: Request) -> Request:
    """The request with its body unpacked. Raises UnsupportedMediaType, InvalidBody, PayloadTooLarge."""
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding in ("", "identity"):
        return request
    if coding not in ("gzip", "x-gzip"):
        raise UnsupportedMediaType(
            f"the body's content encoding {coding[:40]!r} is not read; send gzip, or none",
            headers={"accept-encoding": "gzip"},
        )
    return Request(request.method, request.path, request.headers, _unpack(request.body))


def packed(request: Request, response: Response) -> Response:
    """The answer, packed where the client takes gzip."""
    if not _takes_gzip(request.headers.get("accept-encoding", "")):
        return response
    packer = zlib.compressobj(level=1, wbits=GZIP)
    body = packer.compress(response.body) + packer.flush()
    vary = ", ".join(filter(None, [response.headers.get("vary"), "accept-encoding"]))
    headers = {**response.headers, "content-encoding": "gzip", "vary": vary}
    return Response(response.status, body, headers, response.rows)


def _unpack(body: bytes) -> bytes:
    found = bytearray()
    while body:
        unpacker = zlib.decompressobj(GZIP)
        try:
            found += unpacker.decompress(body, UNPACKED_LIMIT + 1 - len(found))
        except zlib.error:
            raise InvalidBody("the body is marked as gzip and is not, or is broken; send it anew") from None
        if len(found) > UNPACKED_LIMIT:
            raise PayloadTooLarge(
                f"the body is over {UNPACKED_LIMIT} bytes when unpacked; send fewer rows, or drop them as a CSV into "
                "incoming/"
            )
        if not unpacker.eof:
            raise InvalidBody("the body's gzip data is cut off; send it anew")
        body = unpacker.unused_data
    return bytes(found)


def _takes_gzip(accepted: str) -> bool:
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in ("gzip", "x-gzip", "*"):
            return weight.replace(" ", "").partition("=")[2].strip("0.") != "" or not weight
    return False
