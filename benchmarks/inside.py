"""Runs a campaign where the contestants live, as in a container: an order (JSON) on standard input, raw figures out.

It needs the standard library, and nothing that a contestant has.
"""

import json
import sys

from benchmarks import cold, parts, warm
from benchmarks.contestants import order_of

CAMPAIGNS = {"cold": cold.run, "warm": warm.run, "parts": parts.run}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(CAMPAIGNS[sys.argv[1]](order_of(json.load(sys.stdin)))))
