import pytest

from functions.errors import NotConfigured
from functions.settings import BatchSettings, FanOutSettings, GateSettings, ModelSettings, SiteSettings, StoreSettings

MINIMAL = {"MODEL_STORE": "s3://models", "MODEL_NAME": "iris"}


def test_an_empty_value_counts_as_unset() -> None:
    empty = dict.fromkeys(
        ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION", "MODEL_ALIAS", "MODEL_VERSION",
         "MODEL_REFRESH_SECONDS",
         "DATA_STORE", "BATCH_MAX_REJECTED_SHARE", "BATCH_MAX_RECORD_BYTES", "BATCH_SEPARATOR", "BATCH_PROBABILITIES",
         "BATCH_FANOUT", "FANOUT_PART_BYTES", "GATE_MIN_SCORE", "GATE_MAX_DROP_VS_LIVE"),
        "",
    )  # fmt: skip
    assert StoreSettings.read(empty) == StoreSettings.read({}) == StoreSettings(None, None)
    assert ModelSettings.read(MINIMAL | empty) == ModelSettings("s3://models", "iris", "live", None, 60.0)
    assert BatchSettings.read(MINIMAL | empty) == BatchSettings("s3://models", 0.5, 1024 * 1024, None, False)
    assert FanOutSettings.read(empty) == FanOutSettings(512 * 1024 * 1024)
    assert GateSettings.read(empty) == GateSettings.read({}) == GateSettings(None, None)


def test_how_predict_is_reached_is_read() -> None:
    assert SiteSettings.read({}) == SiteSettings.read({"HTTP_BASE_PATH": "", "HTTP_CORS_ORIGINS": ""})
    assert SiteSettings.read({"HTTP_BASE_PATH": "/v1", "HTTP_CORS_ORIGINS": "https://a.example, http://b,*,"}) == (
        SiteSettings("/v1", ("https://a.example", "http://b", "*"))
    )


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"HTTP_BASE_PATH": "v1"}, "HTTP_BASE_PATH is 'v1'; set it to a path as /v1"),
        ({"HTTP_CORS_ORIGINS": "a.example"},
         "HTTP_CORS_ORIGINS is 'a.example'; set it to https://host, or several, or *"),
    ],
)  # fmt: skip
def test_how_predict_cannot_be_reached_is_refused(environ: dict[str, str], message: str) -> None:
    with pytest.raises(NotConfigured) as refused:
        SiteSettings.read(environ)
    assert str(refused.value) == message


def test_every_setting_is_read() -> None:
    assert ModelSettings.read(
        MINIMAL | {"MODEL_ALIAS": "candidate", "MODEL_VERSION": "7", "MODEL_REFRESH_SECONDS": "5"}
    ) == ModelSettings("s3://models", "iris", "candidate", "7", 5.0)
    assert BatchSettings.read(
        {"DATA_STORE": "s3://drops", "BATCH_MAX_REJECTED_SHARE": "0.1", "BATCH_MAX_RECORD_BYTES": "4096",
         "BATCH_SEPARATOR": "tab", "BATCH_PROBABILITIES": "true", "BATCH_FANOUT": "arn:machine"}
    ) == BatchSettings("s3://drops", 0.1, 4096, "\t", True, "arn:machine")  # fmt: skip
    assert FanOutSettings.read({"FANOUT_PART_BYTES": "1048576"}) == FanOutSettings(1024 * 1024)
    assert GateSettings.read({"GATE_MIN_SCORE": "0.9", "GATE_MAX_DROP_VS_LIVE": "-0.01"}) == GateSettings(0.9, -0.01)
    assert (
        StoreSettings.read({"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_S3": "http://b"}).endpoint == "http://b"
    )
    assert StoreSettings.read({"AWS_DEFAULT_REGION": "eu-central-1"}).region == "eu-central-1"


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "MODEL_STORE is not set; set it to s3://bucket[/prefix] or file:///folder"),
        ({"MODEL_STORE": "s3://models"}, "MODEL_NAME is not set; set it to the model's name in the registry"),
    ],
)
def test_a_missing_setting_is_named_with_what_to_set(environ: dict[str, str], message: str) -> None:
    with pytest.raises(NotConfigured) as refused:
        ModelSettings.read(environ)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("BATCH_MAX_REJECTED_SHARE", "1.5", "BATCH_MAX_REJECTED_SHARE is '1.5'; set it to a number from 0 to 1"),
        ("BATCH_MAX_REJECTED_SHARE", "half", "BATCH_MAX_REJECTED_SHARE is 'half'; set it to a number from 0 to 1"),
        ("BATCH_MAX_REJECTED_SHARE", "nan", "BATCH_MAX_REJECTED_SHARE is 'nan'; set it to a number from 0 to 1"),
        ("BATCH_MAX_RECORD_BYTES", "1", "BATCH_MAX_RECORD_BYTES is '1'; set it to a number from 64 to 67108864"),
        ("BATCH_PROBABILITIES", "yes", "BATCH_PROBABILITIES is 'yes'; set it to true or false"),
        ("BATCH_SEPARATOR", "ab",
         "BATCH_SEPARATOR is 'ab'; set it to one ASCII character that no number holds (no letter, digit, sign, dot, "
         "quote or space), or tab, comma, semicolon"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_read_is_refused_with_what_it_may_be(name: str, value: str, message: str) -> None:
    with pytest.raises(NotConfigured) as refused:
        BatchSettings.read(MINIMAL | {name: value})
    assert str(refused.value) == message


@pytest.mark.parametrize("value", [*"\"' \r\n\0.+-5eEnX", "é", ", "])
def test_a_separator_that_stands_in_numbers_or_around_cells_is_refused(value: str) -> None:
    with pytest.raises(NotConfigured, match=r"set it to one ASCII character that no number holds"):
        BatchSettings.read(MINIMAL | {"BATCH_SEPARATOR": value})


@pytest.mark.parametrize("value", [*"|:;,\t~^#\x01\x1f"])
def test_any_other_character_of_ascii_is_a_separator(value: str) -> None:
    assert BatchSettings.read(MINIMAL | {"BATCH_SEPARATOR": value}).separator == value


@pytest.mark.parametrize("value", ["good", "nan", "inf", "0,9"])
def test_a_gate_that_is_no_number_is_refused(value: str) -> None:
    with pytest.raises(NotConfigured) as refused:
        GateSettings.read({"GATE_MIN_SCORE": value})
    assert str(refused.value) == f"GATE_MIN_SCORE is {value!r}; set it to a number, or to nothing"
