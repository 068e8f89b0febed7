"""What a run tells while it works: a bar on a terminal, plain lines everywhere. It knows nothing of training."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class Narrator:
    """Tells on standard output; standard error is left to the one line of an error."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(soft_wrap=True)

    def say(self, line: str) -> None:
        """One line, as it is: nothing in it is markup, nothing is wrapped."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def counting(self, what: str, total: int | None) -> Iterator[Callable[[], None]]:
        """Gives a function to call once for each of `total` steps, None where nobody counts them; the bar goes when
        they are done."""
        if not self._console.is_terminal:
            self.say(what)
            yield lambda: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._console, transient=True) as bars:
            task = bars.add_task(what, total=total)
            yield lambda: bars.advance(task)
