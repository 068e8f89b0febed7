"""The commands over a registry, on a folder and on MinIO: what they say, what they move, what they never remove."""

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from functions.registry import alias, catalogue
from functions.registry.store import Store, open_store
from tests.conftest import PROJECT
from tests.minio_server import Credentials, Minio, allow_s3
from tests.models import iris_publication, publish_iris, publish_mixed
from tests.training_runs import Run, everything_in
from training.cli import main
from training.destinations import Registry

ONE, TWO, THREE, FOUR = (f"2026112{day}T000000Z-0000000{day}" for day in (1, 2, 3, 4))
AT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00"


@dataclass(frozen=True, slots=True)
class Place:
    store: Store
    url: str


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A store with the versions ONE to THREE of iris; live went from ONE to TWO."""
    url = str(tmp_path / "store")
    if request.param == "bucket":
        minio: Minio = request.getfixturevalue("minio")
        bucket = minio.bucket(f"commands-{secrets.token_hex(6)}")
        for name, value in minio.environment(minio.user(allow_s3(bucket))).items():
            monkeypatch.setenv(name, value)
        url = f"s3://{bucket}/team a"
    store = open_store(url)
    for version, strength in ((ONE, 0.1), (TWO, 1.0), (THREE, 10.0)):
        Registry(store, None, "").publish(iris_publication(version, strength))
    alias.move(store, "iris", "live", ONE, by="anna")
    alias.move(store, "iris", "live", TWO, by="ben")
    return Place(store, url)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], place: Place) -> Callable[..., Run]:
    def command(*words: str, model: str = "iris") -> Run:
        capsys.readouterr()
        code = main([*words, "--store", place.url, *(["--name", model] if model else [])])
        printed = capsys.readouterr()
        return Run(code, printed.out, printed.err)

    return command


def test_promotion_and_rollback_move_the_alias_and_say_from_where(place: Place, run: Callable[..., Run]) -> None:
    assert run("promote", THREE, "--by", "carla") == Run(0, f"live is now {THREE}, before it {TWO}\n", "")
    assert run("rollback") == Run(0, f"live is now {TWO}, before it {THREE}\n", "")
    assert run("rollback") == Run(0, f"live is now {THREE}, before it {TWO}\n", "")
    again = run("promote", THREE)
    assert re.fullmatch(rf"live is at {THREE} already, since {AT} by .+; nothing was moved\n", again.out)
    moved = json.loads(run("promote", "live", "--alias", "blue", "--by", "dora", "--json").out)
    assert re.fullmatch(AT, moved.pop("at"))
    assert moved == {
        "name": "iris", "alias": "blue", "version": THREE, "previous": None, "by": "dora", "moved": True,
    }  # fmt: skip
    assert alias.read(place.store, "iris", "blue").version == THREE


def test_the_history_says_who_moved_the_alias_where_and_when(run: Callable[..., Run]) -> None:
    run("promote", THREE, "--by", "carla")
    run("rollback", "--by", "dora")
    moves = json.loads(run("history", "--json").out)
    assert {key: moves[key] for key in ("name", "alias")} == {"name": "iris", "alias": "live"}
    assert [(one["previous"], one["version"], one["by"]) for one in moves["moves"]] == [
        (None, ONE, "anna"), (ONE, TWO, "ben"), (TWO, THREE, "carla"), (THREE, TWO, "dora"),
    ]  # fmt: skip
    times = [one["at"] for one in moves["moves"]]
    assert times == sorted(set(times))
    table = run("history").out.splitlines()
    assert [line.split() for line in table] == [
        ["at", "by", "version", "before", "it"],
        *([one["at"], one["by"], one["version"], one["previous"] or "-"] for one in moves["moves"]),
    ]


def test_versions_are_listed_newest_first_with_what_names_them(place: Place, run: Callable[..., Run]) -> None:
    publish_mixed(place.store, ONE)
    run("pin", ONE, "--why", "staging")
    found = [re.split(r"\s{2,}", line) for line in run("list", model="").out.splitlines()]
    assert found == [
        ["model", "version", "task", "engine", "rows", "score", "aliases"],
        ["iris", THREE, "classification", "onnx", "150", "accuracy 0.97", "-"],
        ["iris", TWO, "classification", "onnx", "150", "accuracy 0.97", "live"],
        ["iris", ONE, "classification", "onnx", "150", "accuracy 0.97", "(pinned)"],
        ["mixed", ONE, "classification", "joblib", "150", "accuracy 0.97", "live"],
    ]
    listed = json.loads(run("list", "--json").out)
    (model,) = listed["models"]
    assert (listed["store"], model["name"], model["unfinished"]) == (place.store.url, "iris", [])
    assert model["versions"][2] == {
        "version": ONE, "created": "2026-11-22T19:52:07Z", "task": "classification", "engine": "onnx", "rows": 150,
        "metrics": {"accuracy": 0.97}, "aliases": [], "pinned": "staging", "problem": None,
    }  # fmt: skip
    assert [(one["alias"], one["version"], one["previous"], one["by"]) for one in model["aliases"]] == [
        ("live", TWO, ONE, "ben")
    ]


def test_what_cannot_be_read_and_what_was_never_finished_is_listed_as_such(
    place: Place, run: Callable[..., Run]
) -> None:
    place.store.put(f"models/iris/versions/{FOUR}/manifest.json", b'{"manifest_version": 99}')
    place.store.put("models/iris/versions/half/model.joblib", b"half")
    lines = run("list").out.splitlines()
    assert re.split(r"\s{2,}", lines[1])[:3] == ["iris", FOUR, "-"]
    assert "the manifest's version is 99, this code reads 1" in lines[1]
    assert lines[-1] == "iris: without a manifest, so not there for readers: half"


def test_a_version_is_shown_in_words_and_as_its_manifest(place: Place, run: Callable[..., Run]) -> None:
    shown = run("show").out
    assert shown.splitlines()[0] == f"iris {TWO} in {place.store.url}"
    for words in (
        "aliases    live", "task       classification of species (setosa, versicolor, virginica)",
        "data       150 rows, SHA-256 " + "0" * 64, "metrics    accuracy 0.97",
    ):  # fmt: skip
        assert f"\n{words}\n" in shown
    assert [line.split() for line in shown.splitlines()[-4:]] == [
        ["sepal_length", "float64", "refused", "4.3", "to", "7.9"],
        ["sepal_width", "float64", "refused", "2", "to", "4.4"],
        ["petal_length", "float64", "refused", "1", "to", "6.9"],
        ["petal_width", "float64", "refused", "0.1", "to", "2.5"],
    ]
    document = json.loads(run("show", ONE, "--json").out)
    body = place.store.get(f"models/iris/versions/{ONE}/manifest.json").body
    assert document == {"manifest": json.loads(body), "store": place.store.url, "aliases": [], "pin": None}


def test_a_difference_names_features_metrics_parameters_libraries_engine_and_data(
    place: Place, run: Callable[..., Run]
) -> None:
    publish_iris(place.store, FOUR, move=False)
    folder = f"models/iris/versions/{FOUR}/"
    manifest = json.loads(place.store.get(folder + "manifest.json").body)
    manifest["metrics"] = {"accuracy": 0.9, "log_loss": 0.2}
    manifest["features"][1] |= {"dtype": "string", "categories": ["wide", "narrow"], "nullable": True}
    del manifest["features"][3]
    manifest["libraries"]["scikit-learn"] = "1.0"
    manifest["data"]["rows"] = 99
    place.store.put(folder + "manifest.json", json.dumps(manifest).encode())
    search = {"best": 1, "candidates": [{}, {"model": "linear", "parameters": {"C": 10}}]}
    place.store.put(folder + "metrics.json", json.dumps({"cross_validation": search}).encode())
    found = json.loads(run("diff", "live", FOUR, "--json").out)
    sklearn = found["libraries"].pop()
    assert (sklearn["what"], sklearn["after"]) == ("scikit-learn", "1.0")
    assert found == {
        "name": "iris", "before": TWO, "after": FOUR, "model": [], "libraries": [],
        "features": [
            {"what": "sepal_width", "before": "float64, 2 to 4.4", "after": "string, may be missing, wide, narrow"},
            {"what": "petal_width", "before": "float64, 0.1 to 2.5", "after": None},
        ],
        "metrics": [
            {"what": "accuracy", "before": 0.97, "after": 0.9}, {"what": "log_loss", "before": None, "after": 0.2},
        ],
        "parameters": [
            {"what": "model", "before": None, "after": "linear"}, {"what": "C", "before": None, "after": 10},
        ],
        "engine": found["engine"],
        "data": [{"what": "rows", "before": 150, "after": 99}],
    }  # fmt: skip
    assert {"what": "name", "before": "onnx", "after": "joblib"} in found["engine"]
    assert run("diff", TWO, "live").out == f"{TWO} and {TWO} are the same\n"
    assert [line.split() for line in run("diff", "live", FOUR).out.splitlines()][:2] == [
        ["what", "before", "after"], ["features", "sepal_width", "float64,", "2", "to", "4.4", "string,", "may", "be",
                                      "missing,", "wide,", "narrow"],
    ]  # fmt: skip


def test_what_is_as_it_was_published_is_verified_by_every_digest_and_golden_row(run: Callable[..., Run]) -> None:
    done = run("verify", "--json")
    found = json.loads(done.out)
    assert (done.code, found["ok"]) == (0, True)
    assert [(one["version"], one["files"], one["golden_rows"], one["engines"]) for one in found["versions"]] == [
        (version, 2, 3, ["onnx", "joblib"]) for version in (ONE, TWO, THREE)
    ]
    assert found["aliases"] == [{"alias": "live", "version": TWO, "ok": True, "problems": []}]
    one = run("verify", "live")
    assert (one.code, one.err) == (0, "")
    assert re.fullmatch(rf"{TWO}: ok, 2 files, \d+ bytes, 3 golden rows by onnx and joblib\n", one.out)


@pytest.mark.parametrize("file", ["model.joblib", "model.onnx"])
@pytest.mark.parametrize("harm", ["changed", "cut", "gone"])
def test_a_file_that_was_tampered_with_is_found_and_its_version_not_promoted(
    place: Place, run: Callable[..., Run], file: str, harm: str
) -> None:
    """Also the file that does not serve."""
    key = f"models/iris/versions/{THREE}/{file}"
    body = place.store.get(key).body
    if harm == "gone":
        place.store.delete(key)
    else:
        place.store.put(key, body[:-1] if harm == "cut" else bytes([body[0] ^ 1]) + body[1:])
    done = run("verify")
    assert (done.code, done.err) == (3, f"not as it was published: {THREE}\n")
    told = {line.split(": ")[0]: line for line in done.out.splitlines()}
    assert told[THREE].startswith(f"{THREE}: {file} {'is missing' if harm == 'gone' else 'has '}")
    assert told[TWO].startswith(f"{TWO}: ok, ")
    refused = run("promote", THREE)
    assert (refused.code, refused.out) == (3, "")
    assert refused.err.startswith(f"iris {THREE} was not promoted, a function would refuse it: {file} ")
    assert alias.read(place.store, "iris", "live").version == TWO
    assert run("promote", THREE, "--no-check").code == 0


def test_golden_rows_that_come_out_otherwise_are_found(place: Place, run: Callable[..., Run]) -> None:
    key = f"models/iris/versions/{ONE}/manifest.json"
    manifest = json.loads(place.store.get(key).body)
    manifest["golden"][0]["prediction"] = "virginica"
    place.store.put(key, json.dumps(manifest).encode())
    done = run("verify", ONE)
    assert done.code == 3
    assert done.out.startswith(f"{ONE}: golden row 0 gives 'setosa', expected 'virginica'")


def test_an_alias_of_a_version_that_is_gone_is_found(place: Place, run: Callable[..., Run]) -> None:
    place.store.delete(f"models/iris/versions/{TWO}/manifest.json")
    done = run("verify")
    assert (done.code, done.err) == (3, "not as it was published: live\n")
    assert done.out.splitlines()[-1] == f"live -> {TWO}: {TWO} does not exist"


def test_pruning_without_yes_only_tells(place: Place, run: Callable[..., Run]) -> None:
    Registry(place.store, None, "").publish(iris_publication(FOUR, 0.1))
    before = everything_in(place.store)
    assert run("prune", "--keep", "1") == Run(
        0,
        f"kept {ONE}: in the history of live\nkept {TWO}: live names it\nkept {FOUR}: one of the newest 1\n"
        f"would remove {THREE}\nnothing was removed; say --yes to do it\n",
        "",
    )
    assert everything_in(place.store) == before


def test_pruning_never_removes_what_an_alias_its_history_or_a_pin_refers_to(
    place: Place, run: Callable[..., Run]
) -> None:
    others = [f"20261120T00000{number}Z-00000000" for number in range(4)]
    for version in others:
        Registry(place.store, None, "").publish(iris_publication(version, 0.1))
    run("promote", others[0], "--alias", "old")
    run("promote", THREE, "--alias", "old")
    run("pin", others[1], "--why", "MODEL_VERSION of staging", "--by", "anna")
    place.store.delete("models/iris/aliases/old.json")  # its history is still there
    before = everything_in(place.store)
    done = json.loads(run("prune", "--keep", "1", "--keep-version", others[2], "--yes", "--json").out)
    assert (done["done"], done["removed"], done["leftovers"]) == (True, [others[3]], [])
    assert {one["version"]: one["why"] for one in done["kept"]} == {
        others[0]: "in the history of old",
        others[1]: "pinned",
        others[2]: "named by --keep-version",
        ONE: "in the history of live",
        TWO: "live names it",
        THREE: "one of the newest 1",
    }
    gone = f"models/iris/versions/{others[3]}/"
    assert everything_in(place.store) == {key: body for key, body in before.items() if not key.startswith(gone)}
    assert run("unpin", others[1]).out == f"{others[1]} is no longer pinned\n"
    assert run("prune", "--keep", "1", "--yes").out.splitlines()[-2:] == [
        f"removed {others[1]}",
        f"removed {others[2]}",
    ]


class Meanwhile:
    """A store in which something happens just after a manifest was removed."""

    def __init__(self, store: Store, act: Callable[[], object]) -> None:
        self._store = store
        self._act = act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def delete(self, key: str) -> None:
        self._store.delete(key)
        if key.endswith("/manifest.json"):
            self._act()


def test_a_version_that_is_pinned_while_it_is_pruned_is_there_again(place: Place) -> None:
    from training.commands.prune import prune

    def pin_it() -> None:
        place.store.put(f"models/iris/pins/{THREE}.json", b"{}")

    Registry(place.store, None, "").publish(iris_publication(FOUR, 0.1))
    before = everything_in(place.store)
    meanwhile: Any = Meanwhile(place.store, pin_it)
    done = prune(meanwhile, "iris", keep=1, pinned=[], done=True)
    assert (done.removed, [one.why for one in done.kept if one.version == THREE]) == ([], ["pinned since a moment ago"])
    assert before.items() <= everything_in(place.store).items()


def test_a_version_that_is_pruned_while_it_is_promoted_leaves_the_alias_where_it_was(place: Place) -> None:
    class Pruned(Meanwhile):
        def put(self, key: str, body: bytes, **conditions: Any) -> Any:
            if key == "models/iris/aliases/live.json" and THREE.encode() in body.partition(b'"previous"')[0]:
                self._store.delete(f"models/iris/versions/{THREE}/manifest.json")
            return self._store.put(key, body, **conditions)

    pruned: Any = Pruned(place.store, lambda: None)
    with pytest.raises(Exception, match=f"iris {THREE} was removed while live was moved to it; promote another"):
        alias.move(pruned, "iris", "live", THREE, by="carla")
    assert [(one.version, one.by) for one in catalogue.history(place.store, "iris", "live")] == [
        (ONE, "anna"), (TWO, "ben"), (THREE, "carla"), (TWO, "carla"),
    ]  # fmt: skip


def test_a_pin_says_who_and_why_and_is_set_once(run: Callable[..., Run]) -> None:
    assert run("pin", "live", "--why", "staging", "--by", "anna").out == f"pinned {TWO}: staging\n"
    assert run("pin", TWO, "--why", "again") == Run(
        2, "", f"error: iris {TWO} is pinned already; unpin it first to give it another reason\n"
    )
    assert re.search(rf"aliases    live; pinned by anna since {AT}: staging\n", run("show").out)
    assert run("unpin", ONE) == Run(2, "", f"error: iris {ONE} is not pinned; the pins are {TWO}\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("promote", "nix"), "iris has no version and no alias nix in URL; the newest versions are "
         f"{THREE}, {TWO}, {ONE}; the aliases are live"),
        (("show", "nix"), "iris has no version and no alias nix in URL; the newest versions are "
         f"{THREE}, {TWO}, {ONE}; the aliases are live"),
        (("history", "--alias", "blue"), "iris has no alias blue in URL; the aliases are live"),
        (("rollback", "--alias", "blue"), "iris has no alias blue in URL; promote a version first"),
        (("prune", "--keep", "0"), "Invalid value for '--keep': Input should be greater than or equal to 1; "
         "see python -m training prune --help"),
        (("prune",), "Missing option '--keep'; see python -m training prune --help"),
        (("verify", "a/b"), "'a/b' is no version; use letters, digits, dots, dashes and underscores"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_one_line_with_what_there_is(
    place: Place, run: Callable[..., Run], words: tuple[str, ...], said: str
) -> None:
    before = everything_in(place.store)
    assert run(*words) == Run(2, "", f"error: {said.replace('URL', place.store.url)}\n")
    assert everything_in(place.store) == before


def test_a_model_that_is_not_there_is_told_with_those_that_are(place: Place, run: Callable[..., Run]) -> None:
    for command in (("list",), ("verify",), ("prune", "--keep", "2")):
        told = f"error: there is no version of nope in {place.store.url}; the models there are: iris\n"
        assert run(*command, model="nope") == Run(2, "", told)


def test_an_alias_that_named_one_version_only_cannot_be_rolled_back(place: Place, run: Callable[..., Run]) -> None:
    run("promote", ONE, "--alias", "blue")
    assert run("rollback", "--alias", "blue") == Run(
        2, "", f"error: blue of iris named nothing before {ONE}; promote the version you want\n"
    )
    place.store.delete(f"models/iris/versions/{ONE}/manifest.json")
    assert run("rollback") == Run(
        2, "", f"error: iris has no version {ONE}; nothing was promoted; promote the version you want\n"
    )


def test_one_who_may_delete_nothing_prunes_nothing(
    minio: Minio, bucket: str, as_role: Callable[[Mapping[str, Any]], Credentials], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in minio.environment(minio.root).items():
        monkeypatch.setenv(name, value)
    store = open_store(f"s3://{bucket}")
    for version in (ONE, TWO):
        Registry(store, None, "").publish(iris_publication(version, 1.0))
    before = everything_in(store)
    arn = f"arn:aws:s3:::{bucket}"
    may = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
        "Resource": [arn, f"{arn}/*"],
    }
    role = minio.environment(as_role({"Version": "2012-10-17", "Statement": [may]}))
    command = ["prune", "--name", "iris", "--keep", "1", "--yes", "--store", f"s3://{bucket}"]
    done = subprocess.run(
        [sys.executable, "-m", "training", *command], cwd=PROJECT, env={**os.environ, **role},
        capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (
        1, "", "error: the credentials in use may not do this with "
        f"models/iris/versions/{ONE}/manifest.json in s3://{bucket}\n",
    )  # fmt: skip
    assert everything_in(store) == before
