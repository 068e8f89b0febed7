"""Random events for both doors, made out of real ones: whatever they hold, the answer is right or of the error tree.

Every round has its own seed, so that one that fails can be had again alone.
"""

import gzip
import json
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from types import SimpleNamespace
from typing import Any

from awslambdaric.lambda_runtime_marshaller import to_json

from functions import errors, loader
from functions.batch import BatchDoor
from functions.live import LiveModel
from functions.predict import PredictDoor
from functions.protocols import invocations, openapi
from functions.protocols.openapi_parts import codes
from functions.registry.memory import MemoryStore
from functions.scoring import reasons
from functions.scoring.live_worker import LiveWorker
from functions.scoring.loop import Options
from functions.scoring.models import Models
from functions.scoring.worker import Worker
from tests.conftest import PROJECT
from tests.quiet import quiet
from tests.serving import PUBLISH

EVENTS = {path.stem: json.loads(path.read_text()) for path in sorted((PROJECT / "events").glob("*.json"))}
STORAGE = sorted(name for name in EVENTS if name.startswith("s3-") or name == "task")
HTTP = sorted(EVENTS.keys() - set(STORAGE))
CONTEXT = SimpleNamespace(aws_request_id="fuzz")
ODD: list[Any] = [
    None, True, False, 0, -1, 1.5, 2**53 + 1, 2**60, 10**40, 1e308, -1e308, 5e-324, -0.0, float("nan"),
    float("inf"), "", " ", "NaN", "1e400", "0x10", "1_000", "true", "\ud800", "\x00", "é😀", "x" * 300, [], {},
    [[]], [None], [1, [2, [3]]], {"": None}, {"instances": []}, {"error": 1}, "../../etc/passwd", "incoming/%zz+.csv",
]  # fmt: skip
METHODS = ["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "", "TRACE", "get"]
TYPES = [
    "application/json", "text/csv", "text/csv; header=absent", "application/jsonlines", "application/x-npy",
    "text/html", "*/*",
    "application/json; charset=latin-1", "application/octet-stream", "application/x-www-form-urlencoded", ";", "",
]  # fmt: skip
REASONS = {value for name, value in vars(reasons).items() if name.isupper()}
STATUSES = {200, 204, 400, 404, 405, 406, 413, 415}
CSV = {
    "iris": b"sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n6.3,2.5,6,2.5\n",
    "mixed": b'age,city,member,note\n22,Bern,false,"a, ""b"""\nNA,Genf,1,\n58,"",,x\n',
    "price": b"y;x\r\n0;1\r\n2.5;1e3\r\n",
}


class Wrong(AssertionError):
    """An answer that is neither right nor of the error tree."""


class Fuzz:
    """Both doors over each model, in memory."""

    def __init__(self) -> None:
        self._predict: dict[str, PredictDoor] = {}
        self._batch: dict[str, tuple[BatchDoor, MemoryStore]] = {}
        self._requests: dict[str, list[tuple[str, str, bytes]]] = {}
        self._paths: list[str] = []
        for model, publish in PUBLISH.items():
            models, data = MemoryStore(), MemoryStore("drops")
            publish(models)
            reference = loader.Reference(model)
            live = LiveModel(loader.RegistrySource(models, reference)).start()
            worker = Worker(data, Models(models, reference), Options(4096, None, True), 0.5)
            self._predict[model] = PredictDoor(live)
            self._batch[model] = BatchDoor(LiveWorker(_giving(worker))), data
            document = openapi.document(live.get())
            self._requests[model] = list(_examples(document))
            self._paths = list(document["paths"])

    def round(self, seed: int) -> str:
        """What became of one random event, in a word or two. Raises Wrong, or whatever a door should not have."""
        random = Random(seed)  # noqa: S311 # to be had again, not to be secret
        model = random.choice(list(PUBLISH))
        kind = random.choices([self._body, self._event, self._storage, self._drop], [70, 15, 8, 7])[0]
        return kind(random, model)

    def rounds(self, seeds: Iterable[int]) -> Counter[str]:
        """Outcomes and how often they came. Raises Wrong with the seed of the round."""
        found: Counter[str] = Counter()
        with quiet():
            for seed in seeds:
                try:
                    found[self.round(seed)] += 1
                except Exception as error:
                    raise Wrong(f"seed {seed}: {error!r}") from error
        return found

    def _body(self, random: Random, model: str) -> str:
        """A request that may be right but for its body."""
        path, media, body = random.choice(self._requests[model])
        if media.endswith("json") and random.random() < 0.8:
            document = json.loads(body)
            for _ in range(random.randint(1, 3)):
                document = _changed(random, document)
            body = json.dumps(document).encode("utf-8", "surrogatepass")
        if random.random() < 0.3:
            body = _damaged(random, body)
        headers = {"content-type": media if random.random() < 0.9 else random.choice(TYPES)}
        if random.random() < 0.3:
            headers["accept"] = random.choice(TYPES)
        if random.random() < 0.1:
            headers["content-encoding"] = random.choice(["gzip", "br", ""])
            body = gzip.compress(body) if random.random() < 0.7 else body
        if random.random() < 0.1:
            headers["accept-encoding"] = "gzip"
        sample = random.choice(HTTP)
        return self._ask(model, _asking(sample, "POST", path, headers, body, random), path)

    def _event(self, random: Random, model: str) -> str:
        """An event that is odd itself."""
        path = random.choice([*self._paths, "/", "", "/nothing", "/predict/x", "//", "/%00"])
        headers = {"accept": random.choice(TYPES), "content-type": random.choice(TYPES)}
        body = random.choice(self._requests[model])[2]
        event = _asking(random.choice(HTTP), random.choice(METHODS), path, headers, body, random)
        for _ in range(random.randint(0, 4)):
            event = _changed(random, event)
        return self._ask(model, event, path)

    def _ask(self, model: str, event: Any, path: str) -> str:
        answer = json.loads(to_json(self._predict[model](event, CONTEXT)))
        if not isinstance(answer, dict) or "statusCode" not in answer:
            return f"direct {_checked_direct(answer)}"
        status = answer["statusCode"]
        if status not in STATUSES:
            raise Wrong(f"answered {answer}")
        if status < 400:
            return f"predict {status}"
        return f"predict {status} {_checked_error(status, json.loads(_text(answer)), path)}"

    def _storage(self, random: Random, model: str) -> str:
        """What tells batch of an object that is not there, or of none."""
        event = json.loads(json.dumps(EVENTS[random.choice(STORAGE)]))
        for _ in range(random.randint(0, 4)):
            event = _changed(random, event)
        return self._tell(model, event)

    def _drop(self, random: Random, model: str) -> str:
        """A file, told of as S3 does."""
        body = CSV[model]
        for _ in range(random.randint(0, 4)):
            body = _damaged(random, body)
        if random.random() < 0.2:
            body = gzip.compress(body, mtime=0)
            body = _damaged(random, body) if random.random() < 0.5 else body
        _, data = self._batch[model]
        data.put("incoming/x.csv", body)
        try:
            return self._tell(model, {"bucket": "drops", "key": "incoming/x.csv"})
        finally:
            for key in list(data.keys("")):
                data.delete(key)

    def _tell(self, model: str, event: Any) -> str:
        door, data = self._batch[model]
        try:
            answer = json.loads(to_json(door(event, CONTEXT)))
        except (errors.EventError, errors.Unfinished) as error:
            if error.__cause__ is not None and not isinstance(error.__cause__, errors.ServingError):
                raise
            return f"batch raises {error.code}"
        if set(answer) == {"batchItemFailures"}:
            return "batch batchItemFailures"
        told = sorted({_checked_record(record, data) for record in answer["records"]})
        return f"batch {', '.join(told) or 'no records'}"


def _giving(worker: Worker) -> Callable[[], Worker]:
    return lambda: worker


def _examples(document: Mapping[str, Any]) -> Iterator[tuple[str, str, bytes]]:
    """Path, media type and body of every request that the API's own document shows."""
    for path, methods in document["paths"].items():
        for media, told in methods.get("post", {}).get("requestBody", {}).get("content", {}).items():
            for value in [*(each["value"] for each in told.get("examples", {}).values()), told.get("example")]:
                if value is not None:
                    body = value if isinstance(value, str) else json.dumps(value)
                    yield path, media, body.encode()


def _asking(sample: str, method: str, path: str, headers: dict[str, str], body: bytes, random: Random) -> Any:
    """The sample event with this request in it."""
    event = json.loads(json.dumps(EVENTS[sample]))
    if sample == "direct":
        try:
            return json.loads(body)
        except ValueError:
            return body.decode("latin-1")
    if "rawPath" in event:
        event["rawPath"] = path
        event["requestContext"]["http"]["method"] = method
    else:
        event["path"], event["httpMethod"] = path, method
    if "multiValueHeaders" in event:
        event["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
    if "headers" in event:
        event["headers"] = headers
    try:
        event["body"], event["isBase64Encoded"] = body.decode(), False
    except UnicodeDecodeError:
        event["isBase64Encoded"] = True
    if event["isBase64Encoded"] or random.random() < 0.2:
        event["body"], event["isBase64Encoded"] = b64encode(body).decode(), True
    return event


def _changed(random: Random, value: Any) -> Any:
    """The value with one thing in it put out of place, wherever in it."""
    if isinstance(value, dict) and value and random.random() < 0.85:
        key = random.choice(list(value))
        if random.random() < 0.1:
            return {other: each for other, each in value.items() if other != key}
        if random.random() < 0.1:
            return {**value, random.choice(["x", "", " " + key, key.upper(), "\ud800"]): random.choice(ODD)}
        return {**value, key: _changed(random, value[key])}
    if isinstance(value, list) and value and random.random() < 0.85:
        position = random.randrange(len(value))
        if random.random() < 0.15:
            return value[:position] + value[position + 1 :]
        if random.random() < 0.15:
            return value[:position] + value[position:] * random.choice([2, 5])
        return [_changed(random, each) if index == position else each for index, each in enumerate(value)]
    if isinstance(value, str) and value[:1] in ("{", "[") and random.random() < 0.8:
        try:
            return json.dumps(_changed(random, json.loads(value)))
        except ValueError:
            pass
    if random.random() < 0.1:
        return _nested(value, random.choice([1, 2, 40, 300]))
    return random.choice(ODD)


def _nested(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value]
    return value


def _damaged(random: Random, body: bytes) -> bytes:
    """The bytes with some cut out, doubled, or put in."""
    start = random.randrange(len(body) + 1)
    end = min(len(body), start + random.choice([0, 1, 2, 10, 100]))
    put = random.choice(
        [b"", body[start:end] * 2, bytes([random.randrange(256)]), b'"', b",", b"\n", b"\r", b"\0", b"\xff\xfe",
         b"1e400", b"9007199254740993", b"NaN", b"\xc3", b"{", b"[" * 40, b"\\ud800", b"x" * 5000]
    )  # fmt: skip
    return body[:start] + put + body[end:]


def _text(answer: Mapping[str, Any]) -> str:
    if not answer["isBase64Encoded"]:
        return str(answer["body"])
    return gzip.decompress(b64decode(answer["body"])).decode()


def _checked_direct(answer: Any) -> str:
    if isinstance(answer, dict) and {"predictions", "model"} <= set(answer):
        return "200"
    code = answer["error"]["code"]
    if code not in {code for status, told in codes().items() if status < 500 for code in told}:
        raise Wrong(f"answered {answer}")
    return str(code)


def _checked_error(status: int, answer: Any, path: str) -> str:
    """The code, in whichever protocol's shape."""
    if set(answer) == {"error_code", "message", "details"} and answer["error_code"] == invocations.CODES[status]:
        return str(answer["error_code"])
    error = answer["error"]
    if isinstance(error, str) and path.startswith("/v2"):
        return "v2"
    if set(answer) != {"error"} or set(error) != {"code", "message", "details"} or error["code"] not in codes()[status]:
        raise Wrong(f"answered {status} {answer}")
    return str(error["code"])


def _checked_record(record: Mapping[str, Any], data: MemoryStore) -> str:
    status = record["status"]
    if status in ("ignored", "gone", "already_done"):
        return str(status)
    summary = json.loads(data.get("scored/x.csv.summary.json").body)
    rows = summary["rows"]
    if rows["input"] != rows["scored"] + rows["rejected"]:
        raise Wrong(f"rows do not add up: {summary}")
    unknown = set(summary["rejected_by_reason"] or {}) - REASONS
    code = (record["reason"] or "").partition(":")[0]
    if unknown or (status != "scored" and code not in REASONS) or status not in ("scored", "failed", "refused"):
        raise Wrong(f"answered {record}, {summary}")
    return f"{status} {code}".strip()
