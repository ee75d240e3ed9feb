"""Plain words about a connection: the step that ends each incident, and the renewal of credentials."""

from needs_attention.integrations.expiry import Ending
from needs_attention.integrations.incidents import Incident, IncidentCode
from needs_attention.orders.edits import FULFILLMENT_UNKNOWN

CONNECTION_AT_FAULT = (
    "Amazon sends this field for hardly any order of this marketplace now: see the integration's incident. "
    "The order is downloaded again when the incident ends; or type it in here."
)
FULFILLMENT_AT_FAULT = (
    "Amazon sends a known status and channel for hardly any order of this marketplace now: see the integration's "
    "incident. The order is downloaded again when the incident ends; or look in Seller Central and, if it is yours to "
    "send and not shipped, confirm `fulfillmentUnknown`."
)

WHAT_TO_DO: dict[IncidentCode, str] = {
    "credentialsUnreadable": (
        "Check that the integration's secret is in AWS Secrets Manager and that the function may read it. If it is "
        "gone, send the credentials again. The call is repeated automatically."
    ),
    "credentialsRejected": "Renew the client secret or the seller's consent, and send the new credentials.",
    "accessDenied": "Check in Seller Central that the application has its roles, and consent again.",
    "marketplaceNotAllowed": "Check that the seller sells in these marketplaces, and that they belong to this region.",
    "requestRejected": "Check that the marketplaces belong to this seller. The call is repeated automatically.",
    "amazonUnavailable": "Nothing: the call is repeated automatically.",
    "unreadableAnswer": (
        "The call is repeated automatically. If the error stays, report it to Amazon with the request ID."
    ),
    "fieldsVanished": (
        "Check in Seller Central that the application still has its restricted roles (Direct-to-Consumer Shipping, "
        "Tax Invoicing), and consent again. The orders are downloaded again automatically when the fields are back."
    ),
    "quotaExhausted": (
        "Check whether another application or environment uses the same Amazon application, and download less of the "
        "past meanwhile. Nothing is lost: downloads go on as Amazon allows."
    ),
    "otherSeller": (
        "Check in Seller Central which seller consented. Correct `sellerId`, or send the credentials of the seller in "
        "`sellerId`. Orders that came since may be the other seller's. The incident ends with the next notification "
        "that names this seller."
    ),
}

FULFILLMENT_VANISHED = (
    "Amazon sends no status or channel that is known here: it has an outage, or a new value that needs a new release. "
    "Look up urgent orders in Seller Central, and confirm `fulfillmentUnknown` on those that are yours to send and not "
    "shipped. The others are downloaded again automatically when the status and the channel are back."
)

NAME_THE_SELLER = (
    "Send `sellerId`, the seller's Merchant Token: Seller Central shows it under Settings, Account Info. Until then "
    "nothing keeps a second integration of the same seller from spending its quota."
)

HOW_TO_RENEW: dict[Ending, str] = {
    "clientSecret": "Rotate the client secret in Amazon's developer console, and send the new credentials.",
    "consent": "Have the seller consent again, and send the new credentials. A private application authorises itself.",
}


def what_to_do(incident: Incident) -> str:
    """The step that ends the incident. Fields that vanish have different causes."""
    vanished = {field for fields in incident.fields.values() for field in fields}
    if FULFILLMENT_UNKNOWN not in vanished:
        return WHAT_TO_DO[incident.code]
    others = [WHAT_TO_DO[incident.code]] if vanished - {FULFILLMENT_UNKNOWN} else []
    return " ".join([FULFILLMENT_VANISHED, *others])


def next_step_at_fault(field: str) -> str:
    """What a person can do about a field that most orders of the marketplace lack."""
    return FULFILLMENT_AT_FAULT if field == FULFILLMENT_UNKNOWN else CONNECTION_AT_FAULT
