"""Plain words about a connection: the step that ends each incident, and the renewal of credentials."""

from needs_attention.integrations.expiry import Ending
from needs_attention.integrations.incidents import IncidentCode

CONNECTION_AT_FAULT = (
    "Amazon sends this field for hardly any order of this marketplace now: see the integration's incident. "
    "The order is downloaded again when the incident ends; or type it in here."
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
}

HOW_TO_RENEW: dict[Ending, str] = {
    "clientSecret": "Rotate the client secret in Amazon's developer console, and send the new credentials.",
    "consent": "Have the seller consent again, and send the new credentials. A private application authorises itself.",
}
