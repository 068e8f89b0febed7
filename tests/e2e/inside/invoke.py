"""Plays Lambda inside the function's container, so that it needs no network: events in, answers out, both as JSON.

    {"handler": "functions.predict.handler", "events": [...]} on standard input; a list of answers on standard output

A function that says by `restore/next` that it may become a snapshot is restored at once.
Sources: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes" and "Implementing SnapStart
hooks for container images".
"""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ENTRY_POINT = "/var/task/functions/entrypoint.sh"
asked = json.load(sys.stdin)
waiting = list(enumerate(asked["events"]))
answers: list[object] = []
done = threading.Event()


class RuntimeApi(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # the name is http.server's
        if self.path.endswith("/restore/next"):
            sys.stderr.write('{"message": "restored"}\n')
            return self._reply(200, b"", {})
        if not waiting:
            done.set()
            threading.Event().wait()  # as on Lambda: until the next event, which is never
        number, event = waiting.pop(0)
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": str(number),
            "Lambda-Runtime-Deadline-Ms": "4102444800000",
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:tested",
            "Lambda-Runtime-Trace-Id": "Root=1-6745a1c2-4f2b8d0a6c1e3f5a7b9d0e2f;Sampled=0",
        }
        return self._reply(200, json.dumps(event).encode(), headers)

    def do_POST(self) -> None:  # as above
        answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._reply(202, b"{}", {})

    def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


server = ThreadingHTTPServer(("127.0.0.1", 0), RuntimeApi)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
runtime = subprocess.Popen(
    [ENTRY_POINT, asked["handler"]],
    env={**os.environ, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}"},
    stdout=sys.stderr,
)
while not done.wait(0.05) and runtime.poll() is None:
    pass
runtime.kill()
sys.stdout.write(json.dumps(answers))
