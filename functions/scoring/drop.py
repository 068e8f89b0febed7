"""Which objects are drops, and where everything about one lies. Pure: keys in, keys or a reason out."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from functions.errors import StoreError
from functions.registry.store import LONGEST_KEY, Store, checked
from functions.scoring.summary import Input

INCOMING = "incoming/"
SCORED = "scored/"
REJECTED = "rejected/"
ENDINGS = (".csv", ".csv.gz")
DIGITS = 16  # of the digest that names a drop


def digest_of(drop: Input) -> str:
    """A name for one drop: a re-upload of the same bytes has another."""
    named = "\0".join((drop.key, drop.etag, drop.version_id or "", drop.last_modified))
    return hashlib.sha256(named.encode()).hexdigest()[:DIGITS]


@dataclass(frozen=True, slots=True)
class PartPaths:
    """The keys of what one part of a drop keeps aside; none is longer than that of the claim."""

    beginning: str

    @property
    def opening(self) -> str:
        """The first bytes of its output."""
        return self.beginning + "part"

    @property
    def rejected(self) -> str:
        return self.beginning + "rows"

    @property
    def done(self) -> str:
        """What it came to, written last."""
        return self.beginning + "done"


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
        return self.claim_of(digest_of(drop))

    def claim_of(self, digest: str) -> str:
        return f"{self.claims}{digest}.claim.json"

    def plan(self, digest: str) -> str:
        """How one drop is cut into parts, while it is."""
        return f"{self.claims}{digest}.plan.json"

    def pieces(self, digest: str) -> str:
        """What its upload was completed with, so that an attempt after that knows the object for its own."""
        return f"{self.claims}{digest}.join.json"

    def plans(self, keys: Iterable[str]) -> list[str]:
        """Those of the keys that are plans for this one."""
        return [key for key in keys if re.fullmatch(re.escape(self.claims) + rf"[0-9a-f]{{{DIGITS}}}\.plan\.json", key)]

    def part(self, digest: str, number: int) -> "PartPaths":
        return PartPaths(f"{self.claims}{digest}.{number:05}.")

    def kept_aside(self, digest: str, keys: Iterable[str]) -> list[str]:
        """Those of the keys that are what a run in parts keeps aside for one drop, beside its plan."""
        pattern = re.escape(f"{self.claims}{digest}.") + r"([0-9]{5}\.(part|rows|done)|join\.json)"
        return [key for key in keys if re.fullmatch(pattern, key)]

    def is_claim(self, key: str) -> bool:
        return bool(re.fullmatch(re.escape(self.claims) + rf"[0-9a-f]{{{DIGITS}}}\.claim\.json", key))


def why_ignored(bucket: str, key: str, store: Store) -> str | None:
    """Why an object is no drop for the function with this data store, in words; None where it is one.

    `bucket` and `key` as the event has them, decoded. The store is asked for its names only.
    """
    if bucket != store.bucket:
        return f"it is in the bucket {bucket!r}; this function scores {store.bucket!r}"
    if not key.startswith(store.prefix + INCOMING):
        return f"it is outside {store.prefix}{INCOMING}"
    within = key.removeprefix(store.prefix)
    if within.endswith("/"):
        return "it is a folder's placeholder"
    if not within.lower().endswith(ENDINGS):
        return "its name ends in neither .csv nor .csv.gz"
    try:
        checked(within)
    except StoreError as error:
        return f"{error.message}; rename it"
    longest = (store.prefix + DropPaths(within).claim_of("0" * DIGITS)).encode()
    if len(longest) > LONGEST_KEY or len(longest.rpartition(b"/")[2]) > store.longest_part:
        return "its name is too long for the names of its results; rename it"
    return None
