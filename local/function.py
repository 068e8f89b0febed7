"""One function: its environments, who is free, who waits; it must not know where events come from."""

import threading
import time
from collections.abc import Callable

from local.declared import Declared
from local.environment import Environment, Line
from local.invocation import Closing, Invocation, Outcome, Throttled, failure, words_of

INIT_SECONDS = 10.0  # Lambda's own limit for INIT; what is left of it is run again within the function's time-out


class Function:
    """Gives each event to an environment of its own: an idle one, else a new one, up to the limit.

    make: a new environment, not yet begun; None where environments come by themselves.
    """

    def __init__(self, declared: Declared, note: Callable[[str], None]) -> None:
        self.declared = declared
        self.make: Callable[[], Environment] | None = None
        self._note = note
        self._all: set[Environment] = set()
        self._idle: list[Environment] = []  # the last to come is the first to go, as a cache would have it
        self._running: dict[str, Environment] = {}
        self._closing = False
        self._changed = threading.Condition()

    def invoke(self, payload: bytes, *, client_context: str | None = None, request_id: str | None = None) -> Outcome:
        """Calls the function and waits for it.

        Raises Throttled where no environment may be had in time, Closing where the machine room is being shut.
        """
        while True:
            invocation = Invocation(payload, client_context=client_context)
            if request_id:
                invocation.request_id = request_id
            environment = self._take(invocation)
            outcome = self._follow(environment, invocation)
            if self._closing and invocation.failed:
                raise Closing
            if outcome is not None:
                return outcome

    def environments(self) -> list[Environment]:
        with self._changed:
            return list(self._all)

    def expired(self, seconds: float) -> list[Environment]:
        """Environments idle for so long, taken out of service: the caller ends them."""
        with self._changed:
            late = [each for each in self._idle if time.monotonic() - each.idle_since > seconds]
            self._idle = [each for each in self._idle if each not in late]
            return late

    def publish(self) -> None:
        """Has a snapshot ready for the next call, as Lambda has when a function version is published with SnapStart.

        One process is the snapshot and what is restored from it, so a second call at once makes one of its own.
        Raises RuntimeError with the reason where INIT fails.
        """
        if self.make is None or not self.declared.snap_start:
            raise RuntimeError(f"{self.declared.name} is not declared with SnapStart here")
        environment = self.make()
        with self._changed:
            self._all.add(environment)
        self._begin(environment)
        with self._changed:
            while environment.snapshot is None:
                if environment not in self._all:
                    why = environment.why[1] if environment.why else "its INIT failed"
                    raise RuntimeError(f"{self.declared.name}: no snapshot: {why}")
                self._changed.wait(1.0)

    def close(self) -> None:
        """No further calls; ends every environment."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for environment in self.environments():
            environment.end()

    # ---- what runtimes tell, through the Runtime API --------------------------------------------------------------

    def wait(self, environment: Environment, line: Line) -> None:
        with self._changed:
            if self._closing:
                return line.hang_up()
            environment.joined = True
            environment.line = line
            self._all.add(environment)
            invocation = environment.invocation
            if invocation is None:
                environment.asking = True
                self._park(environment)
                return None
        return self._deliver(environment, invocation)

    def snapshot(self, environment: Environment | None, line: Line) -> None:
        with self._changed:
            if environment is None or environment.invocation is not None:  # it comes by itself, or somebody waits
                return line.restore()
            environment.freeze()
            environment.snapshot = line
            environment.idle_since = float("inf")  # a snapshot is not taken away
            self._idle.append(environment)
            return self._changed.notify_all()

    def answered(self, request_id: str, payload: bytes, *, failed: bool) -> bool:
        with self._changed:
            environment = self._running.pop(request_id, None)
            if environment is None or environment.invocation is None:
                return False
            invocation, environment.invocation = environment.invocation, None
            # Free although it has not asked again yet: a client that waits for each answer meets the same environment.
            self._park(environment)
        return invocation.settle(payload, failed=failed)

    def overflowed(self, request_id: str) -> bool:
        with self._changed:
            environment = self._running.get(request_id)
            if environment is None or environment.invocation is None:
                return False
            words = "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
            return environment.invocation.settle(failure("Function.ResponseSizeTooLarge", words), failed=True)

    def broke_in_init(self, environment: Environment | None, payload: bytes) -> None:
        self._note(f"{self.declared.name}: INIT failed: {words_of(payload)}")
        if environment is not None and environment.invocation is not None:
            environment.invocation.settle(payload, failed=True)

    def left(self, environment: Environment, status: str = "") -> None:
        """The environment is gone; `status` is how its process ended, where that is known."""
        with self._changed:
            self._all.discard(environment)
            if environment in self._idle:
                self._idle.remove(environment)
            invocation = environment.invocation
            if invocation is not None:
                self._running.pop(invocation.request_id, None)
            self._changed.notify_all()
        if invocation is None:
            return
        if environment.joined and invocation.begun is None:
            invocation.settle(lost=True)
            return
        kind, words = environment.why or ("Runtime.ExitError", f"Error: Runtime exited {status}".strip())
        invocation.settle(failure(kind, f"RequestId: {invocation.request_id} {words}"), failed=True)

    # ---- finding one, and following it ----------------------------------------------------------------------------

    def _take(self, invocation: Invocation) -> Environment:
        until = time.monotonic() + self.declared.patience
        with self._changed:
            while True:
                if self._closing:
                    raise Closing
                if self._idle:
                    environment = self._idle.pop()
                    environment.invocation = invocation
                    asking, environment.asking = environment.asking, False
                    snapshot, environment.snapshot = environment.snapshot, None
                    if snapshot is not None:
                        invocation.cold = True
                    break
                if self.make is not None and len(self._all) < self.declared.concurrency:
                    environment, asking, snapshot = self.make(), False, None
                    environment.invocation = invocation
                    invocation.cold = True
                    self._all.add(environment)
                    break
                left = until - time.monotonic()
                if left <= 0:
                    raise Throttled
                self._changed.wait(left)
        if asking:
            self._deliver(environment, invocation)
        elif snapshot is not None:
            environment.thaw()
            snapshot.restore()  # it asks for its event once its hooks are through
        elif invocation.cold:
            self._begin(environment)
        return environment

    def _begin(self, environment: Environment) -> None:
        try:
            environment.begin()
        except OSError as error:
            environment.why = ("Runtime.InvalidEntrypoint", f"Error: {error.strerror}")
            self.left(environment)

    def _deliver(self, environment: Environment, invocation: Invocation) -> None:
        with self._changed:
            line = environment.line
            self._running[invocation.request_id] = environment
        invocation.begun = time.monotonic()
        if line is not None and line.deliver(invocation):
            invocation.started.set()
        else:
            invocation.begun = None
            self.left(environment)

    def _park(self, environment: Environment) -> None:
        """With the lock held: nobody's environment from here on."""
        if environment not in self._idle:
            environment.idle_since = time.monotonic()
            self._idle.append(environment)
            self._changed.notify()

    def _follow(self, environment: Environment, invocation: Invocation) -> Outcome | None:
        """None where the call has to be made again, on another environment."""
        seconds = self.declared.seconds
        allowed = seconds + (INIT_SECONDS if invocation.cold else 0.0)
        if not (invocation.started.wait(allowed) and invocation.settled.wait(seconds)):
            words = f"RequestId: {invocation.request_id} Error: Task timed out after {seconds:.2f} seconds"
            if invocation.settle(failure("Sandbox.Timedout", words), failed=True):
                environment.end()
        if invocation.lost:
            return None
        spent = (time.monotonic() - invocation.begun) * 1000 if invocation.begun else 0.0
        return Outcome(invocation.answer, invocation.failed, environment.label, invocation.cold, spent)
