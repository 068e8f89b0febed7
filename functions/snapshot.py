"""Lambda SnapStart: what an environment does before it becomes a snapshot, and once it was restored. It knows no model.

Nothing here is imported where there is no SnapStart. Source: AWS Lambda Developer Guide, "Implementing SnapStart hooks
for container images"; awslambdaric asks for the restore and calls the hooks.
"""

import sys
from collections.abc import Callable

from snapshot_restore_py import register_after_restore, register_before_snapshot


def take_part(*, before: Callable[[], None], after: tuple[Callable[[], None], ...]) -> None:
    """Has `before` called in INIT, once the handler is imported, and each of `after`, in order, after every restore.

    None of them may raise: before, no function version would be published; after, the request would fail.
    """
    register_before_snapshot(before)
    for hook in (_draw_anew, *after):
        register_after_restore(hook)


def _draw_anew() -> None:
    """Environments of one snapshot would draw the same numbers. `secrets` and `uuid` ask the system, each time.

    A model's own steps draw by numpy, which is loaded where a pipeline is.
    """
    for generator in ("random", "numpy.random"):
        loaded = sys.modules.get(generator)
        if loaded is not None:
            loaded.seed()
