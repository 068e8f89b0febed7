"""What the milliseconds of a cold start of predict are made of: its parts in order, each step on top of the last.

In the function the parts overlap, so they sum up to more than a cold start takes. The figures of a part are those of
all steps up to it less those of the steps before.
"""

import subprocess
import time
from typing import Any

from benchmarks.contestants import Contestant, Order

SHELL = '[ "$1" = score ] && exit 2; [ -z "$1" ] && exit 2; exec "$@"'  # the tests of functions/entrypoint.sh
STEPS = {
    "the shell of the entry point": "",
    "Python itself": "import os",
    "awslambdaric": "import awslambdaric.__main__",
    "msgspec": "import msgspec",
    "obstore": "import obstore.store",
    "ctypes": "import ctypes",
    "the function's own modules": "\n".join(
        [
            "from functions import envelopes, live, loader, telemetry, wiring",
            "from functions.inference import onnx_engine, onnx_runtime",
            "from functions.protocols import native, routes",
            "from functions.registry import ahead, s3",
        ]
    ),
    "ONNX Runtime: its library and its environment": "onnx_runtime.runtime()",
    "alias, manifest and twin from S3": "\n".join(
        [
            "from functions.registry.store import open_store",
            "store, name = open_store(os.environ['MODEL_STORE']), os.environ['MODEL_NAME']",
            "reading = ahead.begin_model(store, name, 'live', None)",
            "version = loader.resolve(reading, loader.Reference(name))",
            "folder = loader.keys.version_folder(name, version)",
            "kept = {folder + file: reading.get(folder + file) for file in ('manifest.json', 'model.onnx')}",
            "class Kept: url, get = store.url, kept.__getitem__",
        ]
    ),
    "the model: its session and its golden rows": "loader.load_version(Kept, name, version)",
}
"""By name, in order: lines of a program that grows by them."""


def run(order: Order) -> dict[str, Any]:
    """Raw figures by step: seconds from the spawn to the end of that step, over the rounds."""
    raw: dict[str, dict[str, Any]] = {name: {"seconds": []} for name in STEPS}
    for number in range(order.rounds + 1):
        program = ""
        for name, lines in STEPS.items():
            program += lines + "\n"
            seconds = _once(order.contestants[0], program)
            if number:
                raw[name]["seconds"].append(seconds)
    return raw


def _once(contestant: Contestant, program: str) -> float:
    began = time.perf_counter()
    command = [*contestant.python, "-c", program + "os._exit(0)"] if program.strip() else ["/bin/true"]
    subprocess.run(
        ["/bin/sh", "-c", SHELL, "sh", *command],
        cwd=contestant.folder,
        env=contestant.environment,
        check=True,
    )
    return time.perf_counter() - began
