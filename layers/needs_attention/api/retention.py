"""The removal of personal data: how much is due, what was removed, and the erasures that people ask for."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, TypedDict

from pydantic import Field

from needs_attention.api.answers import Instant
from needs_attention.api.callers import Caller
from needs_attention.api.cursors import SentCursor, cursor_at, integration_in, order_key_in
from needs_attention.api.lookup import MOST_INTEGRATIONS_AT_ONCE, IntegrationNames, check_all_known
from needs_attention.api.problems import FieldError, invalid, not_found
from needs_attention.orders.erasure import BegunErasure, Buyer, Erasure
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import IntegrationPage, SettingsStore
from needs_attention.tables.orders import OrderStore, Page, Redacted, RedactionCounts
from needs_attention.values.fields import Like, Slug
from needs_attention.values.model import Value
from needs_attention.values.times import SentTime, id_made_at, instant


class UnsentOrder(TypedDict):
    """An order that is still to be sent, and the time when its personal data will be removed all the same."""

    orderId: str
    redactAt: Instant


class DueOfIntegration(TypedDict):
    """How many orders of an integration are due for redaction. Overdue orders also count as due."""

    integration: str
    due: Annotated[int, Field(description="Due now: the clock redacts them within minutes")]
    overdue: Annotated[int, Field(description="Due for more than a day. See docs/retention.md")]
    dueWithinSevenDays: Annotated[int, Field(description="Not yet due")]
    oldestDueAt: Instant | None
    unsent: Annotated[
        list[UnsentOrder],
        Field(description="The first 100 orders that are still to be sent though their ship-by has passed"),
    ]
    isTruncated: Annotated[bool, Field(description="There are more orders than the counts include")]


class DueRedactions(TypedDict):
    """How much is due in each of a part of the integrations, including removed ones."""

    integrations: list[DueOfIntegration]
    nextCursor: Annotated[str | None, Field(description="There may be more integrations")]


class RedactionOfOrder(TypedDict):
    """When and why the personal data of an order was removed, and who removed it."""

    orderId: str
    at: Instant
    by: str
    why: Literal["retention", "request"]
    reference: Annotated[str | None, Field(description="The name of the request in another system")]


class Redactions(TypedDict):
    """A page of the orders whose personal data was removed, newest first."""

    redactions: list[RedactionOfOrder]
    nextCursor: str | None


class ErasureInIntegration(TypedDict):
    """The progress of a buyer's erasure in one integration. The lists name the first 100 orders."""

    integration: str
    orders: Annotated[int, Field(description="Orders checked so far")]
    erased: list[str]
    erasedCount: int
    unsent: Annotated[list[str], Field(description="Not yet sent, so left as they are")]
    unsentCount: int
    unreadable: Annotated[list[str], Field(description="Nobody can tell whether they are the buyer's: see the log")]
    unreadableCount: int
    finishedAt: Instant | None


class ErasureOfBuyer(TypedDict):
    """A buyer's erasure. No answer shows who the buyer is, and the erasure forgets it when it ends."""

    erasureId: str
    reference: str
    requestedBy: str
    requestedAt: Instant
    evenIfUnsent: bool
    integrations: list[ErasureInIntegration]
    finishedAt: Instant | None


# It is kept for good, so neither a name nor an email address passes for one.
Reference = Annotated[
    str,
    Like(
        "[A-Za-z]{0,10}[-/#]?[0-9]{1,12}([-/][0-9]{1,12}){0,3}",
        "must be a number, with at most some letters in front of it, such as GR-2041",
    ),
    Field(description="The name of the request in another system, such as a ticket number. No personal data"),
]
EvenIfUnsent = Annotated[bool, Field(description="Also orders not yet sent: you cannot send them from here afterwards")]
BuyersEmail = Annotated[
    str,
    Like(r"[^\s@]{1,64}@[^\s@]{1,255}", "must be an email address, such as k3x9@marketplace.amazon.com"),
    Field(description="The address that the orders show: Amazon's for the buyer, or one that a person typed"),
]


class EraseOrder(Value):
    """Removes the personal data of one order."""

    reference: Reference
    even_if_unsent: EvenIfUnsent = False


