"""The document as it is checked in."""

import json

from tests.api_document.document import document
from tests.api_document.examples import examples
from tests.integration.conftest import API_FUNCTIONS, app


def whole_document() -> str:
    """As the functions make it now."""
    operations = [operation for function in API_FUNCTIONS for operation in app(function).api.operations]
    return json.dumps(document(operations, examples()), indent=1, ensure_ascii=False) + "\n"
