"""Aliases move by compare-and-swap, whoever else moves them at the same time, and wherever they lie."""

import secrets
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import Barrier

import msgspec
import pytest

from functions.errors import ModelNotFound, NotConfigured, PreconditionFailed, ServingError, StoreError
from functions.registry import alias, keys
from functions.registry.alias import Alias
from functions.registry.memory import MemoryStore
from functions.registry.store import Stat, Store, open_store
from tests.minio_server import Minio, allow_s3

MOVERS = 6
VERSIONS = [f"20261122T19520{number}Z-0000000{number}" for number in range(MOVERS)]


@pytest.fixture(scope="module")
def shared(minio: Minio) -> tuple[str, dict[str, str]]:
    bucket = minio.bucket(f"aliases-{secrets.token_hex(6)}")
    return bucket, minio.environment(minio.user(allow_s3(bucket)))


@pytest.fixture(params=["memory", "folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    if request.param == "memory":
        return MemoryStore()
    if request.param == "folder":
        return open_store(str(tmp_path))
    bucket, environment = request.getfixturevalue("shared")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return open_store(f"s3://{bucket}/{secrets.token_hex(6)}")


def give_versions(store: Store, versions: Sequence[str] = VERSIONS) -> None:
    """All that an alias asks of a version: its manifest is there."""
    for version in versions:
        store.put(keys.version_folder("iris", version) + keys.MANIFEST, b"{}", create=True)


def assert_one_history(start: str, won: Sequence[Alias], now: Alias) -> None:
    """Every move that was said to have won follows another that won, and none follows one that another follows, too."""
    follower = {move.previous: move for move in won}
    assert len(follower) == len(won)
    at = start
    for _ in won:
        at = follower[at].version
    assert at == now.version


def test_the_first_move_makes_the_alias_and_later_ones_remember_where_it_was(store: Store) -> None:
    give_versions(store)
    first = alias.move(store, "iris", "live", VERSIONS[0], by="anna")
    second = alias.move(store, "iris", "live", VERSIONS[1], by="ben")
    assert (first.version, first.previous, first.by) == (VERSIONS[0], None, "anna")
    assert (second.version, second.previous, second.by) == (VERSIONS[1], VERSIONS[0], "ben")
    assert alias.read(store, "iris", "live") == second
    assert datetime.fromisoformat(second.at).utcoffset() is not None
    stored = msgspec.json.decode(store.get("models/iris/aliases/live.json").body)
    assert stored == {"version": VERSIONS[1], "previous": VERSIONS[0], "at": second.at, "by": "ben"}


def test_moving_to_where_it_is_changes_nothing(store: Store) -> None:
    give_versions(store)
    first = alias.move(store, "iris", "live", VERSIONS[0], by="anna")
    etag = store.stat("models/iris/aliases/live.json").etag
    assert alias.move(store, "iris", "live", VERSIONS[0], by="ben") == first
    assert store.stat("models/iris/aliases/live.json").etag == etag


def test_a_version_that_does_not_exist_is_never_promoted(store: Store) -> None:
    give_versions(store)
    alias.move(store, "iris", "live", VERSIONS[0], by="anna")
    with pytest.raises(ModelNotFound) as raised:
        alias.move(store, "iris", "live", "20270101T000000Z-00000000", by="ben")
    assert raised.value.message == "iris has no version 20270101T000000Z-00000000; nothing was promoted"
    assert alias.read(store, "iris", "live").version == VERSIONS[0]


def test_an_alias_that_does_not_exist_says_what_to_do(store: Store) -> None:
    with pytest.raises(ModelNotFound) as raised:
        alias.read(store, "iris", "live")
    message = f"iris has no alias live in {store.url}; train and publish it, or name another"
    assert raised.value.message == message


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"version": 1}', b"\xff", b'{"version": "\xff"}', b"[" * 100_000]
)
def test_an_alias_that_cannot_be_read_is_the_stores_fault_and_is_not_overwritten(body: bytes) -> None:
    store = MemoryStore()
    give_versions(store)
    store.put("models/iris/aliases/live.json", body)
    acts: list[Callable[[], Alias]] = [
        lambda: alias.read(store, "iris", "live"),
        lambda: alias.move(store, "iris", "live", VERSIONS[0], by="anna"),
    ]
    for act in acts:
        with pytest.raises(StoreError) as raised:
            act()
        assert raised.value.message.startswith("the alias live of iris cannot be read: ")
    assert store.get("models/iris/aliases/live.json").body == body


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-a", "a b", "ä", "a" * 129, "a\n"])
def test_a_name_that_cannot_lie_in_a_key_is_refused(name: str) -> None:
    store = MemoryStore()
    what = "use letters, digits, dots, dashes and underscores"
    acts: list[tuple[Callable[[], Alias], str]] = [
        (lambda: alias.read(store, name, "live"), f"{name!r} is no model name; {what}"),
        (lambda: alias.read(store, "iris", name), f"{name!r} is no alias; {what}"),
        (lambda: alias.move(store, "iris", "live", name, by="anna"), f"{name!r} is no version; {what}"),
    ]
    for act, told in acts:
        with pytest.raises(NotConfigured) as raised:
            act()
        assert raised.value.message == told


