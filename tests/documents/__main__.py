"""`python -m tests.documents`: writes docs/errors.md, the answers in docs/api.md, the outputs in docs/batch.md."""

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.documents import api, batch, errors
from tests.serving import serving

errors.DOCUMENT.write_text(errors.text())
with TemporaryDirectory() as folder, serving(Path(folder), "iris", HTTP_CORS_ORIGINS=api.PAGE) as served:
    written = api.rewritten(served)
api.DOCUMENT.write_text(written)
batch.DOCUMENT.write_text(batch.rewritten())
