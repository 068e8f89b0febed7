"""What holds for every route alike: the base path it is reached under, gzip both ways, other sites' pages."""

from functions.inference.model import Serving
from functions.messages import Request, Response
from functions.protocols import routes

WORTH_PACKING = 1024  # bytes; a shorter answer fits into a packet anyhow


class Site:
    """base_path: what a custom domain puts before the paths, as `/v1`. origins: as in Cors."""

    def __init__(self, base_path: str = "", origins: tuple[str, ...] = ()) -> None:
        self._base = base_path.rstrip("/")
        self._origins = origins

    def respond(self, request: Request, serving: Serving) -> Response:
        """The route's answer. Raises what the route does, and what a packed body may be wrong with."""
        request = self._inside(request)
        if "content-encoding" in request.headers:
            from functions.protocols.encoding import unpacked

            request = unpacked(request)
        return routes.respond(request, serving)

    def refuse(self, error: Exception, request: Request | None) -> Response:
        """The answer to an error, as the protocol writes it that the request spoke."""
        return routes.refuse(error, request and self._inside(request))

    def dressed(self, request: Request, response: Response, *, binary: bool) -> Response:
        """The answer, an error's too, as this client is to get it. binary: whether bytes can get to it."""
        if self._origins and "origin" in request.headers:
            from functions.protocols.cors import Cors

            response = Cors(self._origins).allow(request, response)
        if binary and len(response.body) > WORTH_PACKING and "accept-encoding" in request.headers:
            from functions.protocols.encoding import packed

            response = packed(request, response)
        return response

    def _inside(self, request: Request) -> Request:
        """The request with its path below the base path."""
        path = request.path
        if self._base and (path == self._base or path.startswith(self._base + "/")):
            return Request(request.method, path[len(self._base) :] or "/", request.headers, request.body)
        return request
