"""What Schemathesis cannot know of this API by its document: how a sheet looks, and refusals that no schema can tell.

Loaded by Schemathesis in its own environment (`SCHEMATHESIS_HOOKS`), where nothing of this project can be imported.
"""

import csv
import io
from typing import Any

import schemathesis
from hypothesis import strategies as st

# What a request that is right by its schema may be refused with all the same: for what else there is, or for the time.
REFUSED_FOR_HOW_THINGS_ARE = {
    "changedMeanwhile",
    "contradiction",
    "idempotencyKeyUsed",
    "inTheFuture",
    "inThePast",
    "invalidCursor",
    "noDeliveryAddress",
    "notAnAddress",
    "notLater",
    "otherRegion",
    "overridesNothing",
    "required",
    "sortNeedsStage",
    "tooLate",
    "tooOld",
    "unknownIntegration",
    "unknownStage",
}
COLUMNS = ["orderId", "revision", "email", "firstName", "lastName", "deliveryAddress.city", "stage"]
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=30)


def sheet(rows: list[list[str]]) -> str:
    """A sheet with the columns that an export has."""
    text = io.StringIO()
    csv.writer(text).writerows([COLUMNS, *rows])
    return text.getvalue()


ROWS = st.lists(st.lists(CELLS, min_size=len(COLUMNS), max_size=len(COLUMNS)), min_size=1, max_size=5)
schemathesis.openapi.media_type("text/csv", ROWS.map(sheet).map(str.encode))


@schemathesis.check
def right_requests_are_refused_for_how_things_are(_: Any, response: Any, case: Any) -> None:
    """Instead of Schemathesis' own check, which knows no refusals but by status."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in {400, 412, 422}:
        return
    problem = response.json()
    codes = {error["code"] for error in problem["errors"]} or {problem["code"]}
    assert codes <= REFUSED_FOR_HOW_THINGS_ARE, f"refused with {sorted(codes)}: {problem['detail']}"
