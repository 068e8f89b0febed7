"""Where the pandas programs read and write: paths, or objects by way of the disk, as boto3 moves them fastest."""

import tempfile
from contextlib import contextmanager


@contextmanager
def fetched(place):
    """A path with what is at `place`."""
    if not place.startswith("s3://"):
        yield place
        return
    with tempfile.NamedTemporaryFile() as file:
        _client().download_file(*_parts(place), file.name)
        yield file.name


@contextmanager
def delivered(place):
    """A path; what is written there goes to `place`."""
    if not place.startswith("s3://"):
        yield place
        return
    with tempfile.NamedTemporaryFile() as file:
        yield file.name
        _client().upload_file(file.name, *_parts(place))


def _client():
    import boto3

    return boto3.client("s3")


def _parts(place):
    bucket, _, key = place.removeprefix("s3://").partition("/")
    return bucket, key
