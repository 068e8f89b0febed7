"""The two functions as the template declares them; it must not know how they are run."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Declared:
    """One function: its time-out in seconds, its memory in MiB, how many environments it may have at once.

    `patience` is how many seconds a call waits for a free environment before it is throttled; AWS does not wait.
    snap_start: whether its environments say in INIT that they may become snapshots.
    """

    name: str
    handler: str
    seconds: float
    megabytes: int
    concurrency: int
    patience: float = 0.0
    snap_start: bool = False

    @property
    def arn(self) -> str:
        """The function alias's ARN, with a made-up account."""
        return f"arn:aws:lambda:us-east-1:000000000000:function:{self.name}:live"


PREDICT = Declared("predict", "functions.predict.handler", seconds=29, megabytes=1769, concurrency=10)
BATCH = Declared("batch", "functions.batch.handler", seconds=900, megabytes=1769, concurrency=2)


def by_containers(declared: Declared) -> Declared:
    """The same function where each environment is a container: as many as there are, and they may still be starting."""
    return replace(declared, patience=10.0)
