"""Looks through the image it runs in: what lies there, what of it can be imported, what every library finds."""

import contextlib
import importlib
import importlib.util
import io
import json
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import warnings
from collections.abc import Iterator

PACKAGES, CODE = pathlib.Path("/opt/python"), pathlib.Path("/var/task")
LIBRARY = pathlib.Path(sysconfig.get_path("stdlib"))
DOCUMENTS = pathlib.Path("/usr/share/doc")
CACHES = ("/var/cache", "/var/log", "/var/lib/apt")
UNCHECKED = b"\x01\x00\x00\x00"  # PEP 552: used without a look at the source


def modules(root: pathlib.Path) -> Iterator[str]:
    """The dotted name of every module under a folder."""
    for path in root.rglob("*"):
        parts = path.relative_to(root).parent.parts
        stem = path.name.split(".")[0]
        named = all(part.isidentifier() and part not in ("__main__", "__pycache__") for part in (*parts, stem))
        if named and path.suffix in (".py", ".pyc", ".so"):
            yield ".".join(parts if stem == "__init__" else (*parts, stem))


def unexplained(names: list[str]) -> dict[str, str]:
    """The modules that fail to import for another reason than that they ask for a package that nobody installed."""
    own = {name.split(".")[0] for name in names} | sys.stdlib_module_names
    failed = {}
    for name in names:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                importlib.import_module(name)
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] in own:
                failed[name] = str(error)
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
    return failed


def missing_links() -> list[str]:
    """What a program or a library is linked to and does not find."""
    (loader,) = {*pathlib.Path("/lib").glob("ld-linux-*"), *pathlib.Path("/lib64").glob("ld-linux-*")}
    found = []
    for path in [*pathlib.Path("/usr").rglob("*"), *PACKAGES.rglob("*")]:
        if path.is_file() and not path.is_symlink() and (".so" in path.name or path.parent.name == "bin"):
            ran = subprocess.run([loader, "--list", path], capture_output=True, text=True)
            found += [f"{path}: {line.strip()}" for line in ran.stdout.splitlines() if "not found" in line]
    return found


def licensed(metadata: pathlib.Path) -> bool:
    """Whether a package's licence lies beside its metadata or at the top of its own folder."""
    package = PACKAGES / metadata.name.split("-")[0]
    beside = (*metadata.rglob("LICEN*"), *metadata.rglob("COPYING*"), *metadata.rglob("licenses/*"))
    return bool(beside) or any(package.glob("LICENSE*"))


def debian() -> list[str]:
    """The packages that dpkg says are here."""
    return re.findall(r"^Package: (.*)$", pathlib.Path("/var/lib/dpkg/status").read_text(), re.MULTILINE)


def look() -> dict[str, object]:
    warnings.simplefilter("ignore")
    bytecode = [*PACKAGES.rglob("*.pyc"), *LIBRARY.rglob("*.pyc"), *CODE.rglob("*.pyc")]
    sources = [*PACKAGES.rglob("*.py"), *LIBRARY.rglob("*.py")]
    compiled = [pathlib.Path(importlib.util.cache_from_source(str(path))) for path in CODE.rglob("*.py")]
    everything = [path for root in (PACKAGES, LIBRARY, CODE) for path in root.rglob("*")]
    metadata = list(PACKAGES.glob("*.dist-info"))
    return {
        "tools": [tool for tool in ("pip", "gcc", "cc", "make", "ld", "apt", "dpkg", "perl") if shutil.which(tool)],
        "pip": importlib.util.find_spec("pip") is not None,
        "caches": [path for path in CACHES if pathlib.Path(path).exists()],
        "tests, headers, type stubs": [
            str(path)
            for path in everything
            if path.name == "tests" or path.suffix in (".pyi", ".pxd", ".pyx", ".h", ".a")
            if not any(part.endswith(".dist-info") for part in path.parts)
        ],
        "sources of what is not ours": [str(path) for path in sources],
        "not compiled": [str(path) for path in compiled if not path.exists()],
        "checked against a source": [str(path) for path in bytecode if path.read_bytes()[4:8] != UNCHECKED],
        "without metadata": [str(path) for path in metadata if not (path / "METADATA").exists()],
        "without licence": [path.name.split("-")[0] for path in metadata if not licensed(path)],
        "can write": [str(path) for path in everything if path.stat().st_mode & 0o022],
        "missing links": missing_links(),
        "failed imports": unexplained(sorted({*modules(PACKAGES), *modules(CODE)})),
        "missing from the standard library": sorted(
            name for name in sys.stdlib_module_names - {"antigravity", "this"} if not importable(name)
        ),
        "Debian's packages without licence": [
            name for name in debian() if not (DOCUMENTS / name / "copyright").exists()
        ],
        "Debian's packages": len(debian()) > 20,
    }


def importable(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


sys.path.insert(0, str(CODE))
sys.stdout.write(json.dumps(look()))
