"""docs/train-your-own.md's own commands, typed in a fresh clone, give what the page shows."""

from pathlib import Path

from tests.e2e.reader import free_port, kept_running, steady, type_in, wait_until_listening, wait_until_open
from tests.readme import blocks
from tests.readme import commands as commands_of
from tests.readme import outputs as outputs_of
from tests.tables import customers

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "train-your-own.md"


def commands(heading: str) -> list[str]:
    return commands_of(heading, PAGE)


def shell(heading: str) -> str:
    """All that is to be typed under a heading, as it stands."""
    return "".join(one.text for one in blocks(PAGE) if one.heading == heading and one.language == "sh")


def shown(heading: str) -> list[str]:
    return [steady(text) for text in outputs_of(heading, PAGE)]


def test_from_the_csv_to_answers(clone: Path) -> None:
    assert [steady(type_in(clone, shell("")))] == shown("")
    assert [steady(type_in(clone, shell("Fit and publish")))] == shown("Fit and publish")
    serve, *asked = commands("Serve it")
    port = free_port()
    with kept_running(clone, serve, PORT=str(port)):
        wait_until_open(port)
        told = [type_in(clone, command.replace("8080", str(port))) for command in asked[:2]]
    scored = type_in(clone, "\n".join(asked[2:]))
    assert [steady("\n".join(told)), steady(scored)] == shown("Serve it")


def test_columns_are_what_the_options_say(clone: Path) -> None:
    first, second = (type_in(clone, command) for command in commands("Say what columns are"))
    assert "age          category  feature        0        61  as --type says\n" in first
    assert "city                   dropped                     as --drop says\n" in first
    assert "joined       date      time           0       297\n" in second
    assert "59 of 297 rows held out, the latest\n" in second


def test_numbers_are_predicted_models_compared_and_a_pipeline_of_ones_own_is_taken(clone: Path) -> None:
    assert [steady(type_in(clone, shell("Predict a number")))] == shown("Predict a number")
    compared = type_in(clone, shell("Compare models"))
    assert "fitting 5 linear, 3 forest, 4 boosting candidates in 3 folds\n" in compared
    own = type_in(clone, shell("Bring your own pipeline"))
    assert "running RandomizedSearchCV\n" in own
    assert "served by its ONNX twin" in own


def test_several_processes_and_a_cluster_fit_it_too(clone: Path) -> None:
    several, scheduler, workers, on_them = commands("More than one core, more than one machine")
    assert "no alias was moved" in type_in(clone, several)
    port = str(free_port())
    with kept_running(clone, scheduler.replace("8786", port)):
        wait_until_listening(int(port))
        with kept_running(clone, workers.replace("8786", port)):
            assert "on 2 Dask workers\n" in type_in(clone, on_them.replace("8786", port))


def test_every_command_of_the_page_is_typed() -> None:
    typed = {"", "Fit and publish", "Serve it", "Say what columns are", "Predict a number", "Compare models"}
    typed |= {"Bring your own pipeline", "More than one core, more than one machine"}
    assert {one.heading for one in blocks(PAGE) if one.language == "sh"} == typed


def test_the_pages_table_is_the_one_that_the_tests_make(tmp_path: Path) -> None:
    made = customers(tmp_path / "customers.csv").read_bytes().replace(b"\r\n", b"\n")
    assert made == (PROJECT / "data" / "customers.csv").read_bytes()
