"""`python -m tests.documents`: writes docs/errors.md, and the answers in docs/api.md."""

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.documents import api, errors
from tests.serving import serving

errors.DOCUMENT.write_text(errors.text())
with TemporaryDirectory() as folder, serving(Path(folder), "iris", HTTP_CORS_ORIGINS=api.PAGE) as served:
    written = api.rewritten(served)
api.DOCUMENT.write_text(written)
