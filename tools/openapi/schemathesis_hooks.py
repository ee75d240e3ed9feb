"""Facts about this API that its document cannot tell Schemathesis: the form of a sheet, and refusals beyond schemas.

Loaded by Schemathesis in its own environment (`SCHEMATHESIS_HOOKS`), where nothing of this project can be imported.
"""

import csv
import io
import json
import os
import zlib
from itertools import count
from typing import Any

import schemathesis
from hypothesis import strategies as st

# The codes that may refuse a request that fits its schema: for the state of the system, or for the time.
REFUSED_FOR_HOW_THINGS_ARE = {
    "changedMeanwhile",
    "contradiction",
    "idempotencyKeyUsed",
    "inTheFuture",
    "inThePast",
    "invalidCursor",
    "invalidIfMatch",
    "meansHeld",
    "noDeliveryAddress",
    "notAnAddress",
    "notLater",
    "notUnique",
    "otherRegion",
    "overridesNothing",
    "required",
    "sortNeedsStage",
    "tooLate",
    "tooOld",
    "unknownIntegration",
    "unknownStage",
    "yearOutOfRange",
}
COLUMNS = ["orderId", "revision", "email", "firstName", "deliveryAddress.city", "keepTyped", "takeAmazons", "stage"]
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=30)


def sheet(rows: list[list[str]]) -> str:
    """A sheet with the columns that an export has."""
    text = io.StringIO()
    csv.writer(text).writerows([COLUMNS, *rows])
    return text.getvalue()


ROWS = st.lists(st.lists(CELLS, min_size=len(COLUMNS), max_size=len(COLUMNS)), min_size=1, max_size=5)
SHEET_TYPES = ("text/csv", "application/vnd.ms-excel")
for media_type in SHEET_TYPES:
    schemathesis.openapi.media_type(media_type, ROWS.map(sheet).map(str.encode))


@schemathesis.hook
def before_load_schema(_: Any, raw_schema: dict[str, Any]) -> None:
    """Schemathesis sends no example of a media type that has a strategy of its own."""
    for media_type in SHEET_TYPES:
        raw_schema["paths"]["/orders.csv"]["post"]["requestBody"]["content"][media_type].pop("examples", None)


@schemathesis.hook
def filter_body(_: Any, body: Any) -> bool:
    """No texts with blanks around them: these do not count for a text's length, which no schema can say."""
    match body:
        case dict():
            return all(filter_body(None, part) for part in body.values())
        case list():
            return all(filter_body(None, part) for part in body)
        case str():
            return body == body.strip()
    return True


# Names of existing things, by the part of a path that takes them: an invented name finds nothing.
REAL: dict[str, list[str]] = json.loads(os.environ["REAL_NAMES"])

NUMBERS = count()
ALL_INTEGRATIONS = [{"integrationId": name} for name in REAL["integrationId"]]


@schemathesis.hook
def map_case(_: Any, case: Any) -> Any:
    """Points two of three right requests at existing things, unless an earlier answer named their target.

    The integration with the orders is never removed. A key that chance draws twice would have what was made and removed
    between answered as if it were there.
    """
    names = case.path_parameters or {}
    is_told = case.meta is not None and case.meta.phase.name.name == "STATEFUL"
    is_right = case.meta is None or case.meta.generation.mode.is_positive
    chance = zlib.crc32(json.dumps([names, case.query], default=str).encode())
    if is_right and not is_told and chance % 3:
        for name in REAL.keys() & names.keys():
            names[name] = REAL[name][chance % len(REAL[name])]
    if (case.method, case.path) == ("DELETE", "/integrations/{integrationId}") and names in ALL_INTEGRATIONS:
        names["integrationId"] = "removed"
    if is_told and "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = f"{chance}-{next(NUMBERS)}"
    return case


@schemathesis.check
def right_requests_are_refused_for_how_things_are(_: Any, response: Any, case: Any) -> None:
    """Instead of Schemathesis' own check, which knows no refusals but by status."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in {400, 412, 422}:
        return
    problem = response.json()
    codes = {error["code"] for error in problem["errors"]} or {problem["code"]}
    assert codes <= REFUSED_FOR_HOW_THINGS_ARE, f"refused with {sorted(codes)}: {problem['detail']}"
