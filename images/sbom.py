"""Writes what an image holds as a bill of materials, CycloneDX 1.6: Debian's packages, Python's, and what wheels carry.

Run as a program, with a folder and with images as name=reference, it writes <name>.cdx.json for each into the folder.
It reads the image's file system as Docker exports it; nothing in the image is started, and no server is asked.
"""

import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, License
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

DOCKER = Path(__file__).parent.parent / ".ci" / "docker"
STATUS = "var/lib/dpkg/status"
RELEASE = "usr/lib/os-release"
READ = re.compile(
    rf"{STATUS}|{RELEASE}|usr/share/doc/[^/]+/copyright|opt/python/[^/]+\.dist-info/(METADATA|sboms/[^/]+\.json)"
)
SAYS_NOTHING = re.compile(r"|UNKNOWN|Dual License|Copyright.*|.*\n.*", re.DOTALL)
"""Fields "License" that hold a text or nothing instead of a name; the classifiers are asked then."""

LEFT_OUT = ("author", "components")
"""Of a component in a wheel's own bill: what CycloneDX 1.6 says otherwise, and what is a level further down."""

Files = dict[str, bytes]


def files_of(image: str) -> tuple[Files, str]:
    """The files of an image that say what is in it, by path without the leading /, and Docker's id of the image.

    RuntimeError with Docker's words where there is no such image.
    """
    made = subprocess.run([DOCKER, "create", image], capture_output=True, text=True)
    if made.returncode != 0:
        raise RuntimeError(f"no image {image}: {made.stderr.strip()}")
    container = made.stdout.strip()
    try:
        identity = subprocess.run(
            [DOCKER, "inspect", "--format", "{{.Image}}", container], capture_output=True, text=True, check=True
        ).stdout.strip()
        with (
            subprocess.Popen([DOCKER, "export", container], stdout=subprocess.PIPE) as exported,
            tarfile.open(fileobj=exported.stdout, mode="r|") as archive,
        ):
            found = {
                member.name: content.read()
                for member in archive
                if READ.fullmatch(member.name) and (content := archive.extractfile(member))
            }
    finally:
        subprocess.run([DOCKER, "rm", container], capture_output=True, check=True)
    return found, identity


def bill(name: str, identity: str, files: Files) -> Bom:
    """The bill of an image called `name`.

    ValueError where it holds no list of Debian's packages or a package of Python without a licence.
    """
    bom = Bom()
    bom.metadata.component = Component(
        name=name, type=ComponentType.CONTAINER, bom_ref=name,
        properties=[Property(name="docker:image:id", value=identity)],
    )  # fmt: skip
    parts = [*of_debian(files), *of_python(files)]
    bom.components.update(parts)
    bom.register_dependency(bom.metadata.component, parts)
    return bom


def of_debian(files: Files) -> Iterator[Component]:
    """Each package that dpkg says is installed, with the licences its copyright file names."""
    if STATUS not in files:
        raise ValueError(f"the image holds no {STATUS}; is it made of Debian?")
    release = dict(line.split("=", 1) for line in files[RELEASE].decode().splitlines() if "=" in line)
    for paragraph in files[STATUS].decode().split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", paragraph, re.MULTILINE))
        if fields.get("Status", "").endswith(" installed"):
            name, version, architecture = fields["Package"], fields["Version"], fields["Architecture"]
            distribution = f"debian-{release['VERSION_ID'].strip(chr(34))}"
            url = PackageURL("deb", "debian", name, version, {"arch": architecture, "distro": distribution})
            yield Component(
                name=name, version=version, type=ComponentType.LIBRARY, purl=url, bom_ref=str(url),
                licenses=[DisjunctiveLicense(name=licence) for licence in licences_of_debian(name, files)],
            )  # fmt: skip


def licences_of_debian(package: str, files: Files) -> list[str]:
    """The short names in a machine-readable copyright file; else where the text is to be read."""
    path = f"usr/share/doc/{package}/copyright"
    text = files.get(path, b"").decode(errors="replace")
    if not text.lstrip().startswith("Format:"):
        return [f"as written in /{path}"]
    return sorted(set(re.findall(r"^License:[ \t]*(\S.*?)\s*$", text, re.MULTILINE)))


def of_python(files: Files) -> Iterator[Component]:
    """Each installed distribution with its licence, and within it what its wheel says it was built of."""
    for path in sorted(files):
        if path.endswith(".dist-info/METADATA"):
            metadata = message_from_bytes(files[path])
            name, version = str(metadata["Name"]), str(metadata["Version"])
            url = PackageURL("pypi", None, name.lower().replace("_", "-"), version)
            component = Component(
                name=name, version=version, type=ComponentType.LIBRARY, purl=url, bom_ref=str(url),
                licenses=licences_of_python(metadata),
            )  # fmt: skip
            component.components.update(carried(files, path.removesuffix("METADATA") + "sboms/", str(url)))
            yield component


def licences_of_python(metadata: Message) -> list[License]:
    """By the expression, else by the name, else by the classifiers. ValueError where there is none of them."""
    make = LicenseFactory()
    if expression := metadata["License-Expression"]:
        return [make.make_from_string(expression)]
    named = str(metadata["License"] or "").strip()
    if not SAYS_NOTHING.fullmatch(named):
        return [make.make_from_string(named)]
    classifiers = [str(one) for one in metadata.get_all("Classifier") or []]
    names = [one.rsplit(" :: ", 1)[1] for one in classifiers if one.startswith("License :: ")]
    if not names:
        raise ValueError(f"{metadata['Name']} {metadata['Version']} names no licence")
    return [DisjunctiveLicense(name=one) for one in sorted(names)]


def carried(files: Files, folder: str, owner: str) -> Iterator[Component]:
    """What the bills in a distribution's own folder sboms/ (PEP 770) list, under references of ours."""
    for path in sorted(files):
        if path.startswith(folder):
            components = [
                {field: value for field, value in component.items() if field not in LEFT_OUT}
                for component in json.loads(files[path]).get("components", [])
            ]
            inner = Bom.from_json({"components": components})  # type: ignore[attr-defined]  # added by its decorator
            for index, component in enumerate(inner.components):
                component.bom_ref.value = f"{owner}#{Path(path).name}-{index}"
                yield component


def as_json(bom: Bom) -> str:
    """CycloneDX 1.6."""
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)


def main(arguments: list[str]) -> int:
    """Writes the bills; 2 for arguments that cannot be used, 1 where an image cannot be read."""
    folder, *images = arguments or [""]
    if not images or not all("=" in image for image in images):
        sys.stderr.write("usage: python -m images.sbom <folder> <name>=<image> ...\n")
        return 2
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, image in (given.split("=", 1) for given in images):
        try:
            files, identity = files_of(image)
            text = as_json(bill(name, identity, files))
        except (RuntimeError, ValueError) as error:
            sys.stderr.write(f"error: {name}: {error}\n")
            return 1
        path = Path(folder, f"{name}.cdx.json")
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
