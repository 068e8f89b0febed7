"""The gateway for as long as somebody wants it: over processes (`serve`) or over containers (`gateway`); it must not
know what a request says.
"""

import os
import sys
from pathlib import Path
from urllib.parse import unquote

from functions.registry.folder import FolderStore
from functions.settings import BatchSettings, ModelSettings
from local.gateway import Gateway, Plan
from local.journal import Journal
from local.lifetime import ended_by_signals

TASK_ROOT = Path(__file__).parent.parent
LOCAL = ".local"  # inside a folder bucket; names with a dot are no objects


def serve(host: str, port: int, spool: Path | None) -> int:
    """Raises NotConfigured, PortInUse, SpoolInUse, OSError."""
    stores = {"MODEL_STORE": ModelSettings.read().store, "DATA_STORE": BatchSettings.read().store}
    folders = {name: folder for name, store in stores.items() if (folder := folder_of(store))}
    # Functions run in another folder than this one, so they get no relative path.
    environ = {**os.environ, **stores, **{name: folder.as_uri() for name, folder in folders.items()}}
    watch = folders.get("DATA_STORE")
    spool = spool or (watch / LOCAL if watch else TASK_ROOT / "build" / f"spool-{port}")
    return _until_ended(Plan(host, port, spool, sys.stderr.fileno()), environ, watch)


def gateway(host: str, port: int, runtime_ports: tuple[int, int], spool: Path | None) -> int:
    """Raises PortInUse, SpoolInUse, OSError."""
    spool = spool or TASK_ROOT / "build" / "spool"
    return _until_ended(Plan(host, port, spool, sys.stderr.fileno(), runtime_ports=runtime_ports), os.environ.copy())


def folder_of(store: str) -> Path | None:
    """The folder behind a store's URL; None where it is a bucket's."""
    if store.startswith("s3://"):
        return None
    from functions.registry.store import open_store

    opened = open_store(store)
    return Path(unquote(opened.url.removeprefix("file://"))) if isinstance(opened, FolderStore) else None


def _until_ended(plan: Plan, environ: dict[str, str], watch: Path | None = None) -> int:
    journal = Journal()
    with ended_by_signals() as never:
        try:
            with Gateway(plan, journal, environ) as opened:
                journal.note(f"http://{_reachable(plan.host)}:{opened.port}  POST /predict, GET /model, GET /ping")
                if watch is not None:
                    opened.watch(watch)
                    journal.note(f"drop CSV files into {watch / 'incoming'}")
                if plan.runtime_ports is not None:
                    journal.note("Runtime API: predict on {}, batch on {}".format(*plan.runtime_ports))
                never.wait()
        except KeyboardInterrupt:
            journal.note("ended")
    return 0


def _reachable(host: str) -> str:
    return "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 - only compared