class EraseBuyer(EraseOrder):
    """Removes the personal data of a buyer from the orders of all integrations, or of one."""

    buyer_email: BuyersEmail
    integration: Slug | None = None

    def erasure(self, *, by: str, now: datetime, suffix: str | None = None) -> Erasure:
        """A new erasure, whose ID sorts by time and ends with the suffix."""
        return Erasure(
            erasure_id=id_made_at(now, suffix),
            requested_by=by,
            requested_at=now,
            reference=self.reference,
            even_if_unsent=self.even_if_unsent,
            buyer=Buyer.with_email(self.buyer_email),
        )


# Before the first redaction and after the last one.
_EVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(2999, 12, 31, tzinfo=UTC)


class PartOfDue(Value):
    """The query parameters of a report of what is due."""

    integration: IntegrationNames = Field(default=(), description="Only these")
    limit: int = Field(default=50, ge=1, le=MOST_INTEGRATIONS_AT_ONCE)
    cursor: SentCursor | None = None


class RedactedWhen(Value):
    """The query parameters of a list of redactions: a span of time, and a part of the list."""

    after: SentTime | None = None
    before: SentTime | None = None
    limit: int = Field(default=50, ge=1, le=250)
    cursor: SentCursor | None = None


class Retention:
    """Reads the index of the orders that are due for redaction or redacted."""

    def __init__(self, orders: OrderStore, integrations: SettingsStore) -> None:
        self._orders = orders
        self._integrations = integrations

    def due(self, part: PartOfDue, now: datetime) -> DueRedactions:
        """How many orders are due in each integration, by ID. Orders of removed ones still hold personal data.

        Raises a 400 for an integration that does not exist, and for a cursor of another list.
        """
        this_list = f"due {' '.join(sorted(part.integration))}"
        after = integration_in(part.cursor, this_list) if part.cursor is not None else None
        found = self._named(part, after) if part.integration else self._integrations.page(part.limit, after)
        return {
            "integrations": [_due_view(one, RedactionCounts.of(self._orders, one, now)) for one in found.ids],
            "nextCursor": cursor_at(found.position, this_list) if found.position else None,
        }

    def _named(self, part: PartOfDue, after: str | None) -> IntegrationPage:
        found = self._integrations.named(part.integration)
        check_all_known(part.integration, found.ids, self._integrations, status=400)
        return found.part(part.limit, after)

    def redacted(self, integration_id: str, when: RedactedWhen) -> Redactions:
        """Newest first, of a removed integration too, and of one that cannot be read.

        Raises a 404, and a 400 for a cursor of another list.
        """
        if not self._integrations.named([integration_id]).ids:
            raise not_found("integration")
        since, until = when.after or _EVER[0], when.before or _EVER[1]
        if since >= until:
            raise invalid([FieldError("before", "notLater", "must be later than after")], status=400)
        span = instant(since), instant(until)
        this_list = f"redactions {integration_id} {span[0]} {span[1]}"
        position = order_key_in(when.cursor, this_list, span) if when.cursor is not None else None
        page = Page(when.limit, after=position, descending=True)
        found = self._orders.find_redacted(integration_id, since, until, page)
        return {
            "redactions": [_redaction_view(one) for one in found.orders],
            "nextCursor": cursor_at(found.position, this_list) if found.position else None,
        }


