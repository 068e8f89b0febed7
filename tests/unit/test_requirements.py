"""The locked files: hashed, without hosts, and of one mind, so that a laptop's model is accepted by the image."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).parents[2] / "requirements"
ALL = sorted(path.stem for path in REQUIREMENTS.glob("*.txt"))
OF_THEIR_OWN = {"audit", "checkov", "clients", "sam", "simulator"}  # environments of tools that pin a world
OF_THE_PROJECT = [name for name in ALL if name not in OF_THEIR_OWN]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]+\])?==(\S+?)(?: ;\s*(.*?))? \\$", re.MULTILINE)


def pinned(name: str) -> dict[str, set[tuple[str, str]]]:
    """Package to its versions, each with the marker it is for."""
    found = defaultdict(set)
    for package, version, marker in PINNED.findall((REQUIREMENTS / f"{name}.txt").read_text()):
        found[package.lower()].add((version, marker))
    return found


def test_the_locked_files_agree_on_every_shared_package() -> None:
    versions: dict[str, dict[str, set[str]]] = defaultdict(dict)
    for name in OF_THE_PROJECT:
        for package, locked in pinned(name).items():
            versions[package][name] = {version for version, _ in locked}
    assert len(versions["scikit-learn"]) >= 3
    assert {
        package: files for package, files in versions.items() if len(set.union(*files.values())) > most(files)
    } == {}


def most(files: dict[str, set[str]]) -> int:
    """One lock may hold two versions of a package, for two Pythons; another may hold no third."""
    return max(len(locked) for locked in files.values())


@pytest.mark.parametrize("name", ALL)
def test_a_locked_file_pins_everything_by_hash_and_names_no_host(name: str) -> None:
    text = (REQUIREMENTS / f"{name}.txt").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]
    assert len(lines) == len(PINNED.findall(text)) > 0
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=[A-Za-z0-9])", text)[1:])
    assert "://" not in text
