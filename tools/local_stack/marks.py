"""Personal data that can be recognised anywhere: every value that could identify a person has a mark."""

from collections.abc import Mapping
from itertools import count
from typing import Any

from tools.local_stack.outside import just_listed

# Only shows where something has gone out.
MARK = "Zqx"
NUMBERS = count(1)


def marked(what: str) -> str:
    return f"{MARK}{next(NUMBERS):03}{what}"


def marked_address() -> dict[str, str]:
    parts = ("name", "companyName", "addressLine1", "addressLine2", "addressLine3", "city", "districtOrCounty")
    return {part: marked(part) for part in parts} | {
        "stateOrRegion": "OR",
        "postalCode": "97209",
        "countryCode": "US",
        "phone": f"+1 503 555 0100 ext {marked('phone')}",
    }


def marked_order(order_id: str, whole: Mapping[str, Any]) -> dict[str, Any]:
    """With a mark in everything of Amazon's data protection list that the Orders API can send."""
    (item, *_) = whole["orderItems"]
    item = item | {
        "product": item["product"] | {"customization": {"customizedUrl": f"https://example.com/{marked('url')}"}},
        "fulfillment": item["fulfillment"] | {"packing": {"giftOption": {"giftMessage": marked("gift")}}},
    }
    return {
        **whole,
        "orderId": order_id,
        "lastUpdatedTime": just_listed(),
        "buyer": {
            "buyerName": marked("buyer"),
            "buyerEmail": f"{marked('email')}@marketplace.example.com",
            "buyerCompanyName": marked("company"),
            "buyerPurchaseOrderNumber": marked("order-number"),
        },
        "recipient": {
            "deliveryAddress": marked_address(),
            "deliveryPreference": {"addressInstruction": marked("instruction")},
        },
        "tax": {
            "taxRegistrations": [
                {
                    "entityType": "BUYER",
                    "registrationNumber": marked("tax"),
                    "legalName": marked("legal"),
                    "taxRegistrationAddress": marked_address(),
                }
            ]
        },
        "orderItems": [item],
    }


def around(text: str, word: str) -> str:
    """Where the word stands first, for a message about it."""
    place = text.index(word)
    return text[max(0, place - 300) : place + 100]
