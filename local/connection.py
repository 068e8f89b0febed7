"""HTTP/1.1 over plain sockets, the little that both doors need; it must not know Lambda or API Gateway."""

import socket
import socketserver
import sys
import threading
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

DRAIN_SECONDS = 5  # for which a client may pause in sending it
LONGEST_LENGTH = 15  # digits of a Content-Length that is still a length
DRAIN = 64 * 1024 * 1024  # how much of a refused body is still read, so that the client sees the refusal


class PortInUse(Exception):
    """Somebody else listens there."""


class BadRequest(Exception):
    """What was sent is not HTTP as it should be."""


class BodyTooLarge(Exception):
    """The body is over the limit; what could be drained has been."""


class Server(socketserver.ThreadingTCPServer):
    """Threads, one a connection, all of which `close` ends."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, handler: type["Connection"]) -> None:
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        try:
            super().__init__((host, port), handler)
        except OSError as error:
            raise PortInUse(f"port {port} on {host} cannot be used: {error.strerror}") from None
        self.port: int = self.server_address[1]
        self._thread = threading.Thread(target=self.serve_forever, args=(0.2,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stops listening and ends every connection."""
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()
        with self._lock:
            for connection in self._connections:
                self.drop(connection)

    def drop(self, connection: socket.socket) -> None:
        """Ends one connection; its thread sees the end of the stream."""
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is a defect and is printed."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Connection(BaseHTTPRequestHandler):
    """One kept-alive connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def body(self, limit: int) -> bytes:
        """The whole body, chunked or not. Raises BodyTooLarge over `limit` bytes, BadRequest for broken framing."""
        if self.headers.get("transfer-encoding", "").strip().lower() == "chunked":
            return self._chunked(limit)
        lengths = set(self.headers.get_all("content-length", ["0"]))
        text = lengths.pop().strip()
        if lengths or not (text.isascii() and text.isdigit()):
            self.close_connection = True
            raise BadRequest("Content-Length cannot be read")
        if len(text) > LONGEST_LENGTH:
            self.close_connection = True
            raise BodyTooLarge
        length = int(text)
        if length > limit:
            self._drain(length)
            raise BodyTooLarge
        data = self.rfile.read(length)
        if len(data) < length:
            raise ConnectionResetError("the client stopped in the middle of its body")
        return data

    def reply(self, status: int, body: bytes, headers: list[tuple[str, str]]) -> None:
        """Sends one whole answer in one piece."""
        self.connection.sendall(self.answer(status, body, headers))

    def answer(self, status: int, body: bytes, headers: list[tuple[str, str]]) -> bytes:
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            phrase = ""
        lines = [f"HTTP/1.1 {status} {phrase}", f"Date: {self.date_time_string()}"]
        lines += [f"{name}: {value}" for name, value in headers]
        bodiless = status in (204, 304) or 100 <= status < 200
        if not bodiless:
            lines.append(f"Content-Length: {len(body)}")
        if self.close_connection:
            lines.append("Connection: close")
        head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        return head if bodiless or self.command == "HEAD" else head + body

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002 - as called
        """What http.server turns away by itself, in the JSON that AWS would use."""
        self.close_connection = True
        phrase = message or HTTPStatus(code).phrase
        self.reply(code, b'{"message":"%s"}' % phrase.encode("ascii", "replace").replace(b'"', b"'"), JSON)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        """Nothing: the doors tell what happened."""

    def _chunked(self, limit: int) -> bytes:
        data = bytearray()
        while True:
            line = self.rfile.readline(1024)
            try:
                size = int(line.split(b";")[0], 16)
            except ValueError:
                self.close_connection = True
                raise BadRequest("a chunk's size cannot be read") from None
            if size == 0:
                break
            if size < 0 or len(data) + size > limit:
                self.close_connection = True
                raise BodyTooLarge
            data += self.rfile.read(size)
            self.rfile.readline(8)
        while self.rfile.readline(65536).strip():
            pass  # trailers
        return bytes(data)

    def _drain(self, length: int) -> None:
        if length > DRAIN:
            self.close_connection = True
            return
        self.connection.settimeout(DRAIN_SECONDS)
        while length:
            try:
                data = self.rfile.read(min(length, 1 << 16))
            except TimeoutError:
                data = b""
            if not data:
                self.close_connection = True
                return
            length -= len(data)
        self.connection.settimeout(None)


JSON = [("Content-Type", "application/json")]
