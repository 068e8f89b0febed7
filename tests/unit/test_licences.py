"""Licences as packages tell them, and as docs/licences.md lists them."""

from email.message import Message

import pytest
from cyclonedx.model.license import LicenseExpression

from images.licences import SECTIONS, listed_in, listed_on, main, page, unlisted
from images.sbom import bill, licences_of_debian, licences_of_python

BILL = {
    "components": [
        {"name": "libc6", "purl": "pkg:deb/debian/libc6@2", "licenses": [{"license": {"name": "LGPL-2.1+"}}]},
        {
            "name": "obstore",
            "purl": "pkg:pypi/obstore@0.12",
            "licenses": [{"license": {"id": "MIT"}}],
            "components": [{"name": "ring", "licenses": [{"expression": "Apache-2.0 AND ISC"}]}, {"name": "libgomp"}],
        },
    ]
}
LISTED = {
    "pypi": {"obstore": {"MIT"}, "obstore: built in": {"Apache-2.0 AND ISC", "not said"}},
    "deb": {"libc6": {"LGPL-2.1+"}},
}


def test_a_bills_licences_are_listed_by_package_and_what_a_wheel_was_built_of_beside_it() -> None:
    assert listed_in(iter([BILL, BILL])) == LISTED
    assert LISTED.keys() == SECTIONS.keys()


def test_what_the_page_lists_is_read_back_from_it() -> None:
    assert listed_on(page(LISTED)) == LISTED
    assert unlisted(LISTED, page(LISTED)) == []


def test_a_licence_that_is_not_listed_for_its_package_is_named() -> None:
    found = {"pypi": {"obstore": {"MIT", "GPL-3.0-only"}, "new": {"MIT"}}, "deb": {}}
    assert unlisted(found, page(LISTED)) == [
        "new: MIT is not listed in docs/licences.md; read it, then: make licences",
        "obstore: GPL-3.0-only is not listed in docs/licences.md; read it, then: make licences",
    ]


def test_the_page_is_not_looked_at_without_a_bill(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build/sbom/nowhere.cdx.json"]) == 2
    assert capsys.readouterr().err == "error: there is no build/sbom/nowhere.cdx.json; run: make sbom\n"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([("License-Expression", "MIT OR Apache-2.0"), ("License", "other")], {"MIT OR Apache-2.0"}),
        ([("License-Expression", "MIT")], {"MIT"}),
        ([("License", "ISC License")], {"ISC License"}),
        ([("License", "UNKNOWN"), ("Classifier", "License :: OSI Approved :: MIT License")], {"MIT License"}),
        ([("License", "Copyright (c) me\n All of it"), ("Classifier", "License :: A"), ("Classifier", "Topic :: B"),
          ("Classifier", "License :: C")], {"A", "C"}),
    ],
)  # fmt: skip
def test_a_package_of_pythons_says_its_licence_by_expression_name_or_classifier(
    fields: list[tuple[str, str]], said: set[str]
) -> None:
    metadata = Message()
    for field, value in [("Name", "x"), ("Version", "1"), *fields]:
        metadata.add_header(field, value)
    found = licences_of_python(metadata)
    names = {one.value if isinstance(one, LicenseExpression) else one.id or one.name for one in found}
    assert names == said


def test_one_that_says_none_is_refused() -> None:
    metadata = Message()
    metadata["Name"], metadata["Version"] = "x", "1"
    with pytest.raises(ValueError, match=r"^x 1 names no licence$"):
        licences_of_python(metadata)


def test_a_package_of_debians_says_its_licences_in_a_file_for_machines_or_for_people() -> None:
    path = "usr/share/doc/x/copyright"
    machine = b"Format: https://...\nFiles: *\nLicense: GPL-2+\n text\n\nFiles: a\nLicense:  Expat \nLicense: GPL-2+\n"
    assert licences_of_debian("x", {path: machine}) == ["Expat", "GPL-2+"]
    for_people = [f"as written in /{path}"]
    assert licences_of_debian("x", {path: b"License: do what you like\n"}) == for_people
    assert licences_of_debian("x", {}) == for_people


def test_a_file_system_without_debians_list_has_no_bill() -> None:
    with pytest.raises(ValueError, match=r"^the image holds no var/lib/dpkg/status; is it made of Debian\?$"):
        bill("x", "sha256:0", {})
