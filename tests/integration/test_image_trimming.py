"""What images/trim.py takes out of a folder of packages, and what it leaves."""

import shutil
import subprocess
import sys
from pathlib import Path

import botocore
import pytest

from images.trim import leave_to, trim


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder as pip installs into it."""
    folder = tmp_path / "python"
    for path, text in {
        "tool/__init__.py": "def where():\n    return where.__code__.co_filename\n",
        "tool/__pycache__/__init__.cpython-311.pyc": "old",
        "tool/table.json": "{}",
        "tool/fast.pyi": "",
        "tool/tests/test_tool.py": "",
        "tool/include/LICENSE.txt": "a licence",
        "tool/include/tool.h": "",
        "tool-1.0.dist-info/METADATA": "Name: tool",
        "tool-1.0.dist-info/RECORD": "",
        "tool-1.0.dist-info/licenses/include/tests/LICENSE": "another",
        "broken.py": "def",
        "bin/tool": "",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_bytecode_data_metadata_and_licences_stay_and_the_rest_goes(packages: Path) -> None:
    trim(packages, "/opt/python")
    assert files(packages) == [
        "broken.py",  # cannot be compiled, so it fails where it is imported, as before
        "tool-1.0.dist-info/METADATA",
        "tool-1.0.dist-info/licenses/include/tests/LICENSE",
        "tool/__init__.pyc",
        "tool/include/LICENSE.txt",
        "tool/table.json",
    ]
    assert not any(path.is_dir() and not any(path.iterdir()) for path in packages.rglob("*"))


def test_what_is_left_is_imported_without_its_source_and_says_where_it_lies_in_the_image(packages: Path) -> None:
    trim(packages, "/opt/python")
    asked = [
        sys.executable,
        "-I",
        "-c",
        f"import sys; sys.path[:0] = [{str(packages)!r}]; import tool; print(tool.where())",
    ]
    ran = subprocess.run(asked, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("/opt/python/tool/__init__.py\n", "")


def test_a_file_that_another_folder_has_is_left_to_it(packages: Path, tmp_path: Path) -> None:
    trim(packages, "/opt/python")
    other = tmp_path / "other"
    for path in ("tool/__init__.pyc", "tool-1.0.dist-info/METADATA"):
        (other / path).parent.mkdir(parents=True, exist_ok=True)
        (other / path).write_text("the same")
    leave_to(packages, other)
    assert files(packages) == [
        "broken.py",
        "tool-1.0.dist-info/licenses/include/tests/LICENSE",
        "tool/include/LICENSE.txt",
        "tool/table.json",
    ]


def test_two_locks_that_disagree_make_no_image(packages: Path, tmp_path: Path) -> None:
    (tmp_path / "other" / "tool-2.0.dist-info").mkdir(parents=True)
    with pytest.raises(SystemExit, match=r"^the locks disagree on tool-2\.0; run: make lock$"):
        leave_to(packages, tmp_path / "other")


def test_botocore_keeps_the_services_that_are_asked_for_and_works_with_them(tmp_path: Path) -> None:
    packages = tmp_path / "python"
    for name in ("botocore", "jmespath", "urllib3", "dateutil", "six.py"):
        installed = Path(botocore.__file__).parents[1] / name
        if installed.is_dir():
            shutil.copytree(installed, packages / name, ignore=shutil.ignore_patterns("__pycache__", "ec2", "iot*"))
        else:
            shutil.copy(installed, packages / name)
    trim(packages, "/opt/python")
    data = packages / "botocore" / "data"
    assert sorted(path.name for path in data.iterdir() if path.is_dir()) == ["s3", "stepfunctions", "sts"]
    asked = (
        f"import sys; sys.path[:0] = [{str(packages)!r}]\n"
        "from botocore.session import Session\n"
        "def client(name): return Session().create_client(name, region_name='eu-central-1')\n"
        "print(client('s3').can_paginate('list_multipart_uploads'), client('stepfunctions').meta.endpoint_url)\n"
        "print(client('s3').__class__.__module__, sys.modules['botocore'].__file__)\n"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", asked], capture_output=True, text=True)
    assert (ran.stdout.splitlines(), ran.stderr) == (
        [
            "True https://states.eu-central-1.amazonaws.com",
            f"botocore.client {packages / 'botocore' / '__init__.pyc'}",
        ],
        "",
    )
