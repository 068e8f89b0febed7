"""The one place that reads the environment. An empty value counts as unset."""

import math
import os
from collections.abc import Mapping

import msgspec

from functions.errors import NotConfigured

MIB = 1024 * 1024


class StoreSettings(msgspec.Struct, frozen=True):
    """How to reach S3 where that differs from AWS's own defaults."""

    endpoint: str | None = None
    region: str | None = None

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "StoreSettings":
        return cls(
            endpoint=environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL") or None,
            region=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or None,
        )


def is_snap_start(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether this environment becomes a snapshot, of which others are made; Lambda says so."""
    return environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"


class ModelSettings(msgspec.Struct, frozen=True):
    """Which model is served, and from where."""

    store: str
    name: str
    alias: str
    version: str | None
    refresh_seconds: float

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "ModelSettings":
        """Raises NotConfigured where MODEL_STORE or MODEL_NAME is missing, or a value cannot be read."""
        return cls(
            store=_needed(environ, "MODEL_STORE", "s3://bucket[/prefix] or file:///folder"),
            name=_needed(environ, "MODEL_NAME", "the model's name in the registry"),
            alias=environ.get("MODEL_ALIAS") or "live",
            version=environ.get("MODEL_VERSION") or None,
            refresh_seconds=_number(environ, "MODEL_REFRESH_SECONDS", 60, 0, 86_400),
        )


class SiteSettings(msgspec.Struct, frozen=True):
    """Under which path predict is reached, and which other sites' pages may read its answers."""

    base_path: str
    cors_origins: tuple[str, ...]

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "SiteSettings":
        """Raises NotConfigured where a value cannot be read."""
        base = environ.get("HTTP_BASE_PATH") or ""
        if base and not base.startswith("/"):
            raise NotConfigured(f"HTTP_BASE_PATH is {base!r}; set it to a path as /v1")
        origins = tuple(
            origin.strip() for origin in (environ.get("HTTP_CORS_ORIGINS") or "").split(",") if origin.strip()
        )
        if any(origin != "*" and not origin.startswith(("http://", "https://")) for origin in origins):
            raise NotConfigured(f"HTTP_CORS_ORIGINS is {','.join(origins)!r}; set it to https://host, or several, or *")
        return cls(base, origins)


class BatchSettings(msgspec.Struct, frozen=True):
    """How drops are scored. Sizes in bytes, shares from 0 to 1. fan_out: the ARN of the state machine that is on."""

    store: str
    max_rejected_share: float
    max_record_bytes: int
    separator: str | None
    probabilities: bool
    fan_out: str | None = None

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ, *, store: str | None = None) -> "BatchSettings":
        """Raises NotConfigured where a value cannot be read. `store`: the data store, where it is known already."""
        store = store or environ.get("DATA_STORE")
        return cls(
            store=store or _needed(environ, "MODEL_STORE", "s3://bucket[/prefix] or file:///folder"),
            max_rejected_share=_number(environ, "BATCH_MAX_REJECTED_SHARE", 0.5, 0.0, 1.0),
            max_record_bytes=int(_number(environ, "BATCH_MAX_RECORD_BYTES", MIB, 64, 64 * MIB)),
            separator=separator_of(environ.get("BATCH_SEPARATOR"), "BATCH_SEPARATOR"),
            probabilities=_flag(environ, "BATCH_PROBABILITIES"),
            fan_out=environ.get("BATCH_FANOUT") or None,
        )


class GateSettings(msgspec.Struct, frozen=True):
    """What a newly trained version must reach before users get it; None where it is not asked for."""

    min_score: float | None
    max_drop: float | None

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "GateSettings":
        """Raises NotConfigured where a value cannot be read."""
        return cls(_finite(environ, "GATE_MIN_SCORE"), _finite(environ, "GATE_MAX_DROP_VS_LIVE"))


class FanOutSettings(msgspec.Struct, frozen=True):
    """How a drop is cut into parts."""

    part_bytes: int

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "FanOutSettings":
        """Raises NotConfigured where a value cannot be read."""
        return cls(int(_number(environ, "FANOUT_PART_BYTES", 512 * MIB, MIB, 5 * 1024 * MIB)))


def _needed(environ: Mapping[str, str], name: str, what: str) -> str:
    value = environ.get(name)
    if not value:
        raise NotConfigured(f"{name} is not set; set it to {what}")
    return value


def _number(environ: Mapping[str, str], name: str, default: float, least: float, most: float) -> float:
    text = environ.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise NotConfigured(f"{name} is {text!r}; set it to a number from {least:.10g} to {most:.10g}")
    return value


def _finite(environ: Mapping[str, str], name: str) -> float | None:
    text = environ.get(name)
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise NotConfigured(f"{name} is {text!r}; set it to a number, or to nothing")
    return value


def _flag(environ: Mapping[str, str], name: str) -> bool:
    text = environ.get(name) or "false"
    if text not in ("true", "false"):
        raise NotConfigured(f"{name} is {text!r}; set it to true or false")
    return text == "true"


NO_SEPARATORS = "\0\r\n \"'+-."  # nor letters and digits: numbers are appended without quotes


def separator_of(text: str | None, name: str) -> str | None:
    """The separator that a setting or an option of this name means; None where it is empty. Raises NotConfigured."""
    named = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}.get(text or "", text) or None
    if named is not None and (len(named) != 1 or named in NO_SEPARATORS or named.isalnum() or not named.isascii()):
        raise NotConfigured(
            f"{name} is {text!r}; set it to one ASCII character that no number holds (no letter, digit, sign, dot, "
            "quote or space), or tab, comma, semicolon"
        )
    return named
