"""The documents under docs/ that the code writes: `make docs` writes them, the tests compare."""
