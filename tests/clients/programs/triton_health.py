"""Says what tritonclient finds out about a server and one of its models."""

import json
import sys

from tritonclient.http import InferenceServerClient

asked = json.load(sys.stdin)
with InferenceServerClient(asked["address"]) as client:
    model = asked["model"], asked["version"]
    found = {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "server": client.get_server_metadata(),
        "model ready": client.is_model_ready(*model),
        "model": client.get_model_metadata(*model),
        "another ready": client.is_model_ready("another"),
    }
json.dump(found, sys.stdout)
