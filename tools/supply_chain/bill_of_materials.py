"""The shipped packages: `python -m tools.supply_chain.bill_of_materials` writes them into docs/, `--check` compares.

`docs/sbom.cdx.json` is a CycloneDX bill of materials, `docs/dependencies.md` the same for people. CycloneDX's own tool
knows the hashes of pinned requirements, and the licences of installed packages, but not both of one package, so this
asks it twice. The same requirements give the same bytes.
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
TOOLS = PROJECT / ".build/supply-chain/bin"
SHIPPED = PROJECT / "layers/requirements.txt"
WANTED = PROJECT / "requirements/layer.in"
BILL = PROJECT / "docs/sbom.cdx.json"
PAGE = PROJECT / "docs/dependencies.md"
VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
sys.exit(JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read()))
"""
HEAD = """\
# Shipped packages

The layer ships these packages: its own requirements, and theirs in turn. All are pinned, and installed only if their
hash is in `layers/requirements.txt`. `make sbom` writes this page and `sbom.cdx.json`, the same list as a CycloneDX
bill of materials; `tests/unit/test_bill_of_materials.py` says which licences are allowed.

| Package | Version | Licence, as the package declares it | Used by |
|---|---|---|---|
"""

type Json = dict[str, Any]


def bill_of_materials(pinned: Json, installed: Json, wanted: Iterable[str]) -> Json:
    """The bill of the installed packages without those that are not pinned, with the hashes of those that are.

    A package has a hash for each of its files, because the processor decides which of them is installed. `wanted` names
    the packages that the project itself imports. Fails if another version than the pinned one is installed.
    """
    hashes = {component["purl"]: _hashes(component) for component in pinned["components"]}
    components = [
        {**_without_links(component), "hashes": hashes.pop(component["purl"])}
        for component in installed["components"]
        if component["purl"] in hashes
    ]
    if hashes:
        raise LookupError(f"not installed: {', '.join(hashes)}")
    refs = {component["bom-ref"]: name_of(component) for component in components}
    root = installed["metadata"]["component"]["bom-ref"]
    needs = {entry["ref"]: entry.get("dependsOn", []) for entry in installed["dependencies"]}
    needs[root] = [ref for ref, name in refs.items() if name in set(wanted)]
    tools = [_without_links(tool) for tool in installed["metadata"]["tools"]["components"]]
    return {
        **installed,
        "metadata": {**installed["metadata"], "tools": {"components": tools}},
        "components": components,
        "dependencies": [
            {"ref": ref, "dependsOn": sorted(refs.keys() & needs[ref])} for ref in sorted(refs.keys() | {root})
        ],
    }


def _without_links(component: Json) -> Json:
    return {key: value for key, value in component.items() if key != "externalReferences"}


def _hashes(component: Json) -> list[Json]:
    return [digest for reference in component["externalReferences"] for digest in reference.get("hashes", [])]


def name_of(component: Json) -> str:
    """A package's name as requirements spell it."""
    return str(component["purl"]).removeprefix("pkg:pypi/").partition("@")[0]


def licences_of(component: Json) -> list[str]:
    """The licences that a package declares: SPDX IDs or expressions, or else the words of its classifiers."""
    declared = [entry.get("expression") or entry["license"].get("id") for entry in component.get("licenses", [])]
    if any(declared):
        return [licence for licence in declared if licence]
    return [entry["license"]["name"].rpartition(" :: ")[2] for entry in component.get("licenses", [])]


def page(bill: Json) -> str:
    """The bill as a table in Markdown."""
    names = {component["bom-ref"]: name_of(component) for component in bill["components"]}
    names[bill["metadata"]["component"]["bom-ref"]] = "the project"
    used_by = {
        ref: [names[entry["ref"]] for entry in bill["dependencies"] if ref in entry["dependsOn"]] for ref in names
    }
    rows = sorted(
        (name_of(one), one["version"], ", ".join(licences_of(one)), ", ".join(used_by[one["bom-ref"]]))
        for one in bill["components"]
    )
    return HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def written() -> dict[Path, str]:
    """The files and what must be in them, as it follows from the requirements; the bill is valid."""
    installed = _cyclonedx("environment", str(PROJECT / ".venv"))
    pinned = _cyclonedx("requirements", str(SHIPPED))
    wanted = [line.partition("==")[0] for line in WANTED.read_text(encoding="utf-8").splitlines()]
    bill = bill_of_materials(pinned, installed, wanted)
    text = json.dumps(bill, indent=2, sort_keys=True) + "\n"
    subprocess.run([str(TOOLS / "python"), "-c", VALIDATE], input=text, text=True, check=True)  # noqa: S603
    return {BILL: text, PAGE: page(bill)}


def _cyclonedx(*arguments: str) -> Json:
    """The bill that CycloneDX's tool makes, without times and random numbers."""
    always = ("--pyproject", "pyproject.toml", "--spec-version", "1.6", "--output-reproducible")
    finished = subprocess.run(  # noqa: S603 - from this project's own environment
        [str(TOOLS / "cyclonedx-py"), *arguments, *always], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if finished.returncode:
        raise RuntimeError(finished.stderr)
    return dict(json.loads(finished.stdout))


if __name__ == "__main__":
    for file, text in written().items():
        if "--check" not in sys.argv:
            file.write_text(text, encoding="utf-8")
        elif not file.exists() or file.read_text(encoding="utf-8") != text:
            sys.exit(f"{file.relative_to(PROJECT)} is out of date: `make sbom` writes it.")
