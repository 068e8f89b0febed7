"""`fit` with a gate: a version that fails is published and not promoted, and its exit code says so."""

import json
import re
from pathlib import Path

import pytest

from functions import loader
from functions.registry import alias
from functions.registry.folder import FolderStore
from functions.registry.store import Stat
from tests.models import VERSION as FIRST
from tests.models import publish_iris
from tests.training_runs import IRIS, VERSION, Run, everything_in, train
from training import run

WANTED = ("--target", "species", "--name", "iris")


@pytest.fixture
def worse(tmp_path: Path) -> Path:
    """Iris with every second label by chance: nobody learns much from it."""
    header, *rows = IRIS.read_text().splitlines()
    kinds = ["setosa", "versicolor", "virginica"]
    guessed = [f"{row.rpartition(',')[0]},{kinds[index % 3]}" if index % 2 else row for index, row in enumerate(rows)]
    path = tmp_path / "worse.csv"
    path.write_text("\n".join([header, *guessed, ""]))
    return path


def fit(capsys: pytest.CaptureFixture[str], table: Path, store: Path, *more: str) -> Run:
    return train(capsys, table, *WANTED, "--store", store, *more)


def version_in(done: Run) -> str:
    found = re.search(f"published iris ({VERSION})", done.out)
    assert found
    return found[1]


def test_a_worse_model_is_published_and_kept_from_users_with_an_exit_code_of_its_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, worse: Path
) -> None:
    folder = tmp_path / "store"
    live = version_in(fit(capsys, IRIS, folder))
    before = everything_in(FolderStore(folder))
    done = fit(capsys, worse, folder, "--max-drop-vs-live", "-0.5", "--min-score", "0.99")
    version = version_in(done)
    reasons = (
        rf"accuracy 0\.\d+ on 30 held-out rows, less than the 0\.99 of --min-score; accuracy 0\.\d+ against 0\.\d+ of "
        rf"the live {live} on the same 30 rows, further behind than the -0\.5 of --max-drop-vs-live"
    )
    assert done.code == 3
    assert re.fullmatch(rf"iris {version} is published and not promoted: {reasons}\n", done.err)
    assert done.out.splitlines()[-3:] == [
        "gate: the live version was fitted on another file; whether these rows were in it is not known",
        f"published iris {version} at {folder.as_uri()}/models/iris/versions/{version}/",
        "no alias was moved",
    ]
    after = everything_in(FolderStore(folder))
    assert before.items() <= after.items()
    assert loader.load_version(FolderStore(folder), "iris", version).version == version
    assert alias.read(FolderStore(folder), "iris", "live").version == live


def test_a_model_that_is_good_enough_goes_live_and_the_run_says_by_what(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    live = version_in(fit(capsys, IRIS, tmp_path, "--max-drop-vs-live", "0", "--min-score", "0.9"))
    told = tmp_path / "outcome.json"
    done = fit(capsys, IRIS, tmp_path, "--seed", "1", "--max-drop-vs-live", "0.1", "--outcome", str(told))
    version = version_in(done)
    assert (done.code, done.err) == (0, "")
    *_, compared, fair, _, moved = done.out.splitlines()
    assert re.fullmatch(
        rf"gate: accuracy \S+ against \S+ of the live {live} on the same 30 rows, within the 0.1 of --max-drop-vs-live",
        compared,
    )
    assert fair == "gate: the live version was fitted on this very file, these rows with it, which flatters it"
    assert moved == f"live is now {version}, before it {live}"
    outcome = json.loads(told.read_text())
    now = alias.read(FolderStore(tmp_path), "iris", "live")
    assert outcome == {
        "status": "promoted", "model": {"name": "iris", "version": version},
        "alias": {"version": version, "previous": live, "at": now.at, "by": now.by},
        "metrics": outcome["metrics"], "reasons": [],
    }  # fmt: skip


def test_without_promotion_the_gate_still_judges(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    told = tmp_path / "outcome.json"
    passed = fit(capsys, IRIS, tmp_path, "--no-promote", "--min-score", "0.5", "--outcome", str(told))
    assert (passed.code, json.loads(told.read_text())["status"]) == (0, "published")
    failed = fit(capsys, IRIS, tmp_path, "--no-promote", "--min-score", "2", "--outcome", str(told))
    assert (failed.code, json.loads(told.read_text())["status"]) == (3, "refused")
    assert list(FolderStore(tmp_path).keys("models/iris/aliases/")) == []


def test_a_live_version_that_takes_what_the_new_one_does_not_is_no_measure(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    publish_iris(FolderStore(tmp_path))
    done = fit(capsys, IRIS, tmp_path, "--drop", "sepal_width", "--max-drop-vs-live", "1")
    assert done.code == 3
    assert done.err.endswith(
        f"it cannot be compared with the live {FIRST}: it takes sepal_width, which this one does not\n"
    )


def test_where_nothing_is_held_out_there_is_nothing_to_compare_on(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    publish_iris(FolderStore(tmp_path))
    done = fit(capsys, IRIS, tmp_path, "--test-share", "0", "--max-drop-vs-live", "1", "--min-score", "0.5")
    assert done.code == 3
    assert done.err.endswith("no row was held out to ask both about; give more rows, or --test-share\n")
    assert "gate: accuracy 0.9733 on the folds' own rows, at least the 0.5 of --min-score" in done.out


class Moved(FolderStore):
    """A store in which somebody promotes another version while this one is being published."""

    def put(self, key: str, body: bytes, *, create: bool = False, if_match: str | None = None) -> Stat:
        written = super().put(key, body, create=create, if_match=if_match)
        if key.endswith("/metrics.json"):
            alias.move(FolderStore(self.path("x").parent), "iris", "live", OTHER, by="somebody")
        return written


OTHER = "20261122T195208Z-00000000"


def test_a_version_that_was_judged_by_another_than_the_live_one_does_not_take_its_place(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    publish_iris(FolderStore(tmp_path))
    publish_iris(FolderStore(tmp_path), OTHER, move=False)
    monkeypatch.setattr(run, "open_store", lambda _url: Moved(tmp_path))
    done = fit(capsys, IRIS, tmp_path, "--max-drop-vs-live", "1")
    assert done.code == 1
    assert done.err.endswith(
        "is published, but live was not moved: the alias live of iris was moved by somebody else at the same time; "
        "look, then promote again\n"
    )
    assert alias.read(FolderStore(tmp_path), "iris", "live").version == OTHER


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--max-drop-vs-live", "0.1"), "--max-drop-vs-live needs --store, where the live version of model lies"),
        (("--min-score", "nan"), "--min-score is nan; give a number"),
        (("--max-drop-vs-live", "inf"), "--max-drop-vs-live is inf; give a number"),
    ],
)
def test_a_gate_that_cannot_be_is_told_before_the_fit(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, more: tuple[str, str], said: str
) -> None:
    done = train(capsys, IRIS, "--target", "species", "--output", tmp_path / "model.joblib", *more)
    assert (done.code, done.err) == (2, f"error: {said}\n")
    assert "fitting" not in done.out
    assert list(tmp_path.iterdir()) == []
