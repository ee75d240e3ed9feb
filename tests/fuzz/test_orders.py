"""Whatever Amazon says of an order, or a stream's image holds of it: refused, or judged, stored and shown as ever."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from needs_attention.amazon.order_json import read_order
from needs_attention.api.orders.filters import OrderFilters
from needs_attention.api.orders.sheet import rows_of, sheet_of
from needs_attention.api.orders.views import whole_order
from needs_attention.integrations.incidents import Incidents
from needs_attention.integrations.integration import Integration
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.integrations.stages import Stages
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.orders import gate
from needs_attention.orders.amazon_order import AmazonOrder, UnreadableOrder
from needs_attention.orders.amazon_update import downloaded
from needs_attention.orders.order import Order
from needs_attention.orders.settings import ThreePlStatus
from needs_attention.orders.summary import Summary
from needs_attention.orders.verdict import judged
from needs_attention.tables.history import OrderRevision, history_item
from needs_attention.tables.order_items import created_key, order_from_item, ship_by_key, to_item
from needs_attention.values.text import is_blank
from tests.fuzz.fuzzed import fuzzed
from tests.fuzz.mutations import json_bytes, one_of_them, texts
from tests.fuzz.seeds import ORDERS, event
from tools.builders import NOON, a_held_order, a_judged_order, an_order

# DynamoDB's largest item, and its largest key to sort by.
LARGEST_ITEM, LARGEST_SORT_KEY = 400 * 1024, 1024
# With these a complete order leaves at once, so one that does not is held by the gate.
OF_INTEGRATION = IntegrationSettings(default_three_pl_status=ThreePlStatus.NOW, auto_dispatch_orders=True)
WIDE_OPEN = OF_INTEGRATION.of(None)
INTEGRATION = Integration(
    integration_id="acme-na",
    name="Acme",
    region="NA",
    marketplace_ids=(),
    registered_at=NOON,
    settings=OF_INTEGRATION,
)
AROUND = Surroundings.of(INTEGRATION, Incidents(), Stages(), is_all_frozen=False)


def read(sent: bytes) -> AmazonOrder | None:
    try:
        raw = json.loads(sent)
    except (ValueError, RecursionError):  # which the client of Amazon's API refuses
        return None
    try:
        return read_order(raw)
    except UnreadableOrder as error:
        str(error).encode()
        return None


def check_stored(order: Order) -> None:
    """A stored order is read again unchanged, has room in the table, and is found by its keys."""
    item = to_item(order)
    assert order_from_item(item) == order
    assert (
        sum(len(name) + len(str(value).encode()) for name, of in item.items() for value in of.values()) < LARGEST_ITEM
    )
    assert Summary.model_validate_json(item["summary"]["S"]).order_id == order.order_id
    for filters, key in ((OrderFilters(), created_key(order)), (OrderFilters(stage="x"), ship_by_key(order))):
        assert len(key.encode()) <= LARGEST_SORT_KEY
        following = OrderFilters.model_validate(
            {**filters.model_dump(exclude_unset=True), "cursor": filters.cursor_at(key)}
        )
        assert following.position() == key


def check_shown(order: Order) -> None:
    """People see JSON; and a sheet that comes back untouched changes nothing."""
    shown = whole_order(order, AROUND, NOON)
    json.dumps(shown, allow_nan=False, ensure_ascii=False).encode()
    (row,) = rows_of(sheet_of([shown]))
    assert (row.order_id, row.patch(shown)) == (order.order_id, {})


def check_gate(order: Order) -> None:
    """An order that lacks something goes nowhere, whatever the settings want."""
    amazon, address = order.amazon, order.amazon.delivery_address
    lacks_something = (
        not amazon.buyer_email
        or address is None
        or not address.has_street
        or is_blank(address.country_code)
        or not (amazon.recipient_name or amazon.buyer_name)
        or not any(line.is_wanted and line.names_a_product for line in amazon.line_items or ())
    )
    assert not (lacks_something and (order.is_transferable or order.is_fulfillable))


def check_redacted(order: Order) -> None:
    redacted = gate.redact(order, WIDE_OPEN, NOON)
    bare = redacted.amazon
    assert not any((bare.buyer_name, bare.buyer_email, bare.recipient_name, bare.tax_name, bare.tax_address))
    assert bare.delivery_address is None or bare.delivery_address.given_parts().keys() <= {"country_code"}
    assert not redacted.is_transferable
    assert bare.redacted() == bare
    check_stored(redacted)


@fuzzed(sent=json_bytes(ORDERS))
def test_any_order_of_amazons_is_refused_or_judged_stored_shown_redacted(sent: bytes) -> None:
    amazon = read(sent)
    if amazon is None:
        return
    new = downloaded(None, amazon, "acme-na", WIDE_OPEN, NOON)
    assert new
    assert not new.is_transferable
    order = judged(new, WIDE_OPEN, NOON)
    for one in (new, order):
        check_stored(one)
        check_gate(one)
    check_shown(order)
    check_redacted(order)


@fuzzed(first=json_bytes(ORDERS[:2]), then=json_bytes(ORDERS[:2]), at_once=st.booleans())
def test_an_update_of_an_order_is_stored_too_and_pends_if_it_is_news(first: bytes, then: bytes, at_once: bool) -> None:
    known, newer = read(first), read(then)
    if known is None or newer is None:
        return
    before = judged(Order.first_seen("acme-na", known, NOON), WIDE_OPEN, NOON)
    newer = newer.model_copy(update={"order_id": known.order_id})
    with suppress(UnreadableOrder):
        after = downloaded(before, newer, "acme-na", WIDE_OPEN, NOON + timedelta(minutes=0 if at_once else 5))
        if after is None:
            return
        stands = not after.is_pending
        assert not after.is_transferable or (stands and before.is_transferable)
        assert not after.is_fulfillable or (stands and before.is_fulfillable)
        check_stored(after)
        order = judged(after, WIDE_OPEN, NOON)
        check_gate(order)
        check_stored(order)
        assert downloaded(order, newer, "acme-na", WIDE_OPEN, NOON) is None


# Stream records -------------------------------------------------------------------------------------------------------

IMAGES = tuple(
    json.dumps(image)
    for image in (
        *(record["dynamodb"]["NewImage"] for record in event("publish_changes")["Records"]),
        *(record["dynamodb"]["NewImage"] for record in event("validate_orders")["Records"]),
        *map(to_item, (an_order(), a_held_order(), a_judged_order())),
    )
)
# Each as DynamoDB has it: its texts are UTF-8, its numbers have 38 digits.
attributes = st.one_of(
    texts.map(lambda text: {"S": text.encode("utf-8", "replace").decode()}),
    st.sampled_from(["0", "-1", "1.5", "1E+125", "9" * 38]).map(lambda number: {"N": number}),
    st.sampled_from([{"BOOL": True}, {"NULL": True}, {"L": []}, {"M": {}}, {"B": "AA=="}, {"SS": ["x"]}]),
)
_JSON_WITHIN = ("amazon", "edits", "hold", "missing", "lastChange", "summary", "override")
# The mutations of each image's JSON texts.
_WITHIN = {
    (real, name): json_bytes([held["S"]]).map(lambda sent: {"S": sent.decode("utf-8", "replace")})
    for real in IMAGES
    for name, held in json.loads(real).items()
    if name in _JSON_WITHIN
}


@st.composite
def images(draw: st.DrawFn) -> Any:
    """An image with other attributes, or other JSON in them; DynamoDB always says of what type a value is."""
    real = one_of_them(draw, IMAGES)
    image = json.loads(real)
    names = (*image, *_JSON_WITHIN, "judgedAt", "stage", "comment")
    for name in (one_of_them(draw, names) for _ in range(3)):
        match one_of_them(draw, range(4)):
            case 0:
                image[name] = draw(attributes)
            case 1:
                image.pop(name, None)
            case _:
                image[name] = draw(_WITHIN.get((real, name), attributes))
    return image


def attempted[Read](read: Callable[[Any], Read], image: Any) -> Read | None:
    """The order that was read; None if the record is refused as the functions behind the stream expect it."""
    try:
        return read(image)
    except ValueError:
        return None


@fuzzed(image=images())
def test_a_stream_image_is_an_order_that_can_be_judged_or_is_refused(image: Any) -> None:
    order = attempted(order_from_item, image)
    if order is not None:
        assert order_from_item(to_item(order)) == order
        verdict = judged(order, WIDE_OPEN, NOON)
        assert order_from_item(to_item(verdict)) == verdict


@fuzzed(image=images())
def test_a_stream_image_is_a_change_that_can_be_told_or_is_refused(image: Any) -> None:
    revision = attempted(OrderRevision.from_image, image)
    if revision is not None:
        assert json.loads(history_item(revision)["data"]["S"])["revision"] == revision.summary.revision
