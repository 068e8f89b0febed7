"""What every suite shares: a test that needs a part of the machine skips where it is missing, and fails in CI."""

import os
import signal
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

PROJECT = Path(__file__).parent.parent
IN_CI = os.environ.get("CI", "").lower() in ("1", "true")

settings.register_profile("untimed", deadline=None)  # machines are noisy
settings.load_profile("untimed")


def pytest_configure() -> None:
    # A shell has what it starts in the background ignore Ctrl-C, and so do all that come of it: what the tests stop
    # as its user would is not to be in that state, wherever they themselves run.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_a_skip_in_ci(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_a_skip_in_ci(report)
    return report


def _fail_a_skip_in_ci(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Whoever asked for it: one test, or a whole file."""
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.longrepr = f"skipped, which CI does not allow: {reason}"


@pytest.fixture(scope="session")
def docker() -> str:
    """The docker client of a daemon that answers."""
    client = str(PROJECT / ".ci" / "docker")
    try:
        answers = subprocess.run([client, "info"], capture_output=True, timeout=60).returncode == 0
    except subprocess.TimeoutExpired:
        answers = False
    if not answers:
        pytest.skip("no Docker daemon answers; run: make provision")
    return client


@pytest.fixture(scope="session")
def minio_binary() -> Path:
    """The MinIO server's program."""
    found = subprocess.run([PROJECT / ".ci" / "find-minio"], capture_output=True, text=True)
    if found.returncode != 0:
        pytest.skip("there is no MinIO server; run: make provision")
    return Path(found.stdout.strip())
