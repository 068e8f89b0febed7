"""Puts the machine room together, opens it and shuts it; it must not know what the functions do or who looks on."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from functions.registry.folder import FolderStore
from functions.registry.store import Stat
from local import notification
from local.declared import BATCH, PREDICT, Declared, by_containers
from local.delivery import BACK_OFF, Delivery
from local.front import Front
from local.function import Function
from local.journal import Journal
from local.process import Processes
from local.runtime_api import RuntimeApi
from local.spool import Spool
from local.watcher import Watcher


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be opened.

    log: where functions write, a file or a descriptor.
    runtime_ports: predict's and batch's Runtime API, for containers; None to start processes here.
    """

    host: str
    port: int
    spool: Path
    log: IO[bytes] | int
    runtime_ports: tuple[int, int] | None = None
    task_root: Path = Path(__file__).parent.parent
    predict: Declared = PREDICT
    batch: Declared = BATCH
    back_off: tuple[float, ...] = BACK_OFF


class Gateway:
    """A context manager: everything runs inside, nothing is left of it outside."""

    def __init__(self, plan: Plan, journal: Journal, environ: Mapping[str, str] = os.environ) -> None:
        """Raises PortInUse, SpoolInUse, OSError; then nothing was opened."""
        self.runtime_ports: list[int] = []
        self._closers: list[Callable[[], None]] = []
        self._journal = journal
        try:
            self._open(plan, environ)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Gateway":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """In the order that leaves nobody waiting for somebody who is gone."""
        while self._closers:
            self._closers.pop()()

    def watch(self, root: Path) -> None:
        """From now on, files dropped into `incoming/` of this folder bucket are told to batch."""
        store = FolderStore(root)

        def dropped(key: str, stat: Stat) -> None:
            event = notification.created(store.bucket, key, stat)
            self.spool.put(self.batch.declared.name, event, seen=(key, stat.etag))
            self._deliveries[self.batch.declared.name].nudge()

        watcher = Watcher(root.resolve(), self.spool.seen(), dropped, self.spool.forget, self._journal.note)
        self._closers.append(watcher.close)
        watcher.start()

    @property
    def port(self) -> int:
        return self.front.port

    def _open(self, plan: Plan, environ: Mapping[str, str]) -> None:
        outside = plan.runtime_ports is not None
        declared = [by_containers(each) if outside else each for each in (plan.predict, plan.batch)]
        self.predict, self.batch = (Function(each, self._journal.note) for each in declared)
        functions = (self.predict, self.batch)
        self.spool = Spool(plan.spool, own=True)
        self._closers.append(self.spool.close)
        self.front = Front(plan.host, plan.port, self.predict, self.batch, self._keep, self._journal.request)
        self._closers.append(self.front.close)
        if plan.runtime_ports is None:
            processes = Processes(plan.task_root, plan.log, environ)
            self._closers.append(processes.close)
            for function in functions:
                processes.provide(function)
        else:
            for function, port in zip(functions, plan.runtime_ports, strict=True):
                api = RuntimeApi(plan.host, port, function, function.declared.arn, function.declared.seconds)
                self._closers.append(api.close)
                api.start()
                self.runtime_ports.append(api.port)
        self._deliveries = {
            function.declared.name: Delivery(
                self.spool, function, self._journal.attempt, self._journal.note, plan.back_off
            )
            for function in functions
        }
        for delivery in self._deliveries.values():
            self._closers.append(delivery.close)
            delivery.start()
        self._closers += [function.close for function in functions]
        self.front.start()

    def _keep(self, function: str, event: bytes) -> str:
        event_id = self.spool.put(function, event)
        self._deliveries[function].nudge()
        return event_id
