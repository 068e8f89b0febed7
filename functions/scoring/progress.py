"""What a person at a terminal sees while a file is scored: a bar on standard error, where rich is installed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from functions.scoring.files import Source

if TYPE_CHECKING:
    from rich.progress import Progress

REFRESHES = 4  # a second: each is drawn by another thread, which holds the interpreter for some milliseconds


@contextmanager
def shown(source: Source, screen: TextIO | None, *, beside: TextIO | None = None) -> Iterator[Iterator[bytes]]:
    """The source's chunks, which move a bar on `screen` as they are taken: bytes of all, rate, time left.

    Nothing is shown where `screen` is no terminal, where `beside`, to which rows go, is one too, or without rich.
    """
    bar = None if not _is_terminal(screen) or _is_terminal(beside) else _bar(screen)
    if bar is None:
        yield source.chunks
        return
    with bar:
        task = bar.add_task("scoring", total=source.size)

        def moving() -> Iterator[bytes]:
            done = 0
            for chunk in source.chunks:
                yield chunk
                done += len(chunk)  # the next one is asked for: this one is taken
                bar.update(task, completed=done)

        yield moving()


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()


def _bar(screen: TextIO | None) -> "Progress | None":
    """None where rich is not installed, as in the function images."""
    try:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )
    except ImportError:
        return None
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(
        *columns,
        console=Console(file=screen),
        refresh_per_second=REFRESHES,
        transient=True,
        redirect_stdout=False,  # standard output holds rows
        redirect_stderr=False,
    )
