"""`--parameter-overrides` as SAM's own parser reads it, in SAM's own environment; it knows no template and no page."""

import json
import subprocess
from collections.abc import Sequence
from typing import Any

import pytest

from tests.template import ROOT

PARSER = (
    "import json, sys; from samcli.cli.types import CfnParameterOverridesType as Type; "
    "read = Type().convert(tuple(sys.argv[1:]), None, None); "
)


def overrides(words: Sequence[str]) -> dict[str, str]:
    """Name -> value, of the words that a shell hands to SAM."""
    read: dict[str, str] = asked_of_sam("print(json.dumps(read))", words)
    return read


def asked_of_sam(script: str, words: Sequence[str]) -> Any:
    """What Python prints as JSON once SAM's parser has `read` the words."""
    ran = subprocess.run(
        [python_of_sam(), "-c", PARSER + script, *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(ran.stdout)


def python_of_sam() -> str:
    """Skips the test where SAM is not installed."""
    python = ROOT / ".venv-sam" / "bin" / "python"
    if not python.exists():
        pytest.skip("there is no SAM command line; run: make sam-environment")
    return str(python)
