"""A file counts as dropped once it has not moved for a second; looked at in turns, by a clock of the test's own."""

import os
from pathlib import Path

import pytest

from functions.registry.folder import FolderStore
from functions.registry.store import Stat
from local.watcher import Watcher


class Watched:
    """A folder, its watcher, and what that has told."""

    def __init__(self, root: Path, seen: dict[str, str] | None = None) -> None:
        self.root = root
        self.told: list[str] = []
        self.forgotten: list[str] = []
        self.notes: list[str] = []
        self.stats: dict[str, Stat] = {}
        (root / "incoming").mkdir(exist_ok=True)
        self.watcher = Watcher(root, dict(seen or {}), self._tell, self.forgotten.append, self.notes.append)

    def _tell(self, key: str, stat: Stat) -> None:
        self.told.append(key)
        self.stats[key] = stat

    def drop(self, name: str, content: bytes = b"a\n1\n") -> Path:
        path = self.root / "incoming" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def look(self, *times: float) -> list[str]:
        for time in times:
            self.watcher.look(time)
        return self.told


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_a_file_that_rests_for_a_second_is_told_once_with_the_stores_etag(watched: Watched) -> None:
    watched.drop("Zürich/a b.csv")
    assert watched.look(0.0, 0.9) == []
    assert watched.look(1.0, 2.0, 9.0) == ["incoming/Zürich/a b.csv"]
    assert watched.stats["incoming/Zürich/a b.csv"] == FolderStore(watched.root).stat("incoming/Zürich/a b.csv")


def test_a_file_that_still_grows_is_waited_for(watched: Watched) -> None:
    path = watched.drop("a.csv")
    watched.look(0.0)
    for time in (0.8, 1.6, 2.4):
        with path.open("ab") as file:
            file.write(b"2\n")
        assert watched.look(time) == []
    assert watched.look(3.4) == ["incoming/a.csv"]


def test_a_file_changed_later_is_a_new_drop(watched: Watched) -> None:
    path = watched.drop("a.csv")
    assert watched.look(0.0, 1.0) == ["incoming/a.csv"]
    os.utime(path, (1, 1))
    assert watched.look(2.0, 3.0) == ["incoming/a.csv", "incoming/a.csv"]


def test_hidden_and_unfinished_files_and_other_folders_are_no_drops(watched: Watched) -> None:
    for name in (".hidden.csv", ".folder/a.csv", "a.csv.part", "b.csv~", "c.crdownload"):
        watched.drop(name)
    (watched.root / "elsewhere.csv").write_bytes(b"a\n")
    assert watched.look(0.0, 1.0, 2.0) == []


def test_a_file_seen_before_the_restart_is_not_told_again(watched: Watched) -> None:
    watched.drop("old.csv")
    watched.look(0.0, 1.0)
    seen = {key: stat.etag for key, stat in watched.stats.items()}
    again = Watched(watched.root, seen)
    again.drop("new.csv")
    assert again.look(0.0, 1.0, 2.0) == ["incoming/new.csv"]


def test_a_file_taken_away_is_forgotten(watched: Watched) -> None:
    path = watched.drop("a.csv")
    watched.look(0.0, 1.0)
    path.unlink()
    watched.look(2.0)
    assert watched.forgotten == ["incoming/a.csv"]


def test_a_name_that_no_key_can_have_is_left_alone_and_said_once(watched: Watched) -> None:
    folder = os.fsencode(watched.root / "incoming")
    (Path(os.fsdecode(folder + b"/caf\xe9.csv"))).write_bytes(b"a\n")
    assert watched.look(0.0, 1.0, 2.0) == []
    assert watched.notes == ["incoming/caf?.csv is left alone: its name is not UTF-8"]


def test_a_pipe_is_left_alone_and_the_files_beside_it_are_told(watched: Watched) -> None:
    os.mkfifo(watched.root / "incoming" / "pipe.csv")
    watched.drop("a.csv")
    assert watched.look(0.0, 1.0) == ["incoming/a.csv"]
    assert watched.notes == ["incoming/pipe.csv is left alone: it is no file"]
