"""Says which release of a package the clients' environment holds."""

import json
import sys
from importlib.metadata import version

json.dump(version(json.load(sys.stdin)["package"]), sys.stdout)
