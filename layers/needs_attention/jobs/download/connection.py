"""An integration's connection to Amazon: opens and closes incidents, and asks again for the orders that one held up."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime, timedelta
from functools import cached_property

from aws_lambda_powertools import Logger

from needs_attention.amazon.accounts import CredentialsUnreadable
from needs_attention.amazon.errors import (
    AccessDenied,
    CredentialsRejected,
    RequestRejected,
    SpApiError,
    UnreadableAnswer,
)
from needs_attention.downloads.backdated import BackdatedDownload
from needs_attention.downloads.by_id import Redownload
from needs_attention.integrations.arrivals import Arrivals, evidence_of, filled_gaps, vanished_fields
from needs_attention.integrations.incidents import (
    LIVE_SEARCH_FAILS,
    NO_CALL_WORKS,
    OF_DOWNLOADS,
    Incident,
    IncidentCode,
    IncidentNews,
    Incidents,
    is_far_behind,
)
from needs_attention.integrations.integration import Integration
from needs_attention.jobs.download.intake import Written
from needs_attention.jobs.event_bus import Event, EventBus, UntoldChange
from needs_attention.orders.order import Order
from needs_attention.orders.settings import NEEDS_ATTENTION
from needs_attention.orders.summary import Summary
from needs_attention.orders.verdict import next_redownload
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.orders import OrderStore, Page
from needs_attention.values.times import instant

# Requests a download that no person asked for.
BY_THE_CLOCK = "clock"
# While fields are gone for a whole marketplace, one held order is asked for this often, on behalf of all.
PROBE_EVERY = timedelta(minutes=15)
# When fields are back, up to so many held orders are asked for by ID (in one burst and ten minutes more). For more
# orders, a search over all of them takes less time.
MOST_BY_ID = 300

logger = Logger(child=True)


class ConnectionHealth:
    """One run's view of the connection. It writes only changes."""

    def __init__(
        self, downloads: DownloadStateStore, orders: OrderStore, integration: Integration, incidents: Incidents
    ) -> None:
        self._downloads = downloads
        self._orders = orders
        self._integration = integration
        self._id = integration.integration_id
        self._incidents = incidents
        self._arrivals: Arrivals | None = None  # with the orders of this run; None: there are none
        self._filled: dict[str, frozenset[str]] = {}

    @property
    def open_incidents(self) -> int:
        return len(self._incidents.incidents)

    # The calls of the run

    def fails(self, error: SpApiError, now: datetime) -> None:
        """A call brought no data. Opens one incident for its cause, with Amazon's own words and request ID."""
        code = _code_of(error)
        logger.error("download failed", integration=self._id, code=code, reason=str(error))
        others = (NO_CALL_WORKS | LIVE_SEARCH_FAILS) - {code}
        incident = Incident(code=code, since=now, evidence=str(error), request_id=error.request_id)
        self._keep(self._incidents.closed(*others).opened(incident), now)

    def works(self, now: datetime) -> None:
        """A call brought data."""
        self._keep(self._incidents.closed(*NO_CALL_WORKS), now)

    def live_search_works(self, now: datetime) -> None:
        self._keep(self._incidents.closed(*LIVE_SEARCH_FAILS), now)

    def rests(self, now: datetime) -> None:
        """Nothing is downloaded. Closes the incidents that mean nothing meanwhile."""
        self._keep(self._incidents.closed(*OF_DOWNLOADS), now)
        self._look_at_seller(now)

    def has_brought(self, written: Sequence[Written], now: datetime) -> None:
        """Notes which fields came with orders that were new or changed; keeps nothing else of them."""
        if not written:
            return
        settings = self._integration.settings
        known = self._stored_arrivals if self._arrivals is None else self._arrivals
        self._arrivals = known.with_orders((one.amazon for one in written), settings, now)
        filled = filled_gaps(((one.before.amazon, one.amazon) for one in written if one.before), settings)
        for marketplace_id, fields in filled.items():
            self._filled[marketplace_id] = self._filled.get(marketplace_id, frozenset()) | fields

    def look_back(self, reached: datetime, now: datetime, *, is_out_of_quota: bool) -> bool:
        """At the end of a run, finds which fields have vanished or are back, and whether the quota suffices.

        Answers whether there is work now: orders that wait for fields that are back.
        """
        self._look_at_seller(now)
        self._look_at_quota(reached, now, is_out_of_quota=is_out_of_quota)
        return self._look_at_fields(now)

    def is_worth_asking_for(self, order: Order, now: datetime) -> bool:
        """Whether Amazon may send more of a due order now.

        While the connection is at fault, one order at a time probes on behalf of all whether it still is.
        """
        cause = self._incidents.cause_of(order.amazon.marketplace_id, Summary.of(order).awaited)
        return cause is None or self._may_probe(order, now)

    def next_time_for(self, order: Order, now: datetime) -> datetime | None:
        """When to ask Amazon again for an order that it has just sent without any change.

        The order that probed is asked for again when the next probe may be: until then no order is worth asking for.
        """
        return now + PROBE_EVERY if order.order_id == self._probed_order else next_redownload(order, now)

    # Fields that vanish

    @cached_property
    def _stored_arrivals(self) -> Arrivals:
        return self._downloads.arrivals(self._id)

    @property
    def _probed_order(self) -> str | None:
        incident = self._incidents.find("fieldsVanished")
        return incident.probed_order if incident else None

    def _may_probe(self, order: Order, now: datetime) -> bool:
        incident = self._incidents.find("fieldsVanished")
        if incident is None or (incident.probed_at and now < incident.probed_at + PROBE_EVERY):
            return False
        probed = incident.model_copy(update={"probed_at": now, "probed_order": order.order_id})
        self._keep(self._incidents.opened(probed), now)
        return True

    def _look_at_fields(self, now: datetime) -> bool:
        incident = self._incidents.find("fieldsVanished")
        if self._arrivals is None and not incident:
            return False
        before = self._stored_arrivals
        arrivals = (self._arrivals or before).recent(now)
        every = vanished_fields(arrivals, incident.fields if incident else {}, self._filled)
        fields = {one: vanished for one, vanished in every.items() if one in self._integration.marketplace_ids}
        back = {
            marketplace_id: set(vanished) - set(fields.get(marketplace_id, ()))
            for marketplace_id, vanished in (incident.fields if incident else {}).items()
        }
        is_back = any(back.values())
        if is_back:
            self._request_waiting_orders(back, fields, now)
            arrivals = arrivals.once_back(back, fields)
        if fields:
            evidence = evidence_of(fields, arrivals)
            found = Incident(code="fieldsVanished", since=now, evidence=evidence, fields=fields)
            probe = {"probed_at": incident.probed_at, "probed_order": incident.probed_order} if incident else {}
            self._keep(self._incidents.opened(found.model_copy(update=probe)), now)
        else:
            self._keep(self._incidents.closed("fieldsVanished"), now)
        if arrivals != before:
            self._downloads.save_arrivals(self._id, arrivals)
        return is_back

    def _request_waiting_orders(
        self, back: Mapping[str, Set[str]], gone: Mapping[str, Iterable[str]], now: datetime
    ) -> None:
        """Requests all orders that wait for fields that are back, by whichever way is cheaper.

        Fields that are still gone in other marketplaces may be back there too: one order of each is requested. It all
        comes before the incident is closed, so that a run that dies in between does it again.
        """
        first: list[str] = []
        probes: dict[str, str] = {}
        number, start = 0, now
        for one in self._held():
            marketplace_id, awaited = one.marketplace_id or "", frozenset(one.awaited)
            if not awaited.isdisjoint(back.get(marketplace_id, ())):
                number, start = number + 1, min(start, one.updated_at)
                first += [one.order_id] if number <= MOST_BY_ID else []
            elif not awaited.isdisjoint(gone.get(marketplace_id, ())):
                probes.setdefault(marketplace_id, one.order_id)
        logger.info("fields are back", integration=self._id, waiting=number)
        for order_id in (*(first if number <= MOST_BY_ID else ()), *probes.values()):
            wanted = Redownload(order_id=order_id, cause="requested", wanted_at=now)
            self._downloads.want_redownload(self._id, wanted)
        if number <= MOST_BY_ID:
            return
        is_asked_for = any(
            one.requested_by == BY_THE_CLOCK and not one.is_over
            for one in self._downloads.backdated_downloads(self._id)
        )
        if not is_asked_for:
            pace = self._downloads.live_download(self._integration).walk.pace
            download = BackdatedDownload.requested(start, pace, by=BY_THE_CLOCK, now=now)
            self._downloads.save_backdated_download(self._id, download)

    def _held(self) -> Iterator[Summary]:
        page = Page(limit=250)
        while True:
            found = self._orders.find_by_stage(self._id, NEEDS_ATTENTION, page)
            yield from found.summaries
            if found.position is None:
                return
            page = page._replace(after=found.position)

    # The seller

    def hears_of(self, seller_ids: Set[str], now: datetime) -> None:
        """Notifications of Amazon's name these sellers: the credentials are another seller's if one is not ours.

        Ours must be known.
        """
        if not seller_ids:
            return
        ours = self._integration.seller_id
        others = seller_ids - {ours}
        if not others:
            self._keep(self._incidents.closed("otherSeller"), now)
        elif not self._incidents.find("otherSeller"):
            other = min(others)
            evidence = f"Amazon's notifications name the seller {other}, not {ours}."
            found = Incident(code="otherSeller", since=now, evidence=evidence, seller_id=other)
            self._keep(self._incidents.opened(found), now)

    def _look_at_seller(self, now: datetime) -> None:
        """Closes the incident once the integration names that seller, or no notification can name one any more."""
        incident, integration = self._incidents.find("otherSeller"), self._integration
        is_listening = integration.settings.order_change_notifications and integration.deleted_at is None
        if incident and (incident.seller_id == integration.seller_id or not is_listening):
            self._keep(self._incidents.closed("otherSeller"), now)

    # Quota

    def _look_at_quota(self, reached: datetime, now: datetime, *, is_out_of_quota: bool) -> None:
        known = self._incidents.find("quotaExhausted")
        is_behind = is_far_behind(reached, now, is_open=known is not None)
        if is_behind and is_out_of_quota:
            evidence = f"Live downloads have come to {instant(reached)}, and Amazon's quota for searches is used up."
            self._keep(self._incidents.opened(Incident(code="quotaExhausted", since=now, evidence=evidence)), now)
        elif not is_behind:
            self._keep(self._incidents.closed("quotaExhausted"), now)

    # News

    @property
    def is_all_told(self) -> bool:
        return not self._incidents.untold

    def tell(self, event_bus: EventBus) -> None:
        """Puts the news of incidents on the bus. What the bus does not take now, the next run tells."""
        news = self._incidents.untold
        if not news:
            return
        try:
            event_bus.put([_event(self._id, one) for one in news])
        except UntoldChange as error:
            logger.warning("incidents are not told yet", integration=self._id, reason=str(error))
            return
        self._save(self._incidents.all_told())

    def _keep(self, incidents: Incidents, now: datetime) -> None:
        if incidents != self._incidents:
            self._save(incidents.with_news_since(self._incidents, now))

    def _save(self, incidents: Incidents) -> None:
        self._downloads.save_incidents(self._id, incidents)
        self._incidents = incidents


def _event(integration_id: str, news: IncidentNews) -> Event:
    """The event: it names nobody, and one that is told twice has the same `changeId`."""
    incident = news.incident.model_dump(
        mode="json", by_alias=True, exclude_none=True, include={"code", "since", "evidence", "request_id", "fields"}
    )
    change_id = f"{integration_id}:{news.incident.code}:{instant(news.incident.since)}:{news.event}"
    detail = {"integration": integration_id, **incident, "at": instant(news.at), "changeId": change_id}
    return Event(news.event, detail, news.at)


_CODES: Mapping[type[SpApiError], IncidentCode] = {
    CredentialsUnreadable: "credentialsUnreadable",
    CredentialsRejected: "credentialsRejected",
    AccessDenied: "accessDenied",
    RequestRejected: "requestRejected",
    UnreadableAnswer: "unreadableAnswer",
}


def _code_of(error: SpApiError) -> IncidentCode:
    if isinstance(error, AccessDenied) and "marketplace" in str(error).casefold():
        return "marketplaceNotAllowed"
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), "amazonUnavailable")
