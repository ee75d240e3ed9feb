"""The digest of the layer that stands in the template: `python -m tools.local_stack.layer_digest`, or `--check`.

An alias gets a new version of its function only when SAM sees the function itself differ, and SAM does not see that its
layer does (https://github.com/aws/serverless-application-model/issues/3610): without the digest among the function's
properties, a release that changes the layer alone would be deployed and never run.
"""

import hashlib
import re
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
TEMPLATE = PROJECT / "template.yaml"
LAYER = PROJECT / "layers"
SOURCES = {".py", ".txt", ".mk"}
IN_THE_TEMPLATE = re.compile(r"(?<=LAYER_SHA256: \")\w+")


def layer_digest() -> str:
    """The digest of the layer's sources: names and contents."""
    digest = hashlib.sha256()
    for file in sorted(path for path in LAYER.rglob("*") if path.suffix in SOURCES or path.name == "Makefile"):
        digest.update(f"{file.relative_to(LAYER).as_posix()}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def digest_in_the_template() -> str:
    """The digest that was written last."""
    return str(IN_THE_TEMPLATE.findall(TEMPLATE.read_text(encoding="utf-8"))[0])


def write_digest() -> None:
    """Brings the template up to date with the layer."""
    if digest_in_the_template() != (digest := layer_digest()):
        text = TEMPLATE.read_text(encoding="utf-8")
        TEMPLATE.write_text(IN_THE_TEMPLATE.sub(digest, text), encoding="utf-8")


if __name__ == "__main__":
    if "--check" not in sys.argv:
        write_digest()
    elif digest_in_the_template() != layer_digest():
        sys.exit("The layer has changed: `make build` writes its digest into template.yaml, so that it is deployed.")
