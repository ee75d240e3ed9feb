"""The state of each integration's downloads, and what they were asked for.

Only the one run that the queue gives an integration writes the state of its downloads, so most writes need no
condition; requests come from people at any time, and are written on a condition of their own. The progress of an
erasure has one too, because two runs may go on with it at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from needs_attention.aws import is_lost_race
from needs_attention.downloads.backdated import BackdatedDownload
from needs_attention.downloads.by_id import Redownload, RedownloadCause, SetAside
from needs_attention.downloads.live import LiveDownload
from needs_attention.downloads.proofs import Proofs
from needs_attention.downloads.second_look import Reconciliation
from needs_attention.integrations.arrivals import Arrivals
from needs_attention.integrations.held_counter import HeldCounter
from needs_attention.integrations.incidents import Incidents
from needs_attention.integrations.integration import Integration, Rejudgement
from needs_attention.integrations.merge import Merge
from needs_attention.integrations.stages import Stages
from needs_attention.integrations.standing import IntegrationStanding, IntegrationState
from needs_attention.orders.erasure import BegunErasure, Erasure
from needs_attention.tables.dynamodb import Item, text
from needs_attention.tables.integration_items import (
    CONNECTIONS,
    ERASURES,
    HELD,
    SYSTEM,
    IntegrationItems,
    as_json,
    item_key,
    merge_item,
    read_if_readable,
    read_item,
    read_surroundings,
    surrounding_keys,
)
from needs_attention.values.model import read_stored
from needs_attention.values.times import instant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

MOST_REDOWNLOADS_READ = 200
MOST_MOVED_AT_ONCE = 50
# How the names of the counters begin: an integration's ID alone could be the name of another item.
_COUNTER = "held#"
_INCIDENTS = "incidents#"
_IF_NEW = {"ConditionExpression": "attribute_not_exists(#item)", "ExpressionAttributeNames": {"#item": "item"}}


class CounterPage(NamedTuple):
    """A part of the counters, by integration ID, and the ID after which there may be more (None at the end)."""

    counters: Mapping[str, HeldCounter]
    position: str | None


class StoredErasure(NamedTuple):
    """An erasure that is under way, and its text as it was read, which may be another release's."""

    erasure: Erasure
    as_read: str


