from pathlib import Path

import pytest

from functions.registry.folder import FolderStore
from functions.registry.memory import MemoryStore
from functions.scoring.drop import DropPaths, why_ignored
from functions.scoring.summary import Input

DROPS = MemoryStore("drops")
TEAM = MemoryStore("drops", "team/one/")
DROP = Input("incoming/a/b.csv", '"e"', "2026-11-22T19:52:07.000000+00:00", "v1", 7)


@pytest.mark.parametrize(
    "name",
    [
        "x.csv", "x.csv.gz", "x.CSV", "x.Csv.GZ", "a/b/c.csv", "a b.csv", "a+b.csv", "a%2Fb.csv", "ü/日.csv", ".csv",
        "x.csv.csv", "..x.csv",
    ],
)  # fmt: skip
def test_csv_files_under_incoming_are_drops(name: str) -> None:
    assert why_ignored("drops", f"incoming/{name}", DROPS) is None
    assert why_ignored("drops", f"team/one/incoming/{name}", TEAM) is None


UNUSABLE = "cannot be a key here: a part is empty, '.' or '..', or a character is a control; rename it"


@pytest.mark.parametrize(
    ("bucket", "key", "why"),
    [
        ("other", "incoming/x.csv", "it is in the bucket 'other'; this function scores 'drops'"),
        ("drops", "scored/x.csv", "it is outside incoming/"),
        ("drops", "rejected/x.csv", "it is outside incoming/"),
        ("drops", "x.csv", "it is outside incoming/"),
        ("drops", "incoming", "it is outside incoming/"),
        ("drops", "Incoming/x.csv", "it is outside incoming/"),
        ("drops", "incoming/", "it is a folder's placeholder"),
        ("drops", "incoming/x/", "it is a folder's placeholder"),
        ("drops", "incoming/x.csv/", "it is a folder's placeholder"),
        ("drops", "incoming/x.txt", "its name ends in neither .csv nor .csv.gz"),
        ("drops", "incoming/x.gz", "its name ends in neither .csv nor .csv.gz"),
        ("drops", "incoming/x.csv.tmp", "its name ends in neither .csv nor .csv.gz"),
        ("drops", "incoming/x.csv.summary.json", "its name ends in neither .csv nor .csv.gz"),
    ],
)
def test_everything_else_is_ignored_with_the_reason(bucket: str, key: str, why: str) -> None:
    assert why_ignored(bucket, key, DROPS) == why


@pytest.mark.parametrize("key", ["incoming//x.csv", "incoming/../x.csv", "incoming/./x.csv", "incoming/a\nb.csv"])
def test_names_that_no_store_can_hold_are_ignored_and_not_retried_for_ever(key: str) -> None:
    why = why_ignored("drops", key, DROPS)
    assert why == f"{key!r} {UNUSABLE}"


def test_a_name_too_long_for_a_folder_is_ignored_there(tmp_path: Path) -> None:
    folder = FolderStore(tmp_path / "drops")
    fits = "incoming/" + "é" * 111 + ".csv"
    longer = "incoming/" + "é" * 112 + ".csv"
    assert why_ignored("drops", fits, folder) is None
    folder.put(DropPaths(fits).claim_of("0" * 16), b"")
    assert why_ignored("drops", longer, folder) == "its name is too long for the names of its results; rename it"
    assert why_ignored("drops", longer, DROPS) is None


def test_a_name_too_long_for_its_claim_is_ignored() -> None:
    parts = "/".join(["x" * 100] * 9)
    assert why_ignored("drops", f"team/one/incoming/{parts}/{'y' * 70}.csv", TEAM) == (
        "its name is too long for the names of its results; rename it"
    )
    assert why_ignored("drops", f"incoming/{parts}/{'y' * 70}.csv", DROPS) is None
    assert why_ignored("drops", f"incoming/{parts}/{'y' * 90}.csv", DROPS) == (
        "its name is too long for the names of its results; rename it"
    )


def test_a_drops_objects_lie_beside_each_other() -> None:
    paths = DropPaths("incoming/a/b.csv.GZ")
    assert (paths.scored, paths.rejected, paths.summary) == (
        "scored/a/b.csv.GZ",
        "rejected/a/b.csv.GZ",
        "scored/a/b.csv.GZ.summary.json",
    )


def test_each_drop_of_a_key_has_its_own_claim() -> None:
    paths = DropPaths(DROP.key)
    drops = [
        DROP,
        Input(DROP.key, '"f"', DROP.last_modified, "v1", 7),
        Input(DROP.key, '"e"', "2026-11-22T19:52:08.000000+00:00", "v1", 7),
        Input(DROP.key, '"e"', DROP.last_modified, "v2", 7),
        Input(DROP.key, '"e"', DROP.last_modified, None, 7),
    ]
    claims = {paths.claim(drop) for drop in drops}
    assert len(claims) == len(drops)
    assert all(paths.is_claim(claim) for claim in claims)
    assert paths.claim(DROP) == paths.claim(Input(DROP.key, '"e"', DROP.last_modified, "v1", 7))


@pytest.mark.parametrize(
    "key",
    [
        "scored/a/b.csv.gz.0123456789abcdef.claim.json",
        "scored/a/b.csv.0123456789ABCDEF.claim.json",
        "scored/a/b.csv.0123456789abcdef.claim.json.more",
        "scored/a/b.csv.summary.json",
        "scored/a/bxcsv.0123456789abcdef.claim.json",
    ],
)
def test_nothing_else_is_a_claim(key: str) -> None:
    assert not DropPaths("incoming/a/b.csv").is_claim(key)
