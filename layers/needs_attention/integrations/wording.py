"""Plain words about a connection: what is wrong with it, and what to do."""

from needs_attention.integrations.expiry import Ending
from needs_attention.integrations.incidents import IncidentCode

CONNECTION_AT_FAULT = (
    "Amazon sends this for hardly any order of this marketplace now: see the incident of the integration. "
    "The order is downloaded again when that is over; or type it in here."
)

WHAT_TO_DO: dict[IncidentCode, str] = {
    "credentialsUnreadable": (
        "See whether the integration's secret is in AWS Secrets Manager, and the function may read it; if it is gone, "
        "send the credentials again. It is tried again by itself."
    ),
    "credentialsRejected": "Renew the client secret or the seller's consent, and send the new credentials.",
    "accessDenied": "Check in Seller Central that the application has its roles, and consent again.",
    "marketplaceNotAllowed": "Check that the seller sells in these marketplaces, and that they are of this region.",
    "requestRejected": "Check that the marketplaces belong to this seller. It is tried again by itself.",
    "amazonUnavailable": "Nothing: it is tried again by itself.",
    "unreadableAnswer": "It is tried again by itself. If it stays so, report it to Amazon with the request ID.",
    "fieldsVanished": (
        "Check in Seller Central that the application still has its restricted roles (Direct-to-Consumer Shipping, "
        "Tax Invoicing), and consent again. The orders are downloaded again by themselves when the fields are back."
    ),
    "quotaExhausted": (
        "See whether another application or environment uses the same Amazon application, and download less of the "
        "past meanwhile. Nothing is lost: downloads go on as Amazon allows."
    ),
}

HOW_TO_RENEW: dict[Ending, str] = {
    "clientSecret": "Rotate the client secret in Amazon's developer console, and send the new credentials.",
    "consent": "Have the seller consent again, and send the new credentials. A private application authorises itself.",
}
