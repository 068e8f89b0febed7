"""Where a search's fits run: in this process, in several, or on a Dask cluster. It knows no model."""

import re
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import cloudpickle
import joblib
from joblib.externals.loky import get_reusable_executor

from training import versions
from training.endings import Failure, Mistake

ADDRESS = re.compile(r"(?:(?:tcp|tls)://)?[^/\s:]+:[0-9]{1,5}|(?:tcp|tls)://\[[0-9a-fA-F:]+\]:[0-9]{1,5}")
SECONDS = 20  # for a cluster to answer
ALIKE = ("python", "scikit-learn", "numpy", "scipy", "joblib")
"""What has to be of one version everywhere, so that a cluster finds what one machine would."""


@contextmanager
def working(jobs: int, scheduler: str | None, modules: Sequence[ModuleType], data: Sequence[Any]) -> Iterator[str]:
    """What joblib runs within it runs there; gives words for where. `data`: what every fit needs, sent once.

    `modules` are sent along, for workers that lack them. Raises Mistake, or Failure where a cluster does not answer or
    has other libraries.
    """
    if jobs == 0 or jobs < -1:
        raise Mistake(f"--jobs is {jobs}; give a number of processes, or -1 for one on each core")
    modules = () if jobs == 1 and scheduler is None else (sys.modules[__name__], *modules)
    for module in modules:
        cloudpickle.register_pickle_by_value(module)
    try:
        with _cluster(scheduler, data) if scheduler is not None else _processes(jobs) as words:
            yield words
    finally:
        for module in modules:
            cloudpickle.unregister_pickle_by_value(module)


@contextmanager
def _processes(jobs: int) -> Iterator[str]:
    try:
        with joblib.parallel_config(n_jobs=jobs):
            yield "" if jobs == 1 else f"in {joblib.effective_n_jobs(jobs)} processes"
    finally:
        if jobs != 1:  # idle ones would stay for five minutes
            get_reusable_executor().shutdown(wait=True)


@contextmanager
def _cluster(address: str, data: Sequence[Any]) -> Iterator[str]:
    from distributed import Client

    connect: Any = Client  # distributed ships no types
    try:
        socket.create_connection(_host_and_port(address), timeout=SECONDS).close()  # it would try for a long time
        client = connect(address, timeout=SECONDS, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise Failure(f"no Dask scheduler answers at {address}; is it running?") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=SECONDS)
        except TimeoutError as error:
            raise Failure(f"the Dask scheduler at {address} has no worker; start some, then run this again") from error
        workers = _checked(client)
        with joblib.parallel_config("dask", n_jobs=-1, client=client, scatter=list(data)):
            yield f"on {workers} Dask worker{'s' if workers > 1 else ''}"


def check_address(address: str) -> None:
    """Raises Mistake for what is no scheduler's address."""
    if not ADDRESS.fullmatch(address):
        raise Mistake(f"--scheduler is {address!r}; write tcp://host:port")


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition("://")[2].rpartition(":")
    return host.strip("[]"), int(port)


def _checked(client: Any) -> int:
    """How many workers there are. Raises Failure where one has other libraries than this process."""
    here = {name: found for name, found in versions.libraries().items() if name in ALIKE}
    found = client.run(_versions, list(here))
    for worker, there in sorted(found.items()):
        for name, wanted in here.items():
            if there[name] != wanted:
                raise Failure(f"the worker {worker} has {name} {there[name]}, and here is {wanted}; they must agree")
    return len(found)


def _versions(names: list[str]) -> dict[str, str]:
    import platform
    from importlib.metadata import PackageNotFoundError, version

    def of(name: str) -> str:
        try:
            return platform.python_version() if name == "python" else version(name)
        except PackageNotFoundError:
            return "missing"

    return {name: of(name) for name in names}
