"""Known vulnerabilities of all pinned packages: `python -m tools.supply_chain.audit`, by pip-audit and https://osv.dev.

Without the service there is no result, and the program says so loudly, because that is no success. pip-audit alone
cannot tell: if the service does not know the packages, it reports none as vulnerable; without a network, it ends as it
does on a finding. So the program first asks the service about a version that everybody knows to be vulnerable.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

PROJECT = Path(__file__).parents[2]
PIP_AUDIT = PROJECT / ".build/supply-chain/bin/pip-audit"
ACCEPTED = PROJECT / "security/accepted_vulnerabilities.toml"
OSV = "https://api.osv.dev/v1/query"
# CVE-2020-26137, among others. A service that does not know it knows nothing.
KNOWN_TO_BE_VULNERABLE = {"package": {"ecosystem": "PyPI", "name": "urllib3"}, "version": "1.24.1"}

type PipAudit = Callable[[list[str]], int]
"""Runs pip-audit with these arguments, prints what it says unless all is well, and gives its exit code: 0 is well."""


def pinned_requirements() -> list[Path]:
    """Every file of hashed requirements: the shipped layer first, then the tools and the benchmarks."""
    usual = PROJECT / "benchmarks/usual/handler/orders/requirements.txt"
    return [PROJECT / "layers/requirements.txt", *sorted((PROJECT / "requirements").glob("*.txt")), usual]


def passed_over(accepted: Iterable[dict[str, Any]], today: date) -> list[str]:
    """The ids of the accepted vulnerabilities (`id`, `until`, ...) that nobody must look at again yet."""
    return [vulnerability["id"] for vulnerability in accepted if today <= vulnerability["until"]]


def why_not(service: str) -> str | None:
    """Why this OSV service cannot be asked; None if it can."""
    body = json.dumps(KNOWN_TO_BE_VULNERABLE).encode()
    try:
        with urlopen(Request(service, body), timeout=10) as answer:  # noqa: S310 - the one above
            knows = bool(json.load(answer).get("vulns"))
    except (OSError, ValueError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"
    return None if knows else "it knows no vulnerability of urllib3 1.24.1"


def audit(files: Iterable[Path], ignored: Iterable[str], pip_audit: PipAudit, service: str) -> tuple[int, str]:
    """An exit code and a text: 0 if nothing is known against any pin, or if the service cannot be asked.

    Files that cannot be read, or do not pin everything with hashes, fail either way.
    """
    unreachable = why_not(service)
    how = ["--dry-run"] if unreachable else ["--vulnerability-service", "osv", "--osv-url", service]
    how += ["--strict", "--require-hashes", "--disable-pip", "--progress-spinner", "off"]
    how += [option for vulnerability in ignored for option in ("--ignore-vuln", vulnerability)]
    names = [str(file) for file in files]
    if failed := [name for name in names if pip_audit([*how, "--requirement", name])]:
        return 1, f"AUDIT FAILED, as shown above: {', '.join(failed)}"
    if unreachable:
        return 0, f"AUDIT SKIPPED: NO PACKAGE WAS CHECKED FOR VULNERABILITIES. {service} cannot be asked: {unreachable}"
    return 0, f"AUDIT PASSED: no known vulnerability in the packages that {len(names)} files pin."


def run_pip_audit(arguments: list[str]) -> int:
    """As `PipAudit`."""
    finished = subprocess.run(  # noqa: S603 - pip-audit, from this project's own environment
        [str(PIP_AUDIT), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if finished.returncode:
        print(arguments[-1], finished.stdout, sep="\n")  # noqa: T201
    return finished.returncode


def main(service: str = OSV) -> int:
    """Audits this project; prints one line that nobody overlooks in a log."""
    accepted = tomllib.loads(ACCEPTED.read_text(encoding="utf-8")).get("accepted", [])
    ignored = passed_over(accepted, datetime.now(UTC).date())
    code, line = audit(pinned_requirements(), ignored, run_pip_audit, service)
    print(f"\n*** {line}\n")  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main())
