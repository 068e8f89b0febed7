"""Direct invocation: the event is the body of a prediction, and the answer is what HTTP would have as its body."""

from typing import Any

import msgspec

from functions.messages import Request, Response


class Direct:
    def matches(self, event: Any) -> bool:  # noqa: ARG002 # the last envelope takes everything
        return True

    def request(self, event: Any) -> Request:
        return Request(method="POST", path="/predict", headers={}, body=msgspec.json.encode(event))

    def answer(self, response: Response) -> Any:
        return msgspec.json.decode(response.body)

    def encoded_bytes(self, response: Response) -> int:
        return len(response.body)
