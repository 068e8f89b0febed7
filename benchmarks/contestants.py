"""Who is measured: a command that starts a runtime, and its surroundings. It knows no figure."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Contestant:
    """`command` is run in `folder` with `environment` and nothing else but the Runtime API's address.

    `answers`: a text that a right answer to the event holds, so that nobody is quick by being wrong. `python`: the
    interpreter with the options that `command` gives it.
    """

    name: str
    command: list[str]
    folder: str
    environment: dict[str, str] = field(default_factory=dict)
    answers: str = ""
    python: tuple[str, ...] = ("python3",)


@dataclass(frozen=True, slots=True)
class Order:
    """One campaign: every contestant in turn, `rounds` times, with this event (JSON)."""

    contestants: list[Contestant]
    event: str
    rounds: int


def order_of(document: dict[str, object]) -> Order:
    """An order from its JSON, as it is handed to the container."""
    contestants = [Contestant(**each) for each in document["contestants"]]  # type: ignore[attr-defined] # our own JSON
    return Order(contestants, str(document["event"]), int(str(document["rounds"])))
