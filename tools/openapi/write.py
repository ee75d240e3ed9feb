"""The document as it is checked in."""

import json

from needs_attention.api.operations import Operation
from tools.in_memory.api import API_FUNCTIONS, app
from tools.openapi.document import document
from tools.openapi.examples import examples


def operations() -> list[Operation]:
    """Every operation of the functions behind the API."""
    return [operation for function in API_FUNCTIONS for operation in app(function).api.operations]


def whole_document() -> str:
    """As the functions make it now."""
    return json.dumps(document(operations(), examples()), indent=1, ensure_ascii=False) + "\n"
