"""Every page and picture that is made without running anything, as it is now. It knows no page's content."""

from pathlib import Path

from tests.documents import deploy, operate, reference, rooms_picture, security, stack_picture
from tests.documents.marked import rewritten

PAGES = (deploy, operate, security, reference)
PICTURES = (stack_picture, rooms_picture)


def made() -> dict[Path, str]:
    """File -> what is to stand in it. Raises WordsDiffer, ValueError."""
    pages = {page.DOCUMENT: rewritten(page.DOCUMENT, page.PARTS) for page in PAGES}
    return pages | {picture.PICTURE: picture.text() for picture in PICTURES}


def write() -> None:
    for file, text in made().items():
        file.write_text(text, encoding="utf-8")
