"""`python -m tests.documents`: writes anew whatever in docs/ is made out of the code, the template and real answers."""

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.documents import api, batch, decided, errors, pages
from tests.serving import serving

errors.DOCUMENT.write_text(errors.text())
decided.DOCUMENT.write_text(decided.text())
pages.write()
with TemporaryDirectory() as folder, serving(Path(folder), "iris", HTTP_CORS_ORIGINS=api.PAGE) as served:
    written = api.rewritten(served)
api.DOCUMENT.write_text(written)
batch.DOCUMENT.write_text(batch.rewritten())
