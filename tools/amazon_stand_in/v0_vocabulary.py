"""The Orders API v0's words for values of the Orders API 2026-01-01: notifications and reports still use them.

Source: Amazon's models of both APIs, and its schema of the ORDER_CHANGE notification.
"""

from typing import Final

ORDER_STATUSES: Final = {
    "PENDING_AVAILABILITY": "PendingAvailability",
    "PENDING": "Pending",
    "UNSHIPPED": "Unshipped",
    "PARTIALLY_SHIPPED": "PartiallyShipped",
    "SHIPPED": "Shipped",
    "CANCELLED": "Canceled",
    "UNFULFILLABLE": "Unfulfillable",
}
FULFILLMENT_CHANNELS: Final = {"MERCHANT": "MFN", "AMAZON": "AFN"}
