"""What checkov finds in the template and the Dockerfiles, against what is accepted with a reason. Calls nobody.

The template is shown to it as each set of VARIANTS makes it, with every reference followed: of a value that depends on
a parameter checkov otherwise knows only that there is one. Run as a program it says what is wrong, and fails then.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from tests.template import ROOT, VARIANTS, Json, Stack, translated

ACCEPTED = ROOT / ".ci" / "checkov.yaml"
CHECKOV = ROOT / ".venv-checkov" / "bin" / "checkov"
WORKFLOWS = ".github/workflows"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that one resource breaks."""

    check: str
    resource: str
    where: str
    """The set of parameters, or the file."""
    title: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """What may be found, and must be."""

    check: str
    of: str
    because: str
    unless: str | None = None

    def covers(self, finding: Finding, variants: Mapping[str, Mapping[str, str]]) -> bool:
        """Whether this is about that finding. `variants` are the sets of parameters by name."""
        given = variants.get(finding.where, {})
        return (
            finding.check == self.check
            and fnmatchcase(finding.resource, self.of)
            and (self.unless is None or self.unless not in given)
        )


def judged(
    found: Iterable[Finding], accepted: Iterable[Accepted], variants: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """One sentence for each finding that nothing accepts and for each acceptance that nothing needs, sorted."""
    found, accepted = list(found), list(accepted)
    places: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for one in found:
        if not any(entry.covers(one, variants) for entry in accepted):
            places[one.check, one.resource, one.title].add(one.where)
    unknown = {
        f"{check} {resource} in {', '.join(sorted(where))}: {title}"
        for (check, resource, title), where in places.items()
    }
    stale = {
        f"{entry.check} {entry.of} is accepted and no longer found: take it out of {ACCEPTED.relative_to(ROOT)}"
        for entry in accepted
        if not any(entry.covers(one, variants) for one in found)
    }
    return sorted(unknown | stale)


def read_accepted() -> list[Accepted]:
    """The entries of .ci/checkov.yaml. TypeError for one with an unknown or a missing field."""
    return [Accepted(**entry) for entry in yaml.safe_load(ACCEPTED.read_text(encoding="utf-8"))]


def findings(reports: Json, given: Iterable[str]) -> list[Finding]:
    """What fails in checkov's JSON: a report, or a list of one for each kind of file.

    RuntimeError where it says nothing of one of the files it was `given`, each as /path: it passes over what it cannot
    read.
    """
    reports = [one for one in (reports if isinstance(reports, list) else [reports]) if "results" in one]
    judged_files = {
        judgement["file_path"]
        for report in reports
        for outcome in ("passed_checks", "failed_checks")
        for judgement in report["results"][outcome]
    }
    if unread := sorted(set(given) - judged_files):
        raise RuntimeError(f"checkov said nothing of {', '.join(unread)}")
    return [
        Finding(
            failed["check_id"],
            failed["resource"],
            Path(failed["file_path"]).stem if report["check_type"] == "cloudformation" else failed["file_path"],
            failed["check_name"],
        )
        for report in reports
        for failed in report["results"]["failed_checks"]
    ]


def write_as_made(folder: Path) -> None:
    """One template for each of VARIANTS: the resources that are there, with every reference followed."""
    for variant, values in VARIANTS.items():
        stack = Stack(translated(parameters=values), values)
        resources = {name: {**given, "Properties": stack.properties(name)} for name, given in stack.resources.items()}
        made = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
        (folder / f"{variant}.json").write_text(json.dumps(made, indent=2), encoding="utf-8")


def written(*patterns: str) -> list[str]:
    """The tracked files that git's patterns match."""
    listed = subprocess.run(["git", "ls-files", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.split()


def looked_through() -> list[Finding]:
    """What checkov finds, without asking its makers' servers for anything."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "template"
        made.mkdir()
        write_as_made(made)
        files = Path(folder) / "files"
        for name in written("*Dockerfile*", f"{WORKFLOWS}/*.yml"):
            (files / name).parent.mkdir(parents=True, exist_ok=True)
            (files / name).write_bytes((ROOT / name).read_bytes())
        found = []
        for root, kinds in ((made, ["cloudformation"]), (files, ["dockerfile", "github_actions"])):
            ran = subprocess.run(
                [CHECKOV, "--directory", ".", "--framework", *kinds, "--skip-download", "--output", "json"],
                cwd=root, env={**os.environ, "LOG_LEVEL": "ERROR"}, capture_output=True, text=True,
            )  # fmt: skip
            if ran.returncode not in (0, 1):
                raise RuntimeError(f"checkov failed: {ran.stderr[-2000:]}")
            paths = [f"/{path.relative_to(root)}" for path in root.rglob("*") if path.is_file()]
            found += findings(json.loads(ran.stdout), paths)
    return found


if __name__ == "__main__":
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of what only AWS's own copy of it has
    entries = read_accepted()
    wrong = judged(looked_through(), entries, VARIANTS)
    said = wrong or [f"checkov: nothing but {len(entries)} accepted findings, each with its reason"]
    sys.stdout.write("".join(f"{line}\n" for line in said))
    sys.exit(bool(wrong))
