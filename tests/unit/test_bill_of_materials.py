"""The bill of materials: the packages that the layer ships, and their licences."""

import json
import re
from typing import Any

import pytest

from tools.supply_chain.bill_of_materials import (
    BILL,
    PAGE,
    SHIPPED,
    bill_of_materials,
    licences_of,
    name_of,
    page,
)

SHIPPED_BILL: dict[str, Any] = json.loads(BILL.read_text(encoding="utf-8"))
NOTHING_BUT_A_NOTICE = "permissive: its notice stays with the package"
MAY_BE_SHIPPED = {
    "Apache-2.0": NOTHING_BUT_A_NOTICE,
    "Apache Software License": NOTHING_BUT_A_NOTICE,
    "BSD-3-Clause": NOTHING_BUT_A_NOTICE,
    "BSD License": NOTHING_BUT_A_NOTICE,
    "ISC": NOTHING_BUT_A_NOTICE,
    "MIT": NOTHING_BUT_A_NOTICE,
    "MIT-0": NOTHING_BUT_A_NOTICE,
    "PSF-2.0": NOTHING_BUT_A_NOTICE,
    "Unlicense": "public domain",
    "MPL-2.0": "weak copyleft: a changed file of certifi would have to be published; none is changed",
    "LGPL-2.1-or-later": "weak copyleft: nameparser is shipped unchanged, as a folder of its own that can be replaced",
}


def a_component(name: str, version: str = "1.0", **more: object) -> dict[str, Any]:
    return {"bom-ref": f"{name}=={version}", "purl": f"pkg:pypi/{name}@{version}", "version": version, **more}


def pinned(*components: dict[str, Any]) -> dict[str, Any]:
    links = [{"type": "distribution", "hashes": [{"alg": "SHA-256", "content": "abc"}]}]
    return {"components": [{**component, "externalReferences": links} for component in components]}


def installed(*components: dict[str, Any], **needs: list[str]) -> dict[str, Any]:
    return {
        "metadata": {"component": {"bom-ref": "root"}, "tools": {"components": []}},
        "components": list(components),
        "dependencies": [
            {"ref": "root"},
            *({"ref": one["bom-ref"], "dependsOn": needs.get(name_of(one), [])} for one in components),
        ],
    }


def test_the_bill_lists_exactly_what_the_layer_pins_with_the_same_hashes() -> None:
    pins = re.findall(r"^(\S+)==(\S+) \\\n((?: +--hash=sha256:\w+(?: \\)?\n)+)", SHIPPED.read_text(), re.MULTILINE)
    assert len(pins) > 20
    assert {(name, version, tuple(re.findall(r"sha256:(\w+)", hashes))) for name, version, hashes in pins} == {
        (name_of(one), one["version"], tuple(digest["content"] for digest in one["hashes"]))
        for one in SHIPPED_BILL["components"]
    }


@pytest.mark.parametrize("component", SHIPPED_BILL["components"], ids=name_of)
def test_only_packages_under_allowed_licences_are_shipped(component: dict[str, Any]) -> None:
    licences = licences_of(component)
    assert licences
    assert [licence for licence in licences if licence not in MAY_BE_SHIPPED] == []


def test_the_page_says_what_the_bill_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(SHIPPED_BILL)


def test_a_package_only_for_development_is_not_in_the_bill() -> None:
    told = installed(a_component("boto3"), a_component("pytest"), boto3=["pytest==1.0"], pytest=["boto3==1.0"])
    bill = bill_of_materials(pinned(a_component("boto3")), told, ["boto3"])
    assert [name_of(component) for component in bill["components"]] == ["boto3"]
    assert bill["dependencies"] == [
        {"ref": "boto3==1.0", "dependsOn": []},
        {"ref": "root", "dependsOn": ["boto3==1.0"]},
    ]


def test_licences_come_from_the_installed_package_and_hashes_from_the_pins() -> None:
    told = installed(a_component("six", licenses=[{"license": {"id": "MIT"}}], externalReferences=[{"url": "x"}]))
    (component,) = bill_of_materials(pinned(a_component("six")), told, [])["components"]
    assert component == {
        **a_component("six"),
        "licenses": [{"license": {"id": "MIT"}}],
        "hashes": [{"alg": "SHA-256", "content": "abc"}],
    }


def test_another_version_than_the_pinned_one_is_no_source_of_licences() -> None:
    with pytest.raises(LookupError, match=r"six@2\.0"):
        bill_of_materials(pinned(a_component("six", "2.0")), installed(a_component("six", "1.0")), [])


@pytest.mark.parametrize(
    ("declared", "read"),
    [
        ([{"expression": "MIT OR Apache-2.0"}], ["MIT OR Apache-2.0"]),
        ([{"license": {"id": "MIT"}}, {"license": {"name": "License :: OSI Approved :: MIT License"}}], ["MIT"]),
        ([{"license": {"name": "License :: OSI Approved :: BSD License"}}], ["BSD License"]),
        ([], []),
    ],
)
def test_a_licence_is_read_from_spdx_before_classifiers(declared: list[Any], read: list[str]) -> None:
    assert licences_of(a_component("x", licenses=declared)) == read
