"""The document as it is checked in."""

import json

from tools.in_memory.api import API_FUNCTIONS, app
from tools.openapi.document import document
from tools.openapi.examples import examples


def whole_document() -> str:
    """As the functions make it now."""
    operations = [operation for function in API_FUNCTIONS for operation in app(function).api.operations]
    return json.dumps(document(operations, examples()), indent=1, ensure_ascii=False) + "\n"
