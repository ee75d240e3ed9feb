"""The shapes of the API's answers, as its OpenAPI document tells them. Every answer in the tests is held against them.

Where an answer shows a value as it is stored, the value's own model is its shape. All members are always there, null
where there is nothing to say, but for those that say NotRequired.
"""

from typing import Annotated

from pydantic import Field, WithJsonSchema

Instant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Url = Annotated[str, WithJsonSchema({"type": "string", "format": "uri"})]
FieldCode = Annotated[str, Field(description="A field's name, e.g. `email` or `deliveryAddress`")]

"""From one revision to another, both included."""
