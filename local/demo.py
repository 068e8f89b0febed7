"""The whole of it in one go: train, publish, ask, drop; it must not know how any of that is done."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from functions.registry.folder import FolderStore
from local import notification, showcase
from local.gateway import Gateway, Plan
from local.invocation import Outcome, words_of
from local.journal import Journal
from local.lifetime import ended_by_signals
from local.serve import LOCAL, TASK_ROOT
from local.showcase import NotAsShown
from local.spool import Spooled
from local.terminal import Refused, complain, say

TABLE = "data/iris.csv"
PATIENCE = 120.0  # seconds for a drop to be scored
NOT_OURS = ("MODEL_", "DATA_STORE", "BATCH_")  # the demo's functions get its own


class Witness(Journal):
    """Keeps what was told until there is somebody to read it, and who answered."""

    def __init__(self) -> None:
        self.kept = io.StringIO()
        super().__init__(self.kept)
        self.requests: list[Outcome | None] = []
        self.attempts: list[tuple[Spooled, Outcome]] = []

    def request(self, method: str, target: str, status: int, outcome: Outcome | None) -> None:
        self.requests.append(outcome)
        super().request(method, target, status, outcome)

    def attempt(self, event: Spooled, outcome: Outcome, again: bool) -> None:
        self.attempts.append((event, outcome))
        super().attempt(event, outcome, again)


def demo(bucket: Path, host: str, port: int | None, *, stay: bool) -> int:
    """Exit code 0 where everything shown was right; 1 where it was not.

    stay: serve on until Ctrl-C. port: None for 8080 where it stays, else for any free one.
    Raises Refused, PortInUse, SpoolInUse, OSError before anything was done.
    """
    bucket = bucket.resolve()
    if bucket.exists() and not bucket.is_dir():
        raise Refused(f"{bucket} is no folder; name another with --bucket")
    if port is None:
        port = 8080 if stay else 0
    environ = {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)}
    environ |= {"MODEL_STORE": bucket.as_uri(), "DATA_STORE": bucket.as_uri(), "MODEL_NAME": "iris"}
    (bucket / LOCAL).mkdir(parents=True, exist_ok=True)
    log_path = bucket / LOCAL / "functions.log"
    with ended_by_signals() as never, log_path.open("wb", buffering=0) as log:
        witness = Witness()
        try:
            with Gateway(Plan(host, port, bucket / LOCAL, log), witness, environ) as gateway:
                _show(gateway, bucket, witness, host)
                if stay:
                    _offer(f"http://{host}:{gateway.port}", bucket, log_path)
                    witness.show_on(sys.stdout)
                    never.wait()
        except NotAsShown as wrong:
            complain(f"demo: {wrong}\n{witness.kept.getvalue()}{log_path.read_text(errors='replace')[-4000:]}".rstrip())
            return 1
        except KeyboardInterrupt:
            if not stay:
                raise
            say("ended")
    return 0


def _show(gateway: Gateway, bucket: Path, witness: Witness, host: str) -> None:
    url = f"http://{host}:{gateway.port}"
    _title("1. Train on iris, and publish the model into a folder")
    _train(bucket)
    _title(f"2. Open the gateway: {url}")
    say("Lambda and API Gateway on this machine; each function is an awslambdaric process, started when it is needed")
    gateway.watch(bucket)
    _title("3. Ask for one flower")
    answer, asked = _ask(host, gateway.port, url, witness)
    _title("4. Drop a file: columns shuffled, one column more, one bad row")
    summary, scored, rejected, dropped = _drop(bucket, witness)
    _title("5. Check it against scikit-learn")
    _check(bucket, answer, summary, (scored, rejected), (asked, dropped))


def _train(bucket: Path) -> None:
    words = ["-m", "training", "fit", TABLE, "--target", "species", "--name", "iris", "--store", _short(bucket)]
    say("$ " + " ".join(["python", *words]))
    sys.stdout.flush()
    words[-1] = str(bucket)
    code = subprocess.run([sys.executable, *words], cwd=TASK_ROOT, stdin=subprocess.DEVNULL, check=False).returncode
    if code != 0:
        raise NotAsShown(f"training ended with exit code {code}")


def _ask(host: str, port: int, url: str, witness: Witness) -> tuple[dict[str, Any], str]:
    body = json.dumps(showcase.REQUEST)
    say(f"$ curl -s {url}/predict -H 'content-type: application/json' -d '{body}'")
    connection = HTTPConnection(host, port, timeout=PATIENCE)
    try:
        connection.request("POST", "/predict", body, {"content-type": "application/json"})
        response = connection.getresponse()
        text = response.read().decode()
    finally:
        connection.close()
    say(text)
    outcome = witness.requests[-1]
    if response.status != 200 or outcome is None:
        raise NotAsShown(f"the answer's status is {response.status}")
    say(_by(outcome))
    answer: dict[str, Any] = json.loads(text)
    return answer, outcome.environment


def _drop(bucket: Path, witness: Witness) -> tuple[dict[str, Any], bytes, bytes, str]:
    incoming, scored = bucket / "incoming" / showcase.FILE, bucket / "scored" / showcase.FILE
    rejected, summary_path = bucket / "rejected" / showcase.FILE, bucket / "scored" / f"{showcase.FILE}.summary.json"
    incoming.parent.mkdir(parents=True, exist_ok=True)
    incoming.write_bytes(showcase.DROPPED)
    say(f"{_short(incoming)}\n{_indented(showcase.DROPPED)}")
    etag = FolderStore(bucket).stat(f"incoming/{showcase.FILE}").etag

    def attempts() -> list[Outcome]:
        """Events of an earlier demo do not count."""
        return [outcome for event, outcome in list(witness.attempts) if etag in notification.etags(event.payload)]

    def finished() -> bool:
        failed = [outcome for outcome in attempts() if outcome.failed]
        if failed:
            raise NotAsShown(f"batch failed: {words_of(failed[-1].payload)}")
        return bool(attempts())

    _wait(finished, f"no answer about {_short(incoming)}")
    summary: dict[str, Any] = json.loads(summary_path.read_bytes())
    if summary["input"]["etag"] != etag:
        raise NotAsShown(f"the summary vouches for {summary['input']}, not for the file with the ETag {etag}")
    if summary["status"] != "scored":
        raise NotAsShown(f"the drop was {summary['status']}: {summary['reason']}, {summary.get('message')}")
    say(f"{_short(scored)}\n{_indented(scored.read_bytes())}")
    say(f"{_short(rejected)}\n{_indented(rejected.read_bytes())}")
    shown = {name: summary[name] for name in ("status", "model", "rows", "rejected_by_reason", "predictions")}
    say(f"{_short(summary_path)}, in part\n{_indented(json.dumps(shown).encode())}")
    outcome = attempts()[-1]
    say(_by(outcome))
    return summary, scored.read_bytes(), rejected.read_bytes(), outcome.environment


def _check(bucket: Path, answer: dict[str, Any], summary: dict[str, Any], results: tuple[bytes, bytes],
           environments: tuple[str, str]) -> None:  # fmt: skip
    """Raises NotAsShown."""
    import joblib  # the pipeline itself is the judge; the gateway has no need of it
    import pandas

    version = bucket / "models" / "iris" / "versions" / answer["model"]["version"]
    pipeline = joblib.load(version / "model.joblib")
    names = [feature["name"] for feature in json.loads((version / "manifest.json").read_bytes())["features"]]

    def labels(rows: list[list[float]]) -> list[str]:
        return [str(label) for label in pipeline.predict(pandas.DataFrame(rows, columns=names))]

    showcase.check_answer(answer, labels([showcase.SETOSA]))
    if answer["predictions"] != ["setosa"]:
        raise NotAsShown(f"a setosa was taken for {answer['predictions']}")
    showcase.check_results(*results, summary["rows"], labels(showcase.good_rows(names)))
    if answer["model"]["version"] != summary["model"]["version"]:
        raise NotAsShown("the answer and the file come from two versions of the model")
    _check_processes(environments)
    say("labels: as the pipeline itself predicts them; probabilities: sum to 1")
    say("input bytes: unchanged; the bad row: rejected, with its line and reason")
    say(f"functions: two awslambdaric processes, {environments[0]} and {environments[1]}, apart from this one")


def _check_processes(environments: tuple[str, str]) -> None:
    pids = [int(each.removeprefix("pid ")) for each in environments]
    if len({*pids, os.getpid()}) != 3:
        raise NotAsShown(f"the functions ran in {environments}, this process is {os.getpid()}")
    for pid, handler in zip(pids, ("functions.predict.handler", "functions.batch.handler"), strict=True):
        command = Path(f"/proc/{pid}/cmdline")
        if command.exists() and command.read_bytes().split(b"\0")[-3:-1] != [b"awslambdaric", handler.encode()]:
            raise NotAsShown(f"process {pid} is no awslambdaric with {handler}")


def _offer(url: str, bucket: Path, log: Path) -> None:
    _title("Yours now; Ctrl-C ends it")
    say(f"ask:   curl -s {url}/predict -H 'content-type: application/json' -d '{json.dumps(showcase.REQUEST)}'")
    say(f"model: curl -s {url}/model")
    say(f"drop:  CSV files into {_short(bucket / 'incoming')}, results appear in {_short(bucket / 'scored')}")
    say(f"log:   {_short(log)}\n")


def _by(outcome: Outcome) -> str:
    start = "started for it, " if outcome.cold else ""
    return f"(from {outcome.environment}, {start}{outcome.milliseconds:.1f} ms in the function)"


def _wait(condition: Callable[[], bool], complaint: str) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            raise NotAsShown(f"{complaint} after {PATIENCE:.0f} seconds")
        time.sleep(0.1)


def _title(text: str) -> None:
    say(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}")


def _indented(content: bytes) -> str:
    return "\n".join(f"    {line}" for line in content.decode(errors="replace").splitlines())


def _short(path: Path) -> str:
    """Relative to here where it lies below here."""
    here = Path.cwd()
    return f"./{path.relative_to(here)}" if path.is_relative_to(here) else str(path)
