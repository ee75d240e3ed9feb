"""No secret in the files and their history: `python -m tools.supply_chain.secret_scan`, by Kingfisher.

`security/kingfisher.yaml` lists texts that only look like secrets. A scan that has stopped finding anything looks like
a clean repository, so a secret of each kind that would hurt is planted first, in a folder of its own, and must be
found.
"""

import json
import subprocess
import sys
from pathlib import Path
from secrets import token_hex, token_urlsafe
from tempfile import TemporaryDirectory

PROJECT = Path(__file__).parents[2]
KINGFISHER = PROJECT / ".build/supply-chain/bin/kingfisher"


def scan(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Kingfisher's findings in a folder and its git history, as it prints them; nothing is asked of any network."""
    command = ["scan", str(folder), "--config", "security/kingfisher.yaml", "--no-update-check", "--quiet", *options]
    return subprocess.run(  # noqa: S603 - Kingfisher, from this project's own environment
        [str(KINGFISHER), *command], cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=False
    )


def planted() -> dict[str, str]:
    """A fresh invented secret of each kind, as it could stand in a file, by the rule that must find it."""
    return {
        "amazon.lwa-client-secret": f'"clientSecret": "amzn1.oa2-cs.v1.{token_hex(32)}"',
        "amazon.lwa-client-secret-old": f'client_secret = "{token_hex(32)}"',
        "amazon.lwa-token": f'"refreshToken": "Atzr|{token_urlsafe(256)}"',
        "betterleaks.aws-access-token": f'key = "AKIA{_base32(16)}"\nsecret = "{_base32(20)}{token_hex(10)}"',
        "betterleaks.private-key": f"-----BEGIN PRIVATE KEY-----\n{token_urlsafe(600)}\n-----END PRIVATE KEY-----",
    }


def _base32(length: int) -> str:
    return "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte % 32] for byte in bytes.fromhex(token_hex(length)))


def rules_that_find(secrets: dict[str, str]) -> set[str]:
    """The ids of the rules that find something in files with these secrets."""
    with TemporaryDirectory() as folder:
        for number, text in enumerate(secrets.values()):
            (Path(folder) / f"planted_{number}.py").write_text(f"{text}\n", encoding="utf-8")
        printed = scan(Path(folder), "--format", "json").stdout
    return {finding["rule"]["id"] for finding in json.loads(printed)["findings"]}


def main() -> int:
    """0 if every planted secret is found and the repository holds none; Kingfisher's findings are printed."""
    secrets = planted()
    if missed := secrets.keys() - rules_that_find(secrets):
        print(f"The scan does not find planted secrets of {', '.join(sorted(missed))}.", file=sys.stderr)  # noqa: T201
        return 1
    repository = scan(PROJECT)
    clean = f"No secret in the files and their history; {len(secrets)} planted ones were found."
    print(clean if repository.returncode == 0 else repository.stdout)  # noqa: T201
    return repository.returncode


if __name__ == "__main__":
    sys.exit(main())
