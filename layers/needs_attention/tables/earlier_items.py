"""Orders as the release before this one stores them: read into the form of now, and mirrored for its functions.

That release keeps a verdict's hold and a person's in one attribute, whole units of edits with Amazon's values of then,
and one answer to every request to cancel. Its functions may run next to these for some minutes, and again after a
rollback: they must end no hold that they do not know.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from needs_attention.orders.addresses import POSTAL_CODE_IS_NEEDED, country_of
from needs_attention.orders.amazon_order import (
    CANCELLED_AT_AMAZON,
    SHIPPED_AT_AMAZON,
    WHOLE_ORDER,
    Address,
    LineItem,
)
from needs_attention.orders.earlier_release import WHO
from needs_attention.orders.edits import BUYER_REQUESTED_CANCEL, FULFILLMENT_UNKNOWN
from needs_attention.orders.equivalence import plain, plain_email, plain_goods, plain_places
from needs_attention.orders.order import DIFFERS, Missing, Order
from needs_attention.values.times import instant

type Json = dict[str, Any]


def is_of_the_release_before(values: Mapping[str, Any]) -> bool:
    """Whether the release before wrote the item last: it does not count on (`apartUntil`)."""
    return values.get("apartUntil") != values.get("revision")


def is_upgraded(before: Order, after: Order) -> bool:
    """Whether a write brings an order that the release before wrote last into the form of now."""
    return before.apart_until != before.revision and after.apart_until == after.revision


def mirrored_hold(order: Order) -> Json | None:
    """The holds as the release before reads them.

    It does not know that a person stopped an order, and not every reason to hold one: such an order is held by hand in
    its eyes, so that it does not heal and leave. That is no decision of a person (`of`); that release leaves the mark
    where it leaves the hold. A snooze becomes a hold by hand there when it ends.
    """
    held, decided = order.hold, order.decisions.hold
    since = held.since if held else decided.at if decided else None
    if since is None:
        return None
    would_be_ended = order.decisions.stop is not None or any(not _was_a_gap_then(one, order) for one in order.missing)
    mirror: Json = {"kind": "manual" if decided or would_be_ended else "missing", "since": instant(since)}
    if would_be_ended and not decided:
        mirror["of"] = "missing"
    if order.amazon.came_back_from:
        # That release writes Amazon's data without it.
        mirror["doubt"] = {"cameBackFrom": order.amazon.came_back_from, "doubts": order.amazon.doubts}
    if held and held.after_release:
        mirror["afterRelease"] = True
    if decided and decided.until:
        mirror |= {"kind": "snoozed", "until": instant(decided.until), "wasManual": True}
    return mirror


def _was_a_gap_then(missing: Missing, order: Order) -> bool:
    """Whether the release before holds an order for this too."""
    if missing.reason == DIFFERS or missing.field == FULFILLMENT_UNKNOWN:
        return False
    if missing.field == BUYER_REQUESTED_CANCEL:
        return missing.field not in order.edits.confirmed  # one answer was for every request
    if missing.parts == ("postalCode",):
        # That release asked for it only where Google's data requires it.
        return POSTAL_CODE_IS_NEEDED.isdisjoint(map(country_of, _addresses(order)))
    if missing.reason == "singleWord":
        # It took some honorifics, initials and numbers for names; one word alone was one name there too.
        return order.edits.name is None and len((order.amazon.addressee or "").split()) == 1
    # It knows neither cancelled lines nor how many units are left.
    return missing.field != "lineItems" or not (order.amazon.line_items or order.edits.line_items)


def _addresses(order: Order) -> Iterator[Address]:
    """All of which the delivery or the billing address may consist."""
    amazon, edits = order.amazon, order.edits
    yield from filter(
        None, (amazon.delivery_address, amazon.tax_address, edits.delivery_address, edits.billing_address)
    )


def as_written_now(values: Json, hold: Json | None) -> Json:
    """The values of an item in the form of now; `hold` is its attribute of that name.

    What people typed, confirmed and accepted keeps the form of the release that wrote it: no verdict may write it.
    """
    typed = _typed_as_now(values)
    if not is_of_the_release_before(values):
        return typed
    return typed | _holds(typed, hold) | {"amazon": _in_doubt(typed["amazon"], (hold or {}).get("doubt", {}))}


def _typed_as_now(values: Json) -> Json:
    edits, accepted = values.get("edits", {}), values.get("accepted", [])
    if "amazonThen" in edits and "settled" not in edits:
        edits = _edits_by_part(edits)
    is_accepted = [one for one in accepted if one["field"] == BUYER_REQUESTED_CANCEL]
    if (is_accepted or BUYER_REQUESTED_CANCEL in edits.get("confirmed", [])) and "answeredRequests" not in edits:
        confirmed = dict.fromkeys((*edits.get("confirmed", []), BUYER_REQUESTED_CANCEL))
        edits = edits | {"confirmed": list(confirmed), "answeredRequests": [WHOLE_ORDER]}
    rest = [one for one in accepted if one not in is_accepted]
    return values | {"edits": edits, "accepted": rest}


def _in_doubt(amazon: Json, doubt: Json) -> Json:
    """Amazon's data with the doubt that the release before did not know, as long as the order is not over."""
    is_over = amazon.get("fulfillmentStatus") in SHIPPED_AT_AMAZON | CANCELLED_AT_AMAZON
    return amazon if is_over else doubt | amazon


