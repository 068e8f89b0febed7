"""Cross-origin requests, closed unless a setting opens them: which pages of other sites a browser lets read answers.

Source: WHATWG Fetch, "CORS protocol".
"""

from collections.abc import Sequence

from functions.messages import Request, Response

ANY = "*"
HEADERS = "authorization, content-type, x-amz-content-sha256, x-amz-date, x-amz-security-token, x-api-key"
KEPT = "600"  # seconds for which a browser need not ask again


class Cors:
    """origins: those allowed, as a browser writes them (`https://example.com`), or `*`; none where it is empty."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = frozenset(origins)

    def allow(self, request: Request, response: Response) -> Response:
        """The answer, errors included, with what lets the browser show it to a page that may see it."""
        origin = request.headers.get("origin")
        if not self._origins or origin is None:
            return response
        headers = dict(response.headers)
        if ANY in self._origins:
            headers["access-control-allow-origin"] = ANY
        else:
            headers["vary"] = "origin"
            if origin in self._origins:
                headers["access-control-allow-origin"] = origin
        if "access-control-allow-origin" in headers and _is_preflight(request):
            headers["access-control-allow-methods"] = response.headers.get("allow", "")
            headers["access-control-allow-headers"] = HEADERS
            headers["access-control-max-age"] = KEPT
        return Response(response.status, response.body, headers, response.rows)


def _is_preflight(request: Request) -> bool:
    return request.method == "OPTIONS" and "access-control-request-method" in request.headers
