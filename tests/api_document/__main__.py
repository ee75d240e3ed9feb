"""Writes the OpenAPI document where the function serves it: `python -m tests.api_document`."""

from tests.api_document.conformance import FILE
from tests.api_document.write import whole_document

FILE.write_text(whole_document(), encoding="utf-8")
print(f"wrote {FILE}")  # noqa: T201 - what a command says
