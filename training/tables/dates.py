"""Which texts are dates, and the moment each stands for. A date is no feature: see `training.tables.kinds`."""

import re
from datetime import UTC, datetime

from training.endings import Mistake

DATE = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}))"  # 2026-11-23, 23.11.2026, 11/23/26
    r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AaPp][Mm])?(?:Z|[+-]\d{2}:?\d{2})?)?"
)


def is_date(text: str) -> bool:
    """Whether it is spelled as people spell dates, with or without a time of day; the year has four digits or two."""
    word = text.strip(" \t")
    return DATE.fullmatch(word) is not None and any(1 <= int(part) <= 12 for part in re.findall(r"\d+", word)[:3])


def moment(text: str) -> float:
    """Seconds since 1970 of an ISO 8601 date or time, UTC where it names no zone. Raises Mistake for other texts."""
    try:
        found = datetime.fromisoformat(text.strip(" \t"))
    except ValueError:
        raise Mistake("write it as ISO 8601 (2026-11-23, 2026-11-23T08:15:00Z), or as a number") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