def _holds(values: Json, hold: Json | None) -> Json:
    """A verdict's hold and a person's, each for itself."""
    decisions = values.get("decisions", {})
    if hold is None:
        return {"hold": None, "decisions": decisions | {"hold": None}}
    verdicts = values.get("hold") or {"since": hold["since"], "afterRelease": hold.get("afterRelease", False)}
    if "missing" in (hold["kind"], hold.get("of")):
        return {"hold": verdicts, "decisions": decisions | {"hold": None}}
    by_a_person = decisions.get("hold") or {"by": WHO, "at": hold["since"]}
    if hold["kind"] == "snoozed":
        by_a_person = by_a_person | {"until": hold["until"], "wasManual": hold.get("wasManual", False)}
    # A hold by hand on a complete order lies over one that was let go. What lies under a snooze is judged at its end.
    lies_over_a_hold = hold["kind"] == "snoozed" or values.get("missing")
    return {"hold": verdicts if lies_over_a_hold else None, "decisions": decisions | {"hold": by_a_person}}


def _edits_by_part(edits: Json) -> Json:
    """The typed parts of each unit. In an address they are those that differ from Amazon's address of then."""
    then = edits["amazonThen"]
    name = edits.get("name") or {}
    by_part = {key: value for key, value in edits.items() if key != "amazonThen"}
    if name:
        by_part["name"] = {
            "firstName": name.get("firstName", ""),
            "lastName": name.get("lastName", ""),
            **({"company": name["company"]} if name.get("company") else {}),
        }
    for unit in ("deliveryAddress", "billingAddress"):
        if edits.get(unit) is not None:
            by_part[unit] = _typed_parts(edits[unit], then.get(unit) or {})
    return by_part | {"settled": _settled(then)}


def _typed_parts(typed: Json, amazons: Json) -> Json:
    known = dict.fromkeys(info.alias or name for name, info in Address.model_fields.items())
    return {part: typed.get(part) or "" for part in known if typed.get(part) != amazons.get(part)}


def _settled(then: Json) -> dict[str, str]:
    """What Amazon said of each place when the person typed, in its plain form."""
    lines = then.get("lineItems")
    goods = None if lines is None else tuple(LineItem.model_validate(line, extra="ignore") for line in lines)
    return {
        "name": plain(then.get("name")),
        "email": plain_email(then.get("email")),
        "lineItems": plain_goods(goods),
        **_places("deliveryAddress", then.get("deliveryAddress")),
        **_places("billingAddress", then.get("billingAddress")),
    }


def _places(unit: str, address: Json | None) -> dict[str, str]:
    read = Address.model_validate(address, extra="ignore") if address else None
    return {f"{unit}.{place}": text for place, text in plain_places(read).items()}
