"""Writes the OpenAPI document where the function serves it: `python -m tools.openapi`."""

from tools.openapi.conformance import FILE
from tools.openapi.write import whole_document

FILE.write_text(whole_document(), encoding="utf-8")
print(f"wrote {FILE}")  # noqa: T201 - what a command says
