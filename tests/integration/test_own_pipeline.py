"""A pipeline of one's own: searched with its own grid, published, served; and its errors told apart from ours."""

import textwrap
from pathlib import Path
from typing import Any

import joblib
import pytest

from functions import loader
from functions.registry.folder import FolderStore
from functions.registry.manifest import Manifest, decode
from functions.score import main as score
from tests.tables import rents
from tests.training_runs import IRIS, Run, everything_in, train

MINE = """\
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC


def search(seed):
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(random_state=seed))
    return GridSearchCV(pipeline, {"logisticregression__C": [0.1, 1, 10]}, cv=5, scoring="balanced_accuracy")


def plain():
    return make_pipeline(StandardScaler(), LinearSVC(random_state=0))


def by_kind(signature):
    texts = [one.name for one in signature.features if one.dtype == "string"]
    numbers = [one.name for one in signature.features if one.dtype != "string"]
    columns = make_column_transformer((OneHotEncoder(), texts), (SimpleImputer(), numbers))
    return make_pipeline(columns, GradientBoostingRegressor(n_estimators=20, random_state=0))


def squares():
    return make_pipeline(FunctionTransformer(np.square), LinearSVC(random_state=0))


class Doubled(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return X * 2


def doubled():
    return make_pipeline(Doubled(), LinearSVC(random_state=0))


def nameless():
    return make_pipeline(FunctionTransformer(lambda X: X), LinearSVC())


def broken():
    return {}["key"]


class Fails(BaseEstimator):
    def fit(self, X, y):
        raise RuntimeError("no more luck")

    def predict(self, X):
        return X


def fails():
    return Fails()


def nothing():
    pass


single = LinearSVC(random_state=0)
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "a_pipeline.py"
    path.write_text(MINE)
    return path


def fitted(capsys: pytest.CaptureFixture[str], tmp_path: Path, pipeline: str, *more: str, table: Path = IRIS) -> Run:
    options = ["--name", "own", "--store", str(tmp_path / "store"), "--pipeline", pipeline, *more]
    return train(capsys, table, "--target", "species" if table == IRIS else "rent", *options)


def live(tmp_path: Path) -> tuple[Manifest, Any]:
    store = FolderStore(tmp_path / "store")
    folder = f"models/own/versions/{loader.resolve(store, loader.Reference('own'))}/"
    path = tmp_path / "store" / folder / "model.joblib"
    return decode(store.get(folder + "manifest.json").body), joblib.load(path)


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process imports a file once; these tests are many processes in one."""
    import sys

    for name in ("a_pipeline", "other"):
        monkeypatch.setitem(sys.modules, name, None)  # so that what a test imports goes after it
        monkeypatch.delitem(sys.modules, name)


def test_a_search_of_ones_own_is_run_with_its_grid_its_folds_and_its_score(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, mine: Path
) -> None:
    done = fitted(capsys, tmp_path, f"{mine}:search")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert "running GridSearchCV" in lines
    assert any(line.startswith("chose C=") and line.endswith(" out of 3 candidates") for line in lines)
    assert any(line.startswith("balanced_accuracy 0.9") and line.endswith("5-fold cross-validation") for line in lines)
    manifest, pipeline = live(tmp_path)
    assert manifest.engine.name == "onnx"
    assert [type(step).__name__ for _, step in pipeline.steps] == ["StandardScaler", "LogisticRegression"]


def test_groups_are_kept_apart_also_by_a_search_with_folds_of_its_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, mine: Path
) -> None:
    path = tmp_path / "grouped.csv"
    header, *rows = IRIS.read_text().splitlines()
    path.write_text("\n".join([f"{header},plant", *(f"{row},g{at // 5}" for at, row in enumerate(rows)), ""]))
    options = ["--target", "species", "--group", "plant", "--output", str(tmp_path / "m.joblib")]
    done = train(capsys, path, *options, "--pipeline", f"{mine}:search")
    assert (done.code, done.err) == (0, "")
    assert "30 of 150 rows held out, whole groups" in done.out.splitlines()
    assert any(line.endswith("in 3-fold cross-validation") for line in done.out.splitlines())  # not in its own five


@pytest.mark.parametrize("name", ["plain", "single"])
def test_an_estimator_of_ones_own_without_probabilities_is_cross_validated_and_served(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, mine: Path, name: str
) -> None:
    done = fitted(capsys, tmp_path, f"{mine}:{name}")
    assert (done.code, done.err) == (0, "")
    assert "chose LinearSVC out of 1 candidate" in done.out.splitlines()
    manifest, _ = live(tmp_path)
    assert manifest.golden[0].probabilities is None
    model = loader.load(FolderStore(tmp_path / "store"), loader.Reference("own"))
    assert model.predict([[5.1, 3.5, 1.4, 0.2]]).classes == [0]


