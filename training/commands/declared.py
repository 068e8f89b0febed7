"""The commands over a registry as the command line knows them: options in, words or JSON out. It decides nothing."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from functions.registry.store import open_store
from training.person import user

Name = Annotated[str, typer.Option("--name", help="The model's name in the registry, e.g. iris.")]
Url = Annotated[str, typer.Option("--store", help="The registry: s3://bucket[/prefix], file:///folder or a folder.")]
Alias = Annotated[str, typer.Option("--alias", help="The alias that is meant.")]
Meant = Annotated[str, typer.Argument(metavar="VERSION", help="A version, or an alias that names one.")]
By = Annotated[str | None, typer.Option("--by", help="Whose hand it is. Without it: the user running this.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of words.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]

CODES = "Exit codes: 0 done; 2 your arguments; 1 the store, the network or credentials"


def declare(app: typer.Typer) -> None:
    """Adds the commands, in the order of a help text."""
    app.command(epilog=f"{CODES}; 3 a function would refuse the version.")(promote)
    app.command(epilog=f"{CODES}.")(rollback)
    app.command("list", epilog=f"{CODES}.")(list_)
    app.command(epilog=f"{CODES}.")(history)
    app.command(epilog=f"{CODES}.")(show)
    app.command(epilog=f"{CODES}.")(diff)
    app.command(epilog=f"{CODES}; 3 something is not what was published.")(verify)
    app.command(epilog=f"{CODES}.")(pin)
    app.command(epilog=f"{CODES}.")(unpin)
    app.command(epilog=f"{CODES}.")(prune)


@contextmanager
def _shown(debug: bool) -> Iterator[None]:
    """Shows the traceback of what ends a command, on demand; the one line about it is the command line's."""
    try:
        yield
    except BaseException:
        if debug:
            traceback.print_exc()
        raise


def promote(
    version: Meant, name: Name, store: Url, alias: Alias = "live", by: By = None,
    check: Annotated[bool, typer.Option(help="Load the version first, as a function will.")] = True,
    json: Json = False, debug: Debug = False,
) -> None:  # fmt: skip
    """Move an alias to a version; running functions follow it.

    The version is fetched, every digest is checked and its golden rows are replayed before the alias moves. Of two
    promotions at once exactly one wins, and the other is told so.
    """
    from training.commands import promote as doing
    from training.commands import telling

    with _shown(debug):
        done = doing.promote(open_store(store), name, alias, version, by=by or user(), checked=check)
        telling.as_json(done) if json else telling.lines(doing.words(done))


def rollback(
    name: Name, store: Url, alias: Alias = "live", by: By = None,
    json: Json = False, debug: Debug = False,
) -> None:  # fmt: skip
    """Move an alias back to the version it named before; running it again undoes that."""
    from training.commands import promote as doing
    from training.commands import telling

    with _shown(debug):
        done = doing.rollback(open_store(store), name, alias, by=by or user())
        telling.as_json(done) if json else telling.lines(doing.words(done))


def list_(
    store: Url,
    name: Annotated[str | None, typer.Option(help="One model; without it, all there are.")] = None,
    json: Json = False, debug: Debug = False,
) -> None:  # fmt: skip
    """The versions there are, newest first, with the aliases that name them."""
    from training.commands import listing, telling

    with _shown(debug):
        found = listing.listing(open_store(store), name)
        if json:
            telling.as_json(found)
            return
        if rows := listing.rows(found):
            telling.table(listing.COLUMNS, rows)
        telling.lines(listing.notes(found))


def history(
    name: Name, store: Url, alias: Alias = "live",
    json: Json = False, debug: Debug = False,
) -> None:  # fmt: skip
    """Every move of an alias, oldest first: when, by whom, to which version."""
    from training.commands import listing, telling

    with _shown(debug):
        found = listing.history(open_store(store), name, alias)
        telling.as_json(found) if json else telling.table(listing.MOVES, listing.moves(found))


