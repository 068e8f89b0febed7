"""Where things lie in the bucket. Nothing else spells a key."""

import re

from functions.errors import NotConfigured

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
MANIFEST = "manifest.json"


def version_folder(name: str, version: str) -> str:
    """`models/<name>/versions/<version>/`. Raises NotConfigured for a name that cannot be part of a key."""
    return f"models/{_checked('model name', name)}/versions/{_checked('version', version)}/"


def alias_key(name: str, alias: str) -> str:
    """`models/<name>/aliases/<alias>.json`."""
    return f"models/{_checked('model name', name)}/aliases/{_checked('alias', alias)}.json"


def _checked(what: str, name: str) -> str:
    if not NAME.fullmatch(name):
        raise NotConfigured(f"{name!r} is no {what}; use letters, digits, dots, dashes and underscores")
    return name
