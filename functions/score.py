"""The door of the command line: a CSV in, a scored CSV out, by the loop and the contract of dropped files.

0   done
1   the environment failed: the store, the network, credentials, permissions, a full disk
2   the user's mistake: arguments, or a file that cannot be scored; too large a share of rows rejected
130 stopped by SIGINT, 143 by SIGTERM; an output that was not finished does not appear
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from functions import wiring
from functions.errors import DropRefused, ModelNotFound, NotConfigured, ServingError, words_of
from functions.scoring.files import STANDARD, Mistake, goes_out_at_once, is_input, same_place, standard_by_any_name

if TYPE_CHECKING:
    from functions.scoring.run import Run, Scored  # it imports numpy, which starts threads unless told not to

EPILOG = """\
examples:
  score --model s3://models --name iris day.csv day.scored.csv
  score model.joblib day.csv > day.scored.csv
  zcat day.csv.gz | score --model ./bucket - s3://results/day.csv

exit codes:
  0    done
  1    the store, the network, the disk or the model failed
  2    the arguments, the file or too large a share of its rows are wrong; or rows were rejected and not kept
  130  stopped by Ctrl-C; 143 by SIGTERM: an output that was not finished does not appear

An input of any size is read in pieces. On a terminal a bar shows how far it is, where the package rich is installed.
"""

DONE = 0
ENVIRONMENT = 1
MISTAKE = 2


class Stopped(BaseException):
    """A signal asked to stop. Not an Exception, so that nothing on the way takes it for a failure."""

    def __init__(self, number: int) -> None:
        super().__init__("stopped")
        self.exit_code = 128 + number


def main(arguments: Sequence[str]) -> int:
    """Runs the command; gives its exit code. Everything but the scored rows goes to standard error."""
    given = _given(arguments)
    try:
        given.output = standard_by_any_name(given.output)
        rejected = _rejected(given)
        started = time.perf_counter()
        run = wiring.scoring_run(
            model=given.model,
            name=given.name,
            alias=given.alias,
            version=given.version,
            trust=given.trust,
            tell=_tell,
            separator=given.separator,
            probabilities=given.probabilities,
        )
        done = run.score(given.input, given.output, rejected)
    except (Mistake, NotConfigured, DropRefused, ModelNotFound) as error:
        return _end(error, MISTAKE)
    except BrokenPipeError:  # whoever read our output has had enough; there is nobody to write the rest to
        if sys.stdout is not None:  # what is left of it would be tried again at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _end(Mistake("nobody reads the output any more"), ENVIRONMENT)
    except (ServingError, OSError) as error:
        return _end(error, ENVIRONMENT)
    except Stopped as error:
        return _end(error, error.exit_code)
    _tell(f"{_summary(done, given, rejected, run)} in {time.perf_counter() - started:.1f} s")
    if done.rejected and rejected is None:
        return _end(Mistake("the rejected rows were not kept; say where they go with --rejected"), MISTAKE)
    if done.failed:
        return _end(Mistake("too large a share of rows was rejected (BATCH_MAX_REJECTED_SHARE)"), MISTAKE)
    return DONE


def _given(arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments as they are meant: without --model, the first of the names is the model's."""
    parser = _parser()
    given = parser.parse_intermixed_args(arguments)
    names: list[str] = given.names
    if given.model is None:
        given.model = names.pop(0)
        if not names:
            parser.error(
                f"no input: {given.model} is taken for the model, as --model names none; say: score MODEL INPUT"
            )
    if len(names) > 2:
        parser.error(f"there are {len(names)} files ({', '.join(names)}); name an input and an output")
    if not given.model:
        parser.error("the model's name is empty; name a store or a .joblib file")
    given.input, given.output = (*names, STANDARD)[:2]
    return given


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="score",
        usage="score --model MODEL [options] INPUT [OUTPUT]\n       score [options] MODEL INPUT [OUTPUT]",
        description="Scores a CSV. Every row comes out unchanged with its prediction appended; rows that cannot be "
        "scored go to the rejected file with line and reason.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="+", metavar="INPUT, OUTPUT",
        help="each a path, s3://bucket/key, or - for standard input and output (without OUTPUT: standard output); "
        "gzip is told by its bytes, and gives gzip",
    )  # fmt: skip
    parser.add_argument("--model", help="a store (s3://bucket[/prefix], a folder) or a .joblib file")
    parser.add_argument("--name", help="which model of the store; needed where there are several")
    parser.add_argument("--alias", default="live", help="which alias of it (default: live)")
    parser.add_argument("--version", help="which version of it, instead of an alias")
    parser.add_argument(
        "--trust", action="store_true",
        help="unpickle a .joblib that has no manifest beside it: whatever is in it is run, and nothing about it is "
        "checked; what that means is told",
    )  # fmt: skip
    parser.add_argument(
        "--rejected",
        help="where rejected rows go (default: <output>.rejected.csv beside a file or an object; from standard output, "
        "a pipe or a device they are not kept)",
    )  # fmt: skip
    parser.add_argument("--separator", help="for a header that does not tell it; else BATCH_SEPARATOR")
    parser.add_argument("--probabilities", action="store_true", help="append a column for each class, too")
    return parser


def _rejected(given: Any) -> str | None:
    """None where nobody said and there is no place to guess. Raises Mistake where one place would be written twice."""
    wanted: str | None = given.rejected
    at_once = goes_out_at_once(given.output)
    if wanted is not None:
        wanted = standard_by_any_name(wanted)
    elif not at_once:
        wanted = f"{given.output}.rejected.csv" + (".gz" if given.output.lower().endswith(".gz") else "")
    if at_once and is_input(given.output, given.input):  # a whole file or object may take the input's place, at the end
        raise Mistake(f"scored rows cannot go to {given.output}, which is the input, while it is read; name a file")
    if wanted is not None and same_place(wanted, given.output):
        raise Mistake(f"scored and rejected rows cannot both go to {wanted}")
    if wanted is not None and is_input(wanted, given.input):
        raise Mistake(f"rejected rows cannot go to {wanted}, which is the input; name another with --rejected")
    return wanted


def _summary(done: "Scored", given: Any, rejected: str | None, run: "Run") -> str:
    rows = f"{done.scored} of {done.input} rows scored by {run.model}"
    to = "" if given.output == STANDARD else f" to {given.output}"
    if not done.rejected:
        return rows + to
    reasons = ", ".join(f"{reason} {count}" for reason, count in done.reasons.items())
    place = f" to {rejected}" if rejected else ""
    return f"{rows}{to}, {done.rejected} rejected{place} ({reasons})"


def _end(error: BaseException, code: int) -> int:
    _tell(f"error: {words_of(error)}")
    return code


def _tell(line: str) -> None:
    if sys.stderr is None:  # closed by whoever started this: print would take standard output, which holds rows
        return
    print(line, file=sys.stderr)  # noqa: T201 # what a command says to the person who runs it


def _stop(number: int, _frame: object) -> None:
    raise Stopped(number)


if __name__ == "__main__":
    # As in the image: windows are scored side by side, and threads of linear algebra would only be in their way.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # As process 1 of a container Python would ignore SIGTERM, and `docker stop` would wait, then kill.
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    sys.exit(main(sys.argv[1:]))