def show(
    name: Name, store: Url, version: Meant = "live",
    json: Json = False, debug: Debug = False,
) -> None:  # fmt: skip
    """What there is to know of one version: features, metrics, data, engine, libraries."""
    from training.commands import show as doing
    from training.commands import telling

    with _shown(debug):
        found = doing.show(open_store(store), name, version)
        if json:
            telling.as_json(found)
            return
        telling.lines(doing.words(found))
        telling.table(doing.COLUMNS, doing.rows(found))


def diff(
    before: Annotated[str, typer.Argument(metavar="BEFORE", help="A version, or an alias that names one.")],
    after: Annotated[str, typer.Argument(metavar="AFTER", help="Another.")],
    name: Name, store: Url,
    json: Json = False, debug: Debug = False,
) -> None:  # fmt: skip
    """What is different between two versions: features, metrics, parameters, libraries, engine, data."""
    from training.commands import diff as doing
    from training.commands import telling

    with _shown(debug):
        found = doing.diff(open_store(store), name, before, after)
        if json:
            telling.as_json(found)
        elif rows := doing.rows(found):
            telling.table(doing.COLUMNS, rows)
        else:
            telling.lines([f"{found.before} and {found.after} are the same"])


def verify(
    name: Name, store: Url,
    version: Annotated[str | None, typer.Argument(metavar="[VERSION]", help="Else all, and the aliases.")] = None,
    json: Json = False, debug: Debug = False,
) -> None:  # fmt: skip
    """Fetch what was published, check every digest, and replay every golden row."""
    from training.commands import telling
    from training.commands import verify as doing
    from training.endings import Refused

    with _shown(debug):
        found = doing.verify(open_store(store), name, version)
        telling.as_json(found) if json else telling.lines(doing.words(found))
        if not found.ok:
            bad = [one.version for one in found.versions if not one.ok] + [
                one.alias for one in found.aliases if not one.ok
            ]
            raise Refused(f"not as it was published: {', '.join(bad)}")


def pin(
    version: Meant, name: Name, store: Url,
    why: Annotated[str, typer.Option(help="What uses it, e.g. 'MODEL_VERSION of staging'.")],
    by: By = None, json: Json = False, debug: Debug = False,
) -> None:  # fmt: skip
    """Say that something uses a version without an alias, so that it is never pruned."""
    from training.commands import pins, telling

    with _shown(debug):
        made = pins.pin(open_store(store), name, version, by=by or user(), why=why)
        telling.as_json(made) if json else telling.lines([f"pinned {made.version}: {made.why}"])


def unpin(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="A pinned version.")], name: Name, store: Url,
    json: Json = False, debug: Debug = False,
) -> None:  # fmt: skip
    """Take a pin back."""
    from training.commands import pins, telling

    with _shown(debug):
        gone = pins.unpin(open_store(store), name, version)
        telling.as_json({"version": gone}) if json else telling.lines([f"{gone} is no longer pinned"])


def prune(
    name: Name, store: Url,
    keep: Annotated[int, typer.Option(min=1, help="So many of the newest versions stay, whatever refers to them.")],
    yes: Annotated[bool, typer.Option("--yes", help="Remove. Without it: only tell what would be removed.")] = False,
    keep_version: Annotated[
        list[str] | None, typer.Option(metavar="VERSION", help="Another that stays; may be given more than once.")
    ] = None,
    json: Json = False, debug: Debug = False,
) -> None:  # fmt: skip
    """Remove old versions that no alias, no alias's history and no pin refers to.

    Without --yes nothing is removed. A version's manifest goes first, so what is removed in part is not there for
    readers; what killed runs left without a manifest more than a day ago goes as well. In a versioned bucket the
    bytes stay until its lifecycle removes them.
    """
    from training.commands import prune as doing
    from training.commands import telling

    with _shown(debug):
        found = doing.prune(open_store(store), name, keep=keep, pinned=keep_version or [], done=yes)
        telling.as_json(found) if json else telling.lines(doing.words(found))