def test_a_function_may_ask_for_the_signature_to_choose_columns_by_kind(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, mine: Path
) -> None:
    path = rents(tmp_path / "rents.csv")
    done = fitted(capsys, tmp_path, f"{mine}:by_kind", table=path)
    assert (done.code, done.err) == (0, "")
    assert live(tmp_path)[0].task == "regression"
    store, scored = str(tmp_path / "store"), str(tmp_path / "scored.csv")
    assert score(["--model", store, "--name", "own", str(path), scored]) == 0


def test_a_pipeline_without_a_twin_that_scikit_learn_alone_can_load_is_served_by_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, mine: Path
) -> None:
    done = fitted(capsys, tmp_path, f"{mine}:squares")
    assert (done.code, done.err) == (0, "")
    assert "served by scikit-learn: a FunctionTransformer calls the Python function square" in done.out.splitlines()
    assert live(tmp_path)[0].engine.name == "joblib"


def test_code_that_functions_do_not_have_is_told_before_the_fit_and_not_published_without_a_twin(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, mine: Path
) -> None:
    done = fitted(capsys, tmp_path, f"{mine}:doubled")
    note = (
        "note: the pipeline holds code of a_pipeline, which functions do not have: it can be served by its ONNX twin "
        "alone"
    )
    lines = done.out.splitlines()
    assert lines.index(note) < lines.index("fitting 1 candidate in 3 folds")
    assert (done.code, done.err) == (
        2,
        "error: functions could not serve this pipeline, so it was not published: it holds code of a_pipeline, which "
        "they do not have, and it has no twin (skl2onnx does not know Doubled); build it of scikit-learn's own parts\n",
    )
    assert everything_in(FolderStore(tmp_path / "store")) == {}


REFUSED = {
    "shapeless": "--pipeline is 'shapeless'; write package.module:function, or path/to/file.py:function",
    "PATH/none.py:search": "--pipeline: there is no file PATH/none.py",
    "no_such_module:search": "--pipeline: there is no module 'no_such_module' on the path; name its file, or set PYTHON"
    "PATH",
    "PATH/a_pipeline.py:serch": "--pipeline PATH/a_pipeline.py:serch: there is no 'serch' in PATH/a_pipeline.py; "
    "did you mean 'search'?",
    "PATH/a_pipeline.py:nothing": "--pipeline PATH/a_pipeline.py:nothing gives NoneType, which is no "
    "scikit-learn estimator",
    "PATH/a_pipeline.py:broken": "--pipeline PATH/a_pipeline.py:broken failed: KeyError: 'key' (line 51 of "
    "PATH/a_pipeline.py); --debug shows the whole traceback",
    "PATH/a_pipeline.py:fails": "your pipeline failed: RuntimeError: no more luck (line 56 of PATH/a_pipeline.py); "
    "--debug shows the whole traceback",
    "PATH/a_pipeline.py:by_kind": "--pipeline PATH/a_pipeline.py:by_kind gives a regressor, and 'species' is a "
    "target of classification; give another, or say --task",
    "PATH/other.py:search": "--pipeline: importing PATH/other.py failed: ModuleNotFoundError: No module "
    "named 'xgboosted' (line 2 of PATH/other.py); --debug shows the whole traceback",
}


@pytest.mark.parametrize("pipeline", REFUSED)
def test_what_goes_wrong_in_a_pipeline_of_ones_own_is_said_to_be_there(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, mine: Path, pipeline: str
) -> None:
    (mine.parent / "other.py").write_text("import math\nimport xgboosted\n")
    done = fitted(capsys, tmp_path, pipeline.replace("PATH/", f"{tmp_path}/"))
    assert (done.code, done.err) == (2, f"error: {REFUSED[pipeline].replace('PATH/', f'{tmp_path}/')}\n")
    assert everything_in(FolderStore(tmp_path / "store")) == {}


def test_a_file_that_is_no_python_is_refused_with_its_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "other.py"
    path.write_text("import math\ndef search(:\n")
    done = fitted(capsys, tmp_path, f"{path}:search")
    assert done.code == 2
    assert done.err.startswith(f"error: --pipeline: importing {path} failed: SyntaxError: ")
    assert f"(line 2 of {path})" in done.err


def test_what_cannot_be_pickled_is_refused_before_the_fit(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, mine: Path
) -> None:
    done = fitted(capsys, tmp_path, f"{mine}:nameless")
    assert done.code == 2
    assert done.err.startswith("error: the pipeline cannot be pickled (")
    assert "fitting" not in done.out


def test_a_change_of_the_file_changes_the_digest_in_the_versions_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, mine: Path
) -> None:
    digests = []
    for text in (MINE, MINE, MINE.replace("[0.1, 1, 10]", "[0.1, 1, 100]")):
        mine.write_text(textwrap.dedent(text))
        import sys

        sys.modules.pop("a_pipeline", None)
        assert fitted(capsys, tmp_path, f"{mine}:search").code == 0
        digests.append(live(tmp_path)[0].version.split("-")[1])
    assert digests[0] == digests[1] != digests[2]
