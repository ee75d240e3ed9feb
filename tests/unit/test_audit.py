"""The audit of pinned packages: findings and unreadable files fail, and silence is never taken for health."""

import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tools.supply_chain.audit import ACCEPTED, audit, passed_over, pinned_requirements, why_not

NOBODY_IS_THERE = "http://127.0.0.1:1/v1/query"
FILES = [Path("layer.txt"), Path("tools.txt")]
KNOWS_IT = {"vulns": [{"id": "CVE-2020-26137"}]}


@contextmanager
def a_service(answer: object, status: int = 200) -> Iterator[str]:
    """An OSV service on this machine that answers every query so."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/query"
        finally:
            server.shutdown()
            thread.join()


class PipAudit:
    """Ends well but for these files, and remembers how it was called."""

    def __init__(self, fails_on: str = "") -> None:
        self.calls: list[list[str]] = []
        self.fails_on = fails_on

    def __call__(self, arguments: list[str]) -> int:
        self.calls.append(arguments)
        return int(arguments[-1] == self.fails_on)


def test_a_finding_in_any_file_fails() -> None:
    with a_service(KNOWS_IT) as service:
        code, line = audit(FILES, [], PipAudit(fails_on="tools.txt"), service)
    assert code == 1
    assert "FAILED" in line
    assert line.endswith("tools.txt")


def test_every_file_is_audited_strictly_against_the_service() -> None:
    pip_audit = PipAudit()
    with a_service(KNOWS_IT) as service:
        code, line = audit(FILES, ["CVE-1"], pip_audit, service)
    assert (code, line.split(":")[0]) == (0, "AUDIT PASSED")
    assert [call[-2:] for call in pip_audit.calls] == [["--requirement", "layer.txt"], ["--requirement", "tools.txt"]]
    for call in pip_audit.calls:
        assert {"--strict", "--require-hashes", "--disable-pip"} <= set(call)
        assert call[call.index("--osv-url") + 1] == service
        assert call[call.index("--ignore-vuln") + 1] == "CVE-1"
        assert "--dry-run" not in call


def test_without_the_service_the_audit_is_skipped_and_says_so_loudly() -> None:
    code, line = audit(FILES, [], PipAudit(), NOBODY_IS_THERE)
    assert code == 0
    assert line.startswith("AUDIT SKIPPED: NO PACKAGE WAS CHECKED")


def test_without_the_service_a_file_that_cannot_be_read_fails_all_the_same() -> None:
    pip_audit = PipAudit(fails_on="layer.txt")
    code, line = audit(FILES, [], pip_audit, NOBODY_IS_THERE)
    assert (code, line.split(",")[0]) == (1, "AUDIT FAILED")
    assert all("--dry-run" in call for call in pip_audit.calls)


@pytest.mark.parametrize(
    ("answer", "status"),
    [({}, 200), ({"vulns": []}, 200), ([], 200), ("<html>Sign in</html>", 200), (KNOWS_IT, 404), (KNOWS_IT, 500)],
)
def test_a_service_that_does_not_know_what_everybody_knows_is_none(answer: object, status: int) -> None:
    with a_service(answer, status) as service:
        assert why_not(service)


def test_a_service_that_knows_what_everybody_knows_can_be_asked() -> None:
    with a_service(KNOWS_IT) as service:
        assert why_not(service) is None


def test_an_accepted_vulnerability_is_passed_over_until_its_day() -> None:
    listed = [{"id": "CVE-1", "until": date(2027, 1, 31)}]
    assert passed_over(listed, date(2027, 1, 31)) == ["CVE-1"]
    assert passed_over(listed, date(2027, 2, 1)) == []


def test_every_accepted_vulnerability_names_its_package_a_day_and_a_reason() -> None:
    for accepted in tomllib.loads(ACCEPTED.read_text(encoding="utf-8")).get("accepted", []):
        assert accepted.keys() == {"id", "package", "until", "reason"}
        assert accepted["reason"]


def test_every_pinned_package_is_audited_and_shipped_ones_come_first() -> None:
    first, *others = pinned_requirements()
    assert first.parent.name == "layers"
    project = first.parents[1]
    makefile = (project / "Makefile").read_text(encoding="utf-8")
    compiled = dict(re.findall(r"\(call compile,([\w-]+\.in),(\S+)\)", makefile))
    assert compiled.keys() == {file.name for file in project.glob("requirements/*.in")}
    assert {first, *others} == {project / file for file in compiled.values()}
