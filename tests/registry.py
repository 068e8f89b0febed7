"""A real image registry for tests: what Docker pushes there is seen as AWS would see it. It knows no test."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

INDEXES = ("application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.oci.image.index.v1+json")
MANIFESTS = ("application/vnd.docker.distribution.manifest.v2+json", "application/vnd.oci.image.manifest.v1+json")
CONFIGS = ("application/vnd.docker.container.image.v1+json", "application/vnd.oci.image.config.v1+json")
LAYERS = (
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
)
ARCHITECTURES = {"amd64": "x86_64", "arm64": "arm64"}
"""Docker's word for each processor that Lambda has, and Lambda's."""


@dataclass(frozen=True, slots=True)
class Registry:
    """A running registry; `address` is how Docker names it. Docker asks none on this machine for TLS."""

    address: str

    def get(self, path: str, *accept: str) -> Any:
        """The JSON at /v2/<path>."""
        return json.loads(self.read(path, *accept))

    def read(self, path: str, *accept: str) -> bytes:
        """The bytes at /v2/<path>. URLError where nobody listens."""
        return self._ask(path, None, {"Accept": ", ".join(accept)})

    def put(self, path: str, kind: str, content: Any) -> None:
        """Stores a manifest of this media type at /v2/<path>."""
        self._ask(path, json.dumps(content).encode(), {"Content-Type": kind})

    def _ask(self, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        method = "GET" if body is None else "PUT"
        request = urllib.request.Request(f"http://{self.address}/v2/{path}", body, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 # always http
            content: bytes = answer.read()
        return content

    def why_lambda_refuses(self, name: str, tag: str, architecture: str) -> str | None:
        """What keeps Lambda from making a function of this architecture out of an image, or None.

        Source: AWS Lambda Developer Guide, "Create a Lambda function using a container image": Docker image manifest
        V2, schema 2, or OCI, for one architecture.
        """
        manifest = self.get(f"{name}/manifests/{tag}", *INDEXES, *MANIFESTS)
        if manifest["mediaType"] not in MANIFESTS:
            return f"it is no image but {manifest['mediaType']}"
        if manifest["config"]["mediaType"] not in CONFIGS:
            return f"its config is {manifest['config']['mediaType']}"
        if other := {layer["mediaType"] for layer in manifest["layers"]}.difference(LAYERS):
            return f"a layer is {', '.join(sorted(other))}"
        config = self.get(f"{name}/blobs/{manifest['config']['digest']}")
        if (config["os"], ARCHITECTURES.get(config["architecture"])) != ("linux", architecture):
            return f"it is for {config['os']}/{config['architecture']}"
        return None


@contextmanager
def running_registry(program: Path, folder: Path) -> Iterator[Registry]:
    """A registry that keeps what it is given in `folder`, ended afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = folder / "registry.yml"
    settings.write_text(
        f"version: 0.1\nlog: {{level: error}}\nhttp: {{addr: '{address}'}}\n"
        f"storage: {{filesystem: {{rootdirectory: '{folder}'}}}}\n"
    )
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([program, "serve", settings], stdout=log, stderr=log)
    try:
        registry = Registry(address)
        for _ in range(200):
            try:
                registry.get("")
            except (urllib.error.URLError, ConnectionError):
                assert server.poll() is None, (folder / "log").read_text()
                time.sleep(0.05)
            else:
                break
        yield registry
    finally:
        server.terminate()
        server.wait(10)
