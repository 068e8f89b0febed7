"""Where things lie in the bucket. Nothing else spells a key."""

import string

from functions.errors import NotConfigured

FIRST = frozenset(string.ascii_letters + string.digits)
NEXT = FIRST | frozenset("._-")
LONGEST = 128
MANIFEST = "manifest.json"
TWIN = "model.onnx"


def version_folder(name: str, version: str) -> str:
    """`models/<name>/versions/<version>/`. Raises NotConfigured for a name that cannot be part of a key."""
    return f"models/{_checked('model name', name)}/versions/{_checked('version', version)}/"


def alias_key(name: str, alias: str) -> str:
    """`models/<name>/aliases/<alias>.json`."""
    return f"models/{_checked('model name', name)}/aliases/{_checked('alias', alias)}.json"


def history_folder(name: str, alias: str) -> str:
    """`models/<name>/aliases/<alias>.history/`: what the alias named before, one object for each time."""
    return f"models/{_checked('model name', name)}/aliases/{_checked('alias', alias)}.history/"


def pin_key(name: str, version: str) -> str:
    """`models/<name>/pins/<version>.json`."""
    return f"models/{_checked('model name', name)}/pins/{_checked('version', version)}.json"


def evidence_key(name: str, run: str) -> str:
    """`models/<name>/evidence/<run>.json`: what a run of training leaves for a gate."""
    return f"models/{_checked('model name', name)}/evidence/{_checked('name of a run', run)}.json"


def model_folder(name: str) -> str:
    """`models/<name>/`: everything there is of the model."""
    return f"models/{_checked('model name', name)}/"


def _checked(what: str, name: str) -> str:
    if not (0 < len(name) <= LONGEST and name[0] in FIRST and NEXT.issuperset(name)):
        raise NotConfigured(f"{name!r} is no {what}; use letters, digits, dots, dashes and underscores")
    return name