class BuyerErasures:
    """Erasures of a buyer: a person asks for one, and the clock carries it out."""

    def __init__(self, integrations: SettingsStore, downloads: DownloadStateStore) -> None:
        self._integrations = integrations
        self._downloads = downloads

    def begin(self, request: EraseBuyer, caller: Caller, key: str | None, now: datetime) -> ErasureOfBuyer:
        """Begins an erasure in each integration that it concerns. Raises a 404 or 422."""
        erasure = request.erasure(by=caller.name, now=now, suffix=caller.suffix_for(key))
        concerned = self._concerned(request.integration)
        self._downloads.save_begun_erasure(BegunErasure.of(erasure, concerned))
        for integration_id in concerned:
            self._downloads.save_erasure(integration_id, erasure)
        return _erasure_view(dict.fromkeys(concerned, erasure))

    def one(self, erasure_id: str) -> ErasureOfBuyer:
        """Raises a 404. An integration in which a request that died did not begin shows that nothing happened yet."""
        begun = self._downloads.begun_erasure(erasure_id)
        concerned = begun.integrations if begun else self._of_an_earlier_release()
        parts = self._downloads.erasures_of(concerned, erasure_id)
        if begun:
            parts = dict.fromkeys(concerned, begun.erasure) | parts
        if not parts:
            raise not_found("erasure")
        return _erasure_view(dict(sorted(parts.items())))

    def _of_an_earlier_release(self) -> Sequence[str]:
        """The integrations that an erasure may concern which an earlier release began: it began none in too many."""
        first = self._integrations.page(MOST_INTEGRATIONS_AT_ONCE + 1).ids
        return first if len(first) <= MOST_INTEGRATIONS_AT_ONCE else ()

    def _concerned(self, wanted: str | None) -> Sequence[str]:
        """The integration that the request names, or all.

        Removed integrations, and those that cannot be read, too: their orders still hold personal data.
        """
        if wanted is not None:
            check_all_known([wanted], self._integrations.named([wanted]).ids, self._integrations, status=422)
            return self._with_where_it_went(wanted)
        every = self._integrations.page(MOST_INTEGRATIONS_AT_ONCE + 1).ids
        if len(every) > MOST_INTEGRATIONS_AT_ONCE:
            raise invalid([FieldError("integration", "integrationNeeded", "there are too many for one call: name one")])
        if not every:
            raise not_found("integration")
        return every

    def _with_where_it_went(self, integration_id: str) -> list[str]:
        """The integration, and the one that a merge moves its orders to."""
        found = self._integrations.get_each([integration_id])[integration_id]
        merged_into = found.merged_into if found else self._that_took_in(integration_id)
        return [integration_id, *(self._with_where_it_went(merged_into) if merged_into else ())]

    def _that_took_in(self, unreadable: str) -> str | None:
        """The integration into which that one was merged, which cannot say so itself."""
        every = self._integrations.find_all(deleted_too=True)
        return next((one.integration_id for one in every if unreadable in one.merged_from), None)


def _erasure_view(found: Mapping[str, Erasure]) -> ErasureOfBuyer:
    """A buyer's erasure, made of the parts of at least one integration."""
    parts = list(found.values())
    ends = [part.finished_at for part in parts if part.finished_at]
    return {
        "erasureId": parts[0].erasure_id,
        "requestedBy": parts[0].requested_by,
        "requestedAt": instant(parts[0].requested_at),
        "reference": parts[0].reference,
        "evenIfUnsent": parts[0].even_if_unsent,
        "integrations": [_part_view(one, part) for one, part in found.items()],
        "finishedAt": instant(max(ends)) if len(ends) == len(parts) else None,
    }


def _part_view(integration_id: str, part: Erasure) -> ErasureInIntegration:
    return {
        "integration": integration_id,
        "orders": part.orders,
        "erased": list(part.erased),
        "erasedCount": part.erased_count,
        "unsent": list(part.unsent),
        "unsentCount": part.unsent_count,
        "unreadable": list(part.unreadable),
        "unreadableCount": part.unreadable_count,
        "finishedAt": instant(part.finished_at) if part.finished_at else None,
    }


def _redaction_view(redacted: Redacted) -> RedactionOfOrder:
    return {
        "orderId": redacted.order_id,
        "at": instant(redacted.at),
        "by": redacted.redaction.by,
        "why": redacted.redaction.why,
        "reference": redacted.redaction.reference,
    }


def _due_view(integration_id: str, due: RedactionCounts) -> DueOfIntegration:
    return {
        "integration": integration_id,
        "due": due.due,
        "overdue": due.overdue,
        "dueWithinSevenDays": due.due_within_seven_days,
        "oldestDueAt": instant(due.oldest_due_at) if due.oldest_due_at else None,
        "unsent": [{"orderId": one.order_id, "redactAt": instant(one.at)} for one in due.unsent],
        "isTruncated": due.is_truncated,
    }
