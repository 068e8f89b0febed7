"""Shared libraries of packages are found and opened, or it is said which is missing."""

import subprocess
import sys
from pathlib import Path

import pytest

from functions import libraries
from tests.conftest import PROJECT


def test_a_library_is_found_without_importing_its_package() -> None:
    program = (
        "import sys\n"
        "from functions import libraries\n"
        "print(libraries.path_of('onnxruntime', 'capi', 'libonnxruntime.so'))\n"
        "print('onnxruntime' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    path, imported = done.stdout.splitlines()
    assert Path(path).is_file()
    assert imported == "False"


@pytest.mark.parametrize(("package", "folder"), [("nobody_has_this", "capi"), ("onnxruntime", "no_such_folder")])
def test_what_is_not_there_is_named(package: str, folder: str) -> None:
    with pytest.raises(ImportError, match=f"there is no {package} here with its {folder}/libx"):
        libraries.path_of(package, folder, "libx")


def test_a_file_that_is_no_library_says_so(tmp_path: Path) -> None:
    broken = tmp_path / "libbroken.so"
    broken.write_bytes(b"no library")
    with pytest.raises(OSError, match=r"libbroken\.so"):
        libraries.opened(str(broken))


def test_a_head_start_that_cannot_be_had_is_no_error(capfd: pytest.CaptureFixture[str]) -> None:
    libraries.begin_to_open("nobody_has_this", "capi", "libx")
    libraries.begin_to_open("obstore", "", "_obstore")
    import obstore

    assert hasattr(obstore, "put")
    assert capfd.readouterr() == ("", "")


def test_a_library_whose_code_was_given_back_goes_on_working() -> None:
    program = (
        "from array import array\n"
        "from functions import libraries\n"
        "from functions.inference.onnx_runtime import LEAST_MODEL, Session, Tensor\n"
        "def resident():\n"
        "    with open('/proc/self/statm') as file:\n"
        "        return int(file.read().split()[1])\n"
        "session = Session(LEAST_MODEL)\n"
        "run = lambda: session.run([Tensor('double', (1,), array('d', [1.5]))])[0].tolist()\n"
        "print(run())\n"
        "before = resident()\n"
        "libraries.give_back('onnxruntime')\n"
        "print(before - resident() > 1000, run())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[1.5]\nTrue [1.5]\n", "")
