"""Direct invocation: the event is the body of a prediction, and the answer is what HTTP would have as its body."""

from typing import Any

import msgspec

from functions.envelopes.gateway import LIMIT
from functions.errors import InvalidBody
from functions.messages import Request, Response


class Direct:
    limit = LIMIT
    takes_binary = False

    def matches(self, event: Any) -> bool:  # noqa: ARG002 # the last envelope takes everything
        return True

    def request(self, event: Any) -> Request:
        import json  # strict where msgspec is not: NaN stays NaN, half of a surrogate pair its escape

        try:
            body = json.dumps(event).encode()
        except RecursionError:
            raise InvalidBody("the event is nested too deeply") from None
        return Request(method="POST", path="/predict", headers={}, body=body)

    def answer(self, response: Response) -> Any:
        return msgspec.json.decode(response.body)
