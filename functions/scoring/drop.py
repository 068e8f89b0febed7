"""Which objects are drops, and where everything about one lies. Pure: keys in, keys or a reason out."""

import hashlib
import re
from dataclasses import dataclass

from functions.scoring.summary import Input

INCOMING = "incoming/"
SCORED = "scored/"
REJECTED = "rejected/"
ENDINGS = (".csv", ".csv.gz")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class DropPaths:
    """The keys of one drop's objects."""

    incoming: str

    @property
    def scored(self) -> str:
        return SCORED + self.incoming.removeprefix(INCOMING)

    @property
    def rejected(self) -> str:
        return REJECTED + self.incoming.removeprefix(INCOMING)

    @property
    def summary(self) -> str:
        return self.scored + ".summary.json"

    @property
    def claims(self) -> str:
        """What every claim of this key starts with."""
        return self.scored + "."

    def claim(self, drop: Input) -> str:
        """The claim of one drop of this key: a re-upload has another."""
        named = "\0".join((drop.key, drop.etag, drop.version_id or "", drop.last_modified))
        return f"{self.claims}{hashlib.sha256(named.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}.claim.json"

    def is_claim(self, key: str) -> bool:
        return bool(re.fullmatch(re.escape(self.claims) + r"[0-9a-f]{16}\.claim\.json", key))


def why_ignored(bucket: str, key: str, own_bucket: str, prefix: str) -> str | None:
    """Why an object is no drop for this function, in words; None where it is one.

    `key` as the event has it, decoded; `own_bucket` and `prefix` are the data store's.
    """
    if bucket != own_bucket:
        return f"it is in the bucket {bucket!r}; this function scores {own_bucket!r}"
    if not key.startswith(prefix + INCOMING):
        return f"it is outside {prefix}{INCOMING}"
    within = key.removeprefix(prefix)
    if within.endswith("/"):
        return "it is a folder's placeholder"
    if not within.lower().endswith(ENDINGS):
        return "its name ends in neither .csv nor .csv.gz"
    if any(part in ("", ".", "..") for part in within.split("/")) or CONTROL.search(within):
        return "its name has an empty part, a part of dots, or control characters; rename it"
    return None