def test_of_threads_that_move_it_at_once_each_winner_follows_the_last(store: Store) -> None:
    give_versions(store)
    alias.move(store, "iris", "live", VERSIONS[0], by="start")
    barrier = Barrier(MOVERS - 1)

    def move(version: str) -> Alias | str:
        barrier.wait()
        try:
            return alias.move(store, "iris", "live", version, by=version)
        except PreconditionFailed as error:
            return error.message

    with ThreadPoolExecutor(MOVERS) as threads:
        told = list(threads.map(move, VERSIONS[1:]))
    won = [one for one in told if isinstance(one, Alias)]
    lost = {one for one in told if isinstance(one, str)}
    assert won
    assert lost <= {"the alias live of iris was moved by somebody else at the same time; look, then promote again"}
    assert_one_history(VERSIONS[0], won, alias.read(store, "iris", "live"))


def test_of_processes_that_move_it_in_a_folder_at_once_each_winner_follows_the_last(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    give_versions(store)
    alias.move(store, "iris", "live", VERSIONS[0], by="start")
    program = (
        "import sys, msgspec\n"
        "from functions.errors import PreconditionFailed\n"
        "from functions.registry import alias\n"
        "from functions.registry.store import open_store\n"
        "store = open_store(sys.argv[1])\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "try:\n"
        "    print(msgspec.json.encode(alias.move(store, 'iris', 'live', sys.argv[2], by='me')).decode())\n"
        "except PreconditionFailed:\n"
        "    print('lost')\n"
    )
    movers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path), version],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for version in VERSIONS[1:]
    ]
    for mover in movers:
        assert mover.stdout is not None
        assert mover.stdout.readline() == "ready\n"
    for mover in movers:
        assert mover.stdin is not None
        mover.stdin.write("go\n")
        mover.stdin.flush()
    told = [mover.communicate(timeout=30)[0] for mover in movers]
    assert [mover.returncode for mover in movers] == [0] * len(movers)
    won = [msgspec.json.decode(line, type=Alias) for line in told if line != "lost\n"]
    assert won
    assert_one_history(VERSIONS[0], won, alias.read(store, "iris", "live"))


class Interrupted(MemoryStore):
    """A store between whose answers something happens, once, just before the next conditional write."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[tuple[str, bytes]] = []
        self.answer_is_lost = False

    def put(self, key: str, body: bytes, *, create: bool = False, if_match: str | None = None) -> Stat:
        while self.meanwhile:
            super().put(*self.meanwhile.pop())
        if self.answer_is_lost:  # what a client does whose first answer never came: it asks again
            super().put(key, body, create=create, if_match=if_match)
        return super().put(key, body, create=create, if_match=if_match)


@pytest.mark.parametrize("exists", [True, False])
def test_who_comes_second_is_told_and_changes_nothing(exists: bool) -> None:
    store = Interrupted()
    give_versions(store)
    if exists:
        alias.move(store, "iris", "live", VERSIONS[0], by="start")
    other = msgspec.json.encode(Alias(VERSIONS[1], VERSIONS[0], "2026-11-22T19:52:07.000+00:00", "somebody"))
    store.meanwhile = [("models/iris/aliases/live.json", other)]
    with pytest.raises(ServingError) as raised:
        alias.move(store, "iris", "live", VERSIONS[2], by="me")
    assert (type(raised.value), raised.value.message) == (
        PreconditionFailed,
        "the alias live of iris was moved by somebody else at the same time; look, then promote again",
    )
    assert store.get("models/iris/aliases/live.json").body == other


def test_a_move_whose_answer_was_lost_is_known_as_ones_own() -> None:
    store = Interrupted()
    give_versions(store)
    alias.move(store, "iris", "live", VERSIONS[0], by="start")
    store.answer_is_lost = True
    assert alias.move(store, "iris", "live", VERSIONS[1], by="me").previous == VERSIONS[0]
    assert alias.read(store, "iris", "live").version == VERSIONS[1]
