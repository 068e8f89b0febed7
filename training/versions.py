"""Names a version by its time and content, and says what it was made with. It knows no store."""

import hashlib
import json
import platform
import shutil
import subprocess
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

LIBRARIES = ("scikit-learn", "numpy", "scipy", "joblib", "pandas", "onnx", "onnxruntime", "skl2onnx")
"""What a pipeline and its twin depend on; the manifest names their versions, the digest counts them."""


def version_id(created: datetime, data: str, parameters: dict[str, Any], seed: int, libraries: dict[str, str]) -> str:
    """`20261122T195207Z-1f0c9a2b`: when (UTC), and eight hex digits of a digest of what.

    `data` is the SHA-256 of the table's bytes. Versions sort by time as texts.
    """
    what = {"data": data, "parameters": parameters, "seed": seed, "libraries": libraries}
    digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
    return f"{created:%Y%m%dT%H%M%SZ}-{digest[:8]}"


def libraries() -> dict[str, str]:
    """The versions in this process: Python's and those of LIBRARIES."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def git_commit(folder: Path) -> str | None:
    """The commit checked out in `folder`, `-dirty` where files differ from it; None outside a checkout."""
    git = shutil.which("git")
    if git is None or not (folder / ".git").exists():
        return None
    describe = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    found = subprocess.run(  # noqa: S603 # a fixed command, found on PATH
        [git, "--no-optional-locks", "-C", str(folder), *describe], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or None if found.returncode == 0 else None
