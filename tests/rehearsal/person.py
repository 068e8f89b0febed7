"""What the person in front does and sees: commands as they are typed, requests, files; it must not know the order."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from local.showcase import NotAsShown
from local.terminal import say
from tests.simulator import http_api
from tests.simulator.http_api import Answer
from tests.simulator.server import Keys
from tests.simulator.stack import Deployed
from tests.template import REGION, ROOT

PATIENCE = 60.0  # seconds for what happens by itself
INDENT = "    "
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with keys to the simulated account, in this folder."""

    deployed: Deployed
    keys: Keys

    def types(self, *words: str) -> str:
        """Runs `python -m ...` as shown; gives what it printed. Raises NotAsShown where it fails."""
        say("$ " + " ".join(["python", "-m", *words]))
        ended = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            env={**_plain(), **self.deployed.simulator.environment(self.keys)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        show(ended.stdout + ended.stderr)
        if ended.returncode != 0:
            raise NotAsShown(f"python -m {words[0]} {words[1]} ended with exit code {ended.returncode}")
        return ended.stdout

    def asks(self, rows: dict[str, Any], *, signed: bool = True) -> Answer:
        """POST /predict by the URL of the stack's output."""
        url, body = self.deployed.outputs["Url"] + "/predict", json.dumps(rows)
        who = f' --aws-sigv4 aws:amz:{REGION}:execute-api --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"'
        say(f"$ curl -s{who if signed else ''} {url} -H 'content-type: application/json' -d '{body}'")
        answer = http_api.ask(
            self.deployed.simulator,
            url,
            body.encode(),
            keys=self.keys if signed else None,
            headers={"content-type": "application/json"},
        )
        show(f"{answer.status} {answer.body.decode()}")
        return answer

    def drops(self, name: str, content: bytes) -> None:
        bucket = self.deployed.outputs["DropBucket"]
        say(f"$ aws s3 cp {name} s3://{bucket}/incoming/{name}")
        self._s3().put_object(Bucket=bucket, Key=f"incoming/{name}", Body=content)

    def summary(self, name: str) -> dict[str, Any]:
        """What became of a dropped file, once that is written."""
        key = f"scored/{name}.summary.json"
        found = eventually(lambda: self.finds(key), f"no {key}")
        summary: dict[str, Any] = json.loads(found)
        shown = {each: summary[each] for each in ("status", "model", "rows", "rejected_by_reason")}
        show(f"{key}, in part: {json.dumps(shown)}")
        return summary

    def finds(self, key: str) -> bytes | None:
        """An object of the drop bucket, if it is there."""
        bucket, s3 = self.deployed.outputs["DropBucket"], self._s3()
        if not any(each["Key"] == key for each in s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", [])):
            return None
        content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def _s3(self) -> Any:
        return self.deployed.simulator.client("s3", self.keys)


def show(text: str) -> None:
    """What came back, set off from what was typed."""
    say("\n".join(INDENT + line for line in text.rstrip("\n").splitlines()))


def eventually(found: Callable[[], Found | None], complaint: str) -> Found:
    """Raises NotAsShown after a minute."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        value = found()
        if value:
            return value
        time.sleep(0.1)
    raise NotAsShown(f"{complaint} after {PATIENCE:.0f} seconds")


def _plain() -> dict[str, str]:
    """Nothing of another account or store."""
    others = ("AWS_", "MODEL_", "DATA_STORE", "BATCH_")
    return {name: value for name, value in os.environ.items() if not name.startswith(others)}
