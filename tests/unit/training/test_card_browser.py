"""The model card in a real browser, where one is at hand: it has nothing to complain about and fits its window."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.card_pages import files

BROWSERS = [found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))]
MEASURE = (
    "<script>document.title = [document.documentElement.scrollWidth, innerWidth,"
    " getComputedStyle(document.body).backgroundColor].join(' ')</script>"
)


# No browser is provisioned, so where there is none there is nothing to skip: the cases are not there.
@pytest.mark.parametrize("name", ["iris", "mixed", "diabetes", "100 classes"] if BROWSERS else ["iris"])
@pytest.mark.parametrize(("width", "dark"), [(1100, False), (520, True)] if BROWSERS else [(1100, False)])
def test_a_browser_shows_the_card_without_a_word_of_complaint(
    tmp_path: Path, name: str, width: int, dark: bool
) -> None:
    body = files(name)["report.html"]
    if not BROWSERS:
        assert body.startswith(b"<!doctype html>")
        return
    # Only in this copy a script may run, for it says how wide the page came out.
    policy = re.compile(rb'<meta http-equiv="Content-Security-Policy"[^>]*>')
    assert policy.search(body)
    (tmp_path / "card.html").write_bytes(body)
    (tmp_path / "measured.html").write_bytes(policy.sub(b"", body).replace(b"</body>", MEASURE.encode() + b"</body>"))
    told = show(tmp_path, "card.html", width, dark)
    assert "CONSOLE" not in told.stderr
    measured = show(tmp_path, "measured.html", width, dark)
    title = re.search(r"<title>(\d+) (\d+) (rgb\([\d, ]+\))</title>", measured.stdout)
    assert title
    assert int(title[1]) <= int(title[2])
    assert title[3] == ("rgb(20, 23, 28)" if dark else "rgb(255, 255, 255)")


def show(folder: Path, page: str, width: int, dark: bool) -> subprocess.CompletedProcess[str]:
    """The page's DOM on standard output, what the browser logs on standard error."""
    return subprocess.run(
        [
            BROWSERS[0], "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom",
            f"--user-data-dir={folder / 'profile'}", f"--window-size={width},900",
            *(["--blink-settings=preferredColorScheme=0"] if dark else []), (folder / page).as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )  # fmt: skip