class DownloadStateStore:
    """Reads and writes the state of downloads in the integrations table, `table`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table
        self._items = IntegrationItems(client, table)

    def state(self, integration_id: str) -> IntegrationState | None:
        """The state of the integration and of its downloads, in one consistent read; None without integration.

        A live download that never ran starts at the registration. Raises Throttled.
        """
        of_downloads = (item_key(integration_id, item) for item in ("live", "proofs", "reconciliation", "rejudgement"))
        counter = _counter_item(integration_id)
        found = self._items.read(*surrounding_keys(integration_id), *of_downloads, item_key(HELD, counter))
        surroundings = read_surroundings(integration_id, found)
        if surroundings is None:
            return None
        return IntegrationState(
            surroundings,
            live=_live_download(surroundings.integration, found.get("live")),
            proofs=read_item(Proofs, found.get("proofs")) or Proofs(),
            reconciliation=read_item(Reconciliation, found.get("reconciliation")),
            rejudgement=read_item(Rejudgement, found.get("rejudgement")),
            held_counter=read_if_readable(HeldCounter, found[counter]) if counter in found else None,
        )

    def standing(self, integration: Integration) -> IntegrationStanding:
        """The part of the state that people are shown, in one consistent read. Raises Throttled."""
        integration_id, incidents = integration.integration_id, f"incidents#{integration.integration_id}"
        of_downloads = (item_key(integration_id, item) for item in ("live", "reconciliation"))
        found = self._items.read(item_key(SYSTEM, "stages"), item_key(CONNECTIONS, incidents), *of_downloads)
        return IntegrationStanding(
            live=_live_download(integration, found.get("live")),
            incidents=read_item(Incidents, found.get(incidents)) or Incidents(),
            reconciliation=read_item(Reconciliation, found.get("reconciliation")),
            stages=read_item(Stages, found.get("stages")) or Stages(),
        )

    def live_download(self, integration: Integration) -> LiveDownload:
        """The state of the live download; one that never ran starts at the registration."""
        return _live_download(integration, self._items.get(integration.integration_id, "live"))

    def live_downloads(self, of: Sequence[Integration]) -> dict[str, LiveDownload]:
        """The state of the live download of each, by the integration's ID. Raises Throttled.

        One that cannot be read shows as if it never ran.
        """
        keys = (item_key(one.integration_id, "live") for one in of)
        found = {
            item["integrationId"]["S"]: read_if_readable(LiveDownload, item) for item in self._items.existing(keys)
        }
        return {
            one.integration_id: found.get(one.integration_id) or LiveDownload.starting(one.registered_at) for one in of
        }

    def save_live_download(self, integration_id: str, live: LiveDownload) -> None:
        """Only the run that the queue gave this integration writes here, one at a time, so no condition is needed."""
        self._items.put(integration_id, "live", live)

    def backdated_downloads(self, integration_id: str) -> tuple[BackdatedDownload, ...]:
        """All of them, oldest first: their IDs sort by the time of the request."""
        return tuple(read_stored(BackdatedDownload, t) for t in self._items.texts(integration_id, "download#"))

    def backdated_download(self, integration_id: str, download_id: str) -> BackdatedDownload | None:
        return read_item(BackdatedDownload, self._items.get(integration_id, f"download#{download_id}"))

    def save_backdated_download(self, integration_id: str, download: BackdatedDownload) -> BackdatedDownload:
        """Writes it if it is still as it was read (a person may have cancelled it). Raises ChangedMeanwhile."""
        later = download.model_copy(update={"revision": download.revision + 1})
        self._items.put_if_unchanged(
            integration_id, f"download#{download.download_id}", later, expected=download.revision
        )
        return later

    def proofs(self, integration_id: str) -> Proofs:
        return read_item(Proofs, self._items.get(integration_id, "proofs")) or Proofs()

    def save_proofs(self, integration_id: str, proofs: Proofs) -> None:
        self._items.put(integration_id, "proofs", proofs)

    def save_reconciliation(self, integration_id: str, reconciliation: Reconciliation) -> None:
        self._items.put(integration_id, "reconciliation", reconciliation)

    def save_subscription(self, subscription_id: str, integration_id: str) -> None:
        key = item_key(CONNECTIONS, f"subscription#{subscription_id}#{integration_id}")
        self._client.put_item(TableName=self._table, Item={**key, "data": text(integration_id)})

    def subscribers(self, subscription_id: str) -> tuple[str, ...]:
        """The IDs of the integrations whose notifications come by this subscription; none for a foreign one."""
        return tuple(self._items.texts(CONNECTIONS, f"subscription#{subscription_id}#"))

    def forget_subscription(self, subscription_id: str, integration_id: str) -> None:
        key = item_key(CONNECTIONS, f"subscription#{subscription_id}#{integration_id}")
        self._client.delete_item(TableName=self._table, Key=key)

    def want_redownload(self, integration_id: str, wanted: Redownload) -> None:
        """Keeps a request for an order. A second one for the same order replaces it; an older hint changes nothing."""
        if wanted.changed_at is None:
            self._client.put_item(TableName=self._table, Item=_redownload_row(integration_id, wanted))
        else:
            self._want_if_newer(integration_id, wanted)

    def _want_if_newer(self, integration_id: str, wanted: Redownload) -> None:
        """Keeps the request unless there is one for the same order that is as new."""
        row = _redownload_row(integration_id, wanted)
        compared = "changedAt" if "changedAt" in row else "wantedAt"
        condition = {
            "ConditionExpression": "attribute_not_exists(#item) OR #compared < :compared",
            "ExpressionAttributeNames": {"#item": "item", "#compared": compared},
            "ExpressionAttributeValues": {":compared": row[compared]},
        }
        self._put_if(row, condition)

    def _put_if(self, row: Item, condition: dict[str, Any]) -> None:
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.put_item(TableName=self._table, Item=row, **condition)

    def due_redownloads(self, integration_id: str, cause: RedownloadCause, now: datetime) -> tuple[Redownload, ...]:
        """The orders to ask for now, as many as a few runs have quota for: more would only take memory."""
        every = (read_stored(Redownload, text) for text in self._items.texts(integration_id, f"redownload#{cause}#"))
        return tuple(islice((one for one in every if one.is_due(now)), MOST_REDOWNLOADS_READ))

    def has_redownloads(self, integration_id: str) -> bool:
        """Whether any request is kept, of whatever cause, due or not."""
        return self._items.has_any(integration_id, "redownload#")

    def settle_redownload(self, integration_id: str, settled: Redownload, later: Redownload | None) -> None:
        """Replaces the request by a later one, or forgets it (None), unless it has been made again meanwhile."""
        key = item_key(integration_id, _redownload_item(settled))
        condition = _unless_repeated("wantedAt", settled.wanted_at)
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            if later is None:
                self._client.delete_item(TableName=self._table, Key=key, **condition)
            else:
                row = _redownload_row(integration_id, later)
                self._client.put_item(TableName=self._table, Item=row, **condition)

    def rejudgement(self, integration_id: str) -> Rejudgement | None:
        """The rejudgement that is under way, or was the last."""
        return read_item(Rejudgement, self._items.get(integration_id, "rejudgement"))

    def begin_rejudgement(self, integration_id: str, rejudgement: Rejudgement) -> None:
        """Begins it in place of one that is under way: the settings may have changed since."""
        self._client.put_item(TableName=self._table, Item=_rejudgement_item(integration_id, rejudgement))

    def save_rejudgement(self, integration_id: str, rejudgement: Rejudgement) -> None:
        """Writes how far it has come, unless another one was begun meanwhile."""
        condition = _unless_repeated("requestedAt", rejudgement.requested_at)
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            item = _rejudgement_item(integration_id, rejudgement)
            self._client.put_item(TableName=self._table, Item=item, **condition)

    def merge(self, integration_id: str, source: str) -> Merge | None:
        """The merge of the source into the integration."""
        return read_item(Merge, self._items.get(integration_id, f"merge#{source}"))

    def merge_under_way(self, integration_id: str) -> Merge | None:
        """The merge into the integration that is not finished: there is one at a time."""
        every = (read_stored(Merge, text) for text in self._items.texts(integration_id, "merge#"))
        return next((merge for merge in every if merge.finished_at is None), None)

    def save_merge(self, integration_id: str, merge: Merge) -> None:
        """Only the run that the queue gave this integration writes here once it has begun."""
        self._client.put_item(TableName=self._table, Item=merge_item(integration_id, merge))

    def move_requests(self, source: str, target: str) -> bool:
        """Moves the next orders that the source is to ask for by ID, then those set aside; whether there were any.

        A newer request that the target has itself stays, and what it has set aside itself.
        """
        wanted = list(islice(self._items.named(source, "redownload#"), MOST_MOVED_AT_ONCE))
        for item in wanted:
            self._want_if_newer(target, read_stored(Redownload, item["data"]["S"]))
        aside = list(islice(self._items.named(source, "setAside#"), MOST_MOVED_AT_ONCE - len(wanted)))
        for item in aside:
            row = {**item_key(target, item["item"]["S"]), "data": item["data"]}
            self._put_if(row, _IF_NEW)
        for item in (*wanted, *aside):
            self._client.delete_item(TableName=self._table, Key=item_key(source, item["item"]["S"]))
        return bool(wanted or aside)

    def save_erasure(self, integration_id: str, erasure: Erasure) -> None:
        """Keeps a new one, for runs to go on with."""
        self._items.put(integration_id, f"erasing#{erasure.erasure_id}", erasure)

    def save_progress(self, integration_id: str, before: StoredErasure, after: Erasure) -> bool:
        """Writes how far an erasure has come, if it is still as it was read; answers whether it was.

        A finished one is kept apart, as a proof that no run reads any more.
        """
        key = item_key(integration_id, f"erasing#{after.erasure_id}")
        if_unchanged: Any = {
            "TableName": self._table,
            "ConditionExpression": "#data = :read",
            "ExpressionAttributeNames": {"#data": "data"},
            "ExpressionAttributeValues": {":read": text(before.as_read)},
        }
        errors = self._client.exceptions
        try:
            if after.finished_at is None:
                self._client.put_item(Item={**key, "data": as_json(after)}, **if_unchanged)
            else:
                proof = {**item_key(integration_id, f"erasure#{after.erasure_id}"), "data": as_json(after)}
                writes: Any = [
                    {"Put": {"TableName": self._table, "Item": proof}},
                    {"Delete": {"Key": key, **if_unchanged}},
                ]
                self._client.transact_write_items(TransactItems=writes)
        except (errors.ConditionalCheckFailedException, errors.TransactionConflictException):
            return False
        except errors.TransactionCanceledException as error:
            if not is_lost_race(error):
                raise
            return False
        return True

    def erasures_under_way(self, integration_id: str) -> tuple[StoredErasure, ...]:
        """The erasures that runs go on with, oldest first."""
        texts = self._items.texts(integration_id, "erasing#")
        return tuple(StoredErasure(read_stored(Erasure, text), text) for text in texts)

    def erasures_of(self, integration_ids: Sequence[str], erasure_id: str) -> dict[str, Erasure]:
        """The parts of an erasure in those of the integrations that have one, by ID. Raises Throttled."""
        # In this sequence: a part that is finished meanwhile ceases to be under way, and is found among the finished.
        under_way = self._parts(integration_ids, f"erasing#{erasure_id}")
        return under_way | self._parts(
            (one for one in integration_ids if one not in under_way), f"erasure#{erasure_id}"
        )

    def _parts(self, integration_ids: Iterable[str], item: str) -> dict[str, Erasure]:
        found = self._items.existing(item_key(one, item) for one in integration_ids)
        return {part["integrationId"]["S"]: read_stored(Erasure, part["data"]["S"]) for part in found}

    def save_begun_erasure(self, begun: BegunErasure) -> None:
        self._items.put(ERASURES, f"begun#{begun.erasure.erasure_id}", begun)

    def begun_erasure(self, erasure_id: str) -> BegunErasure | None:
        """The erasure as it was begun; None for one that an earlier release began."""
        return read_item(BegunErasure, self._items.get(ERASURES, f"begun#{erasure_id}"))

    def all_incidents(self) -> dict[str, Incidents]:
        """The incidents of every integration that ever had one and whose can be read, by its ID."""
        return _incidents_in(self._items.named(CONNECTIONS, _INCIDENTS))

    def incidents_of(self, some: Sequence[Integration]) -> dict[str, Incidents]:
        """The incidents of those that have one and whose can be read, by ID. Raises Throttled."""
        keys = (item_key(CONNECTIONS, f"{_INCIDENTS}{one.integration_id}") for one in some)
        return _incidents_in(self._items.existing(keys))

    def save_incidents(self, integration_id: str, incidents: Incidents) -> None:
        self._items.put(CONNECTIONS, f"{_INCIDENTS}{integration_id}", incidents)

    def all_held_counters(self) -> dict[str, HeldCounter]:
        """The counter of every integration that has one which can be read, by its ID."""
        return _counters_in(self._items.named(HELD, _COUNTER))

    def held_counters(self, limit: int, after: str | None) -> CounterPage:
        """The counters of at most `limit` integrations, by ID; `after` is the ID that they come after."""
        page = self._items.page(HELD, _COUNTER, limit, after and _counter_item(after))
        return CounterPage(_counters_in(page.items), page.position and page.position.removeprefix(_COUNTER))

    def save_held_counter(self, integration_id: str, counter: HeldCounter) -> None:
        self._items.put(HELD, _counter_item(integration_id), counter)

    def forget_held_counter(self, integration_id: str) -> None:
        self._client.delete_item(TableName=self._table, Key=item_key(HELD, _counter_item(integration_id)))

    def arrivals(self, integration_id: str) -> Arrivals:
        return read_item(Arrivals, self._items.get(integration_id, "arrivals")) or Arrivals()

    def save_arrivals(self, integration_id: str, arrivals: Arrivals) -> None:
        self._items.put(integration_id, "arrivals", arrivals)

    def set_aside(self, integration_id: str, orders: Iterable[SetAside]) -> None:
        for order in orders:
            self._items.put(integration_id, f"setAside#{order.order_id}", order)

    def forget_set_aside(self, integration_id: str, order_id: str) -> None:
        self._client.delete_item(TableName=self._table, Key=item_key(integration_id, f"setAside#{order_id}"))

    def all_set_aside(self, integration_id: str) -> tuple[SetAside, ...]:
        return tuple(read_stored(SetAside, text) for text in self._items.texts(integration_id, "setAside#"))


def _incidents_in(items: Iterable[Item]) -> dict[str, Incidents]:
    read = ((item["item"]["S"].removeprefix(_INCIDENTS), read_if_readable(Incidents, item)) for item in items)
    return {integration_id: incidents for integration_id, incidents in read if incidents}


def _counter_item(integration_id: str) -> str:
    return f"{_COUNTER}{integration_id}"


def _counters_in(items: Iterable[Item]) -> dict[str, HeldCounter]:
    read = ((item["item"]["S"].removeprefix(_COUNTER), read_if_readable(HeldCounter, item)) for item in items)
    return {integration_id: counter for integration_id, counter in read if counter}


def _live_download(integration: Integration, item: Item | None) -> LiveDownload:
    return read_item(LiveDownload, item) or LiveDownload.starting(integration.registered_at)


def _unless_repeated(attribute: str, time: datetime) -> dict[str, Any]:
    """The condition that nobody has made the same request again since."""
    return {
        "ConditionExpression": f"#{attribute} = :{attribute}",
        "ExpressionAttributeNames": {f"#{attribute}": attribute},
        "ExpressionAttributeValues": {f":{attribute}": text(instant(time))},
    }


def _rejudgement_item(integration_id: str, rejudgement: Rejudgement) -> dict[str, "AttributeValueTypeDef"]:
    key = item_key(integration_id, "rejudgement")
    return {**key, "data": as_json(rejudgement), "requestedAt": text(instant(rejudgement.requested_at))}


def _redownload_item(wanted: Redownload) -> str:
    return f"redownload#{wanted.cause}#{wanted.order_id}"


def _redownload_row(integration_id: str, wanted: Redownload) -> dict[str, "AttributeValueTypeDef"]:
    """The item, with the times that conditions compare next to the data."""
    changed = {"changedAt": text(instant(wanted.changed_at))} if wanted.changed_at else {}
    key = item_key(integration_id, _redownload_item(wanted))
    return {**key, "data": as_json(wanted), "wantedAt": text(instant(wanted.wanted_at)), **changed}
