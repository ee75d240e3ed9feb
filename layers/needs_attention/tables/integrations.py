"""The integrations table: Amazon accounts and their settings, Stages, how far each download has come.

Partition `#system` holds what decides where orders may go: the integrations with their settings, the Stages and the
freeze of everything. Settings alone are written there, so that a role can keep every other function from it.
`#connections` holds what runs tell of all integrations: their incidents and subscriptions. A partition of an
integration's id holds how its downloads stand, which orders are to be asked for by ID, and what was set aside.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from needs_attention.aws import ChangedMeanwhile, is_lost_race
from needs_attention.downloads.backdated import BackdatedDownload
from needs_attention.downloads.by_id import Redownload, RedownloadCause, SetAside
from needs_attention.downloads.live import LiveDownload
from needs_attention.downloads.proofs import Proofs
from needs_attention.downloads.second_look import Reconciliation
from needs_attention.integrations.arrivals import Arrivals
from needs_attention.integrations.incidents import Incidents
from needs_attention.integrations.integration import Integration, Rejudgement
from needs_attention.integrations.stages import Stages
from needs_attention.integrations.standing import IntegrationStanding, IntegrationState
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.orders.erasure import Erasure
from needs_attention.tables.dynamodb import Item, items
from needs_attention.values.model import Value, read_stored
from needs_attention.values.times import instant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


# No integration can have such an id: see `Slug`.
SYSTEM, CONNECTIONS = "#system", "#connections"
MOST_REDOWNLOADS_READ = 200

MOST_BYTES_OF_A_SORT_KEY = 1024
# A hand-over locks the freeze for the few milliseconds of its transaction: so often is the freeze tried against them.
TRIES_TO_FREEZE = 20


class IntegrationStore:
    """Reads and writes the integrations table, `table`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    # Integrations

    def find_all(self, *, deleted_too: bool = False) -> tuple[Integration, ...]:
        """Every integration, by id; a deleted one is only kept for the sake of its orders."""
        found = (read_stored(Integration, text) for text in self._find(SYSTEM, "integration#"))
        return tuple(integration for integration in found if deleted_too or integration.deleted_at is None)

    def get(self, integration_id: str) -> Integration | None:
        """The integration, also a deleted one, or None."""
        return _stored(Integration, self._get(SYSTEM, f"integration#{integration_id}"))

    def surroundings(self, integration_id: str) -> Surroundings | None:
        """All that a decision about the integration's orders needs, in one consistent read; None without integration.

        Raises Throttled.
        """
        own, incidents = f"integration#{integration_id}", f"incidents#{integration_id}"
        found = self._read(
            _key(SYSTEM, own), _key(SYSTEM, "freeze"), _key(SYSTEM, "stages"), _key(CONNECTIONS, incidents)
        )
        integration = _stored(Integration, found.get(own))
        if integration is None:
            return None
        return Surroundings.of(
            integration,
            _stored(Incidents, found.get(incidents)) or Incidents(),
            _stored(Stages, found.get("stages")) or Stages(),
            is_all_frozen="freeze" in found,
        )

    def state(self, integration_id: str) -> IntegrationState | None:
        """How the integration and its downloads stand, in one consistent read; None without integration.

        A live download that never ran starts at the registration. Raises Throttled.
        """
        own, incidents = f"integration#{integration_id}", f"incidents#{integration_id}"
        of_downloads = (_key(integration_id, item) for item in ("live", "proofs", "reconciliation", "rejudgement"))
        found = self._read(_key(SYSTEM, own), _key(CONNECTIONS, incidents), *of_downloads)
        integration = _stored(Integration, found.get(own))
        if integration is None:
            return None
        return IntegrationState(
            integration,
            live=_live_download(integration, found.get("live")),
            proofs=_stored(Proofs, found.get("proofs")) or Proofs(),
            reconciliation=_stored(Reconciliation, found.get("reconciliation")),
            rejudgement=_stored(Rejudgement, found.get("rejudgement")),
            incidents=_stored(Incidents, found.get(incidents)) or Incidents(),
        )

    def standing(self, integration: Integration) -> IntegrationStanding:
        """How its downloads stand, in one consistent read. Raises Throttled."""
        integration_id, incidents = integration.integration_id, f"incidents#{integration.integration_id}"
        of_downloads = (_key(integration_id, item) for item in ("live", "reconciliation"))
        found = self._read(_key(SYSTEM, "stages"), _key(CONNECTIONS, incidents), *of_downloads)
        return IntegrationStanding(
            live=_live_download(integration, found.get("live")),
            incidents=_stored(Incidents, found.get(incidents)) or Incidents(),
            reconciliation=_stored(Reconciliation, found.get("reconciliation")),
            stages=_stored(Stages, found.get("stages")) or Stages(),
        )

    def save(self, integration: Integration) -> Integration:
        """Writes the integration if it is still as it was read. Raises ChangedMeanwhile."""
        later = integration.model_copy(update={"revision": integration.revision + 1})
        self._put(SYSTEM, f"integration#{integration.integration_id}", later, expected=integration.revision)
        return later

    def register(self, integration: Integration, history: BackdatedDownload | None) -> Integration:
        """Writes the integration as `save` does, and with it the download that it begins with: both or neither."""
        if history is None:
            return self.save(integration)
        later = integration.model_copy(update={"revision": integration.revision + 1})
        place = f"integration#{integration.integration_id}"
        put_integration = self._conditional_put(SYSTEM, place, later, expected=integration.revision)
        download = history.model_copy(update={"revision": 1})
        place = f"download#{history.download_id}"
        put_download = self._conditional_put(integration.integration_id, place, download, expected=0)
        try:
            self._client.transact_write_items(TransactItems=[{"Put": put_integration}, {"Put": put_download}])
        except self._client.exceptions.TransactionCanceledException as error:
            if not is_lost_race(error):
                raise
            raise ChangedMeanwhile from error
        return later

    def nothing_changed(self, integration: Integration) -> tuple[dict[str, Any], ...]:
        """Condition checks for a transaction: the settings are those that were read, and nothing is frozen."""
        unchanged = {
            "TableName": self._table,
            "Key": _key(SYSTEM, f"integration#{integration.integration_id}"),
            "ConditionExpression": "#revision = :read",
            "ExpressionAttributeNames": {"#revision": "revision"},
            "ExpressionAttributeValues": {":read": {"N": str(integration.revision)}},
        }
        not_frozen = {
            "TableName": self._table,
            "Key": _key(SYSTEM, "freeze"),
            "ConditionExpression": "attribute_not_exists(#item)",
            "ExpressionAttributeNames": {"#item": "item"},
        }
        return {"ConditionCheck": unchanged}, {"ConditionCheck": not_frozen}

    # Freeze of all integrations

    def is_all_frozen(self) -> bool:
        return self._get(SYSTEM, "freeze") is not None

    def freeze_all(self, by: str, at: datetime) -> None:
        item = {**_key(SYSTEM, "freeze"), "by": _text(by), "at": _text(at.isoformat())}
        self._against_hand_overs(lambda: self._client.put_item(TableName=self._table, Item=item))

    def unfreeze_all(self) -> None:
        key = _key(SYSTEM, "freeze")
        self._against_hand_overs(lambda: self._client.delete_item(TableName=self._table, Key=key))

    def _against_hand_overs(self, write: Callable[[], object]) -> None:
        """Makes a write that a hand-over in the same instant would refuse, until it lands between two of them."""
        for _ in range(TRIES_TO_FREEZE - 1):
            with suppress(self._client.exceptions.TransactionConflictException):
                write()
                return
        write()

    # Stages

    def stages(self) -> Stages:
        """The list of Stages; `Needs Attention` and `New` are always in it."""
        return _stored(Stages, self._get(SYSTEM, "stages")) or Stages()

    def save_stages(self, stages: Stages) -> None:
        """Writes the list if it is still as it was read. Raises ChangedMeanwhile."""
        later = stages.model_copy(update={"revision": stages.revision + 1})
        self._put(SYSTEM, "stages", later, expected=stages.revision)

    # Downloads

    def live_download(self, integration: Integration) -> LiveDownload:
        """How the live download stands; one that never ran starts at the registration."""
        return _live_download(integration, self._get(integration.integration_id, "live"))

    def live_downloads(self, of: Sequence[Integration]) -> dict[str, LiveDownload]:
        """How the live download of each stands, by the integration's id. Raises Throttled."""
        keys = (_key(one.integration_id, "live") for one in of)
        found = {item["integrationId"]["S"]: item for item in self._items(keys)}
        return {one.integration_id: _live_download(one, found.get(one.integration_id)) for one in of}

    def save_live_download(self, integration_id: str, live: LiveDownload) -> None:
        """Only the run that the queue gave this integration writes here, one at a time, so no condition is needed."""
        self._client.put_item(TableName=self._table, Item={**_key(integration_id, "live"), "data": _json(live)})

    def backdated_downloads(self, integration_id: str) -> tuple[BackdatedDownload, ...]:
        """All of them, oldest first: their ids sort by the time of the request."""
        return tuple(read_stored(BackdatedDownload, t) for t in self._find(integration_id, "download#"))

    def backdated_download(self, integration_id: str, download_id: str) -> BackdatedDownload | None:
        return _stored(BackdatedDownload, self._get(integration_id, f"download#{download_id}"))

    def save_backdated_download(self, integration_id: str, download: BackdatedDownload) -> BackdatedDownload:
        """Writes it if it is still as it was read (a person may have cancelled it). Raises ChangedMeanwhile."""
        later = download.model_copy(update={"revision": download.revision + 1})
        self._put(integration_id, f"download#{download.download_id}", later, expected=download.revision)
        return later

    def save_proofs(self, integration_id: str, proofs: Proofs) -> None:
        self._client.put_item(TableName=self._table, Item={**_key(integration_id, "proofs"), "data": _json(proofs)})

    def save_reconciliation(self, integration_id: str, reconciliation: Reconciliation) -> None:
        self._client.put_item(
            TableName=self._table, Item={**_key(integration_id, "reconciliation"), "data": _json(reconciliation)}
        )

    # Subscriptions to ORDER_CHANGE: integrations of one seller and application share one

    def save_subscription(self, subscription_id: str, integration_id: str) -> None:
        key = _key(CONNECTIONS, f"subscription#{subscription_id}#{integration_id}")
        self._client.put_item(TableName=self._table, Item={**key, "data": _text(integration_id)})

    def subscribers(self, subscription_id: str) -> tuple[Integration, ...]:
        """The integrations whose notifications come by this subscription; none for one that is not ours."""
        found = (
            self.get(integration_id) for integration_id in self._find(CONNECTIONS, f"subscription#{subscription_id}#")
        )
        return tuple(integration for integration in found if integration)

    def forget_subscription(self, subscription_id: str, integration_id: str) -> None:
        key = _key(CONNECTIONS, f"subscription#{subscription_id}#{integration_id}")
        self._client.delete_item(TableName=self._table, Key=key)

    # Orders to be asked for by ID

    def want_redownload(self, integration_id: str, wanted: Redownload) -> None:
        """Asking again for the same order is one request; a hint that is older than one that waits says nothing."""
        row = {**_key(integration_id, _redownload_item(wanted)), "data": _json(wanted), **_times(wanted)}
        condition: dict[str, Any] = {}
        if wanted.changed_at is not None:
            news = "attribute_not_exists(#item) OR #changedAt < :changedAt"
            condition = {
                "ConditionExpression": news,
                "ExpressionAttributeNames": {"#item": "item", "#changedAt": "changedAt"},
                "ExpressionAttributeValues": {":changedAt": _text(instant(wanted.changed_at))},
            }
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.put_item(TableName=self._table, Item=row, **condition)

    def due_redownloads(self, integration_id: str, cause: RedownloadCause, now: datetime) -> tuple[Redownload, ...]:
        """Those that are to be asked for now, so many as a few runs have quota for: more would only take memory."""
        every = (read_stored(Redownload, text) for text in self._find(integration_id, f"redownload#{cause}#"))
        return tuple(islice((one for one in every if one.is_due(now)), MOST_REDOWNLOADS_READ))

    def has_redownloads(self, integration_id: str) -> bool:
        """Whether any is kept, of whatever cause, due or not."""
        return bool(self._client.query(**self._items_named(integration_id, "redownload#"), Limit=1)["Items"])

    def settle_redownload(self, integration_id: str, settled: Redownload, later: Redownload | None) -> None:
        """Puts it off, or forgets it (None); not if it has been asked for anew meanwhile."""
        key = _key(integration_id, _redownload_item(settled))
        condition = _unless_anew("wantedAt", settled.wanted_at)
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            if later is None:
                self._client.delete_item(TableName=self._table, Key=key, **condition)
            else:
                row = {**key, "data": _json(later), **_times(later)}
                self._client.put_item(TableName=self._table, Item=row, **condition)

    # Orders judged anew

    def rejudgement(self, integration_id: str) -> Rejudgement | None:
        """The one that is under way, or was the last."""
        return _stored(Rejudgement, self._get(integration_id, "rejudgement"))

    def begin_rejudgement(self, integration_id: str, rejudgement: Rejudgement) -> None:
        """In place of one that is under way: the settings may have changed since."""
        self._client.put_item(TableName=self._table, Item=_rejudgement_item(integration_id, rejudgement))

    def save_rejudgement(self, integration_id: str, rejudgement: Rejudgement) -> None:
        """How far it has come; not if another one was begun meanwhile."""
        condition = _unless_anew("requestedAt", rejudgement.requested_at)
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            item = _rejudgement_item(integration_id, rejudgement)
            self._client.put_item(TableName=self._table, Item=item, **condition)

    # Buyers' erasures

    def save_erasure(self, integration_id: str, erasure: Erasure) -> None:
        """How far it has come. One that is through is kept apart, as a proof that no run reads any more."""
        under_way = _key(integration_id, f"erasing#{erasure.erasure_id}")
        done = _key(integration_id, f"erasure#{erasure.erasure_id}")
        key = done if erasure.finished_at else under_way
        self._client.put_item(TableName=self._table, Item={**key, "data": _json(erasure)})
        if erasure.finished_at:
            self._client.delete_item(TableName=self._table, Key=under_way)

    def erasures_under_way(self, integration_id: str) -> tuple[Erasure, ...]:
        """The oldest first."""
        return tuple(read_stored(Erasure, text) for text in self._find(integration_id, "erasing#"))

    def erasure(self, integration_id: str, erasure_id: str) -> Erasure | None:
        item = self._get(integration_id, f"erasing#{erasure_id}") or self._get(integration_id, f"erasure#{erasure_id}")
        return _stored(Erasure, item)

    # How the connection fares; written by the one run at a time, as `live_download` is

    def all_incidents(self) -> dict[str, Incidents]:
        """Of every integration that ever had one, by its id."""
        found = self._find_items(CONNECTIONS, "incidents#")
        return {
            item["item"]["S"].removeprefix("incidents#"): read_stored(Incidents, item["data"]["S"]) for item in found
        }

    def save_incidents(self, integration_id: str, incidents: Incidents) -> None:
        item = {**_key(CONNECTIONS, f"incidents#{integration_id}"), "data": _json(incidents)}
        self._client.put_item(TableName=self._table, Item=item)

    def arrivals(self, integration_id: str) -> Arrivals:
        return _stored(Arrivals, self._get(integration_id, "arrivals")) or Arrivals()

    def save_arrivals(self, integration_id: str, arrivals: Arrivals) -> None:
        self._client.put_item(TableName=self._table, Item={**_key(integration_id, "arrivals"), "data": _json(arrivals)})

    # Orders that could not be kept

    def set_aside(self, integration_id: str, orders: Iterable[SetAside]) -> None:
        for order in orders:
            item = {**_key(integration_id, f"setAside#{order.order_id}"), "data": _json(order)}
            self._client.put_item(TableName=self._table, Item=item)

    def forget_set_aside(self, integration_id: str, order_id: str) -> None:
        self._client.delete_item(TableName=self._table, Key=_key(integration_id, f"setAside#{order_id}"))

    def all_set_aside(self, integration_id: str) -> tuple[SetAside, ...]:
        return tuple(read_stored(SetAside, text) for text in self._find(integration_id, "setAside#"))

    def _read(self, *keys: Item) -> dict[str, Item]:
        """The items of those keys that exist, by the name of the item. Raises Throttled."""
        return {item["item"]["S"]: item for item in self._items(keys)}

    def _items(self, keys: Iterable[Item]) -> Iterator[Item]:
        return items(self._client, self._table, keys, ConsistentRead=True)

    def _get(self, integration_id: str, item: str) -> Item | None:
        """What is stored there; the name of an item may be somebody's text, and DynamoDB takes no key of any length."""
        if len(item.encode()) > MOST_BYTES_OF_A_SORT_KEY:
            return None
        answer = self._client.get_item(TableName=self._table, Key=_key(integration_id, item), ConsistentRead=True)
        return answer.get("Item")

    def _find(self, integration_id: str, prefix: str) -> Iterable[str]:
        return (item["data"]["S"] for item in self._find_items(integration_id, prefix))

    def _find_items(self, integration_id: str, prefix: str) -> Iterable[dict[str, Any]]:
        pages = self._client.get_paginator("query").paginate(**self._items_named(integration_id, prefix))
        return (item for page in pages for item in page["Items"])

    def _items_named(self, integration_id: str, prefix: str) -> Any:
        return {
            "TableName": self._table,
            "KeyConditionExpression": "#id = :id AND begins_with(#item, :prefix)",
            "ExpressionAttributeNames": {"#id": "integrationId", "#item": "item"},
            "ExpressionAttributeValues": {":id": _text(integration_id), ":prefix": _text(prefix)},
            "ConsistentRead": True,
        }

    def _put(self, integration_id: str, item: str, value: "Revised", *, expected: int) -> None:
        """Writes it if it is still as it was read. Raises ChangedMeanwhile.

        A write whose answer was lost is made again by botocore, and finds itself there: nobody else changed anything.
        """
        put = self._conditional_put(integration_id, item, value, expected=expected)
        try:
            self._client.put_item(ReturnValuesOnConditionCheckFailure="ALL_OLD", **put)
        except self._client.exceptions.ConditionalCheckFailedException as error:
            if error.response.get("Item") != put["Item"]:
                raise ChangedMeanwhile from error
        except self._client.exceptions.TransactionConflictException as error:
            raise ChangedMeanwhile from error

    def _conditional_put(self, integration_id: str, item: str, value: "Revised", *, expected: int) -> Any:
        unchanged_since_read = "#revision = :read"
        not_there_yet = "attribute_not_exists(#item)"
        if expected:
            names, values = {"#revision": "revision"}, {":read": {"N": str(expected)}}
        else:
            names, values = {"#item": "item"}, None
        row = {**_key(integration_id, item), "data": _json(value), "revision": {"N": str(value.revision)}}
        return {
            "TableName": self._table,
            "Item": row,
            "ConditionExpression": unchanged_since_read if expected else not_there_yet,
            "ExpressionAttributeNames": names,
            **({"ExpressionAttributeValues": values} if values else {}),
        }


Revised = Integration | BackdatedDownload | Stages


def _key(integration_id: str, item: str) -> dict[str, "AttributeValueTypeDef"]:
    return {"integrationId": _text(integration_id), "item": _text(item)}


def _stored[Kept: Value](kind: type[Kept], item: Item | None) -> Kept | None:
    return read_stored(kind, item["data"]["S"]) if item else None


def _live_download(integration: Integration, item: Item | None) -> LiveDownload:
    return _stored(LiveDownload, item) or LiveDownload.starting(integration.registered_at)


def _unless_anew(attribute: str, time: datetime) -> dict[str, Any]:
    """The condition that nobody has asked for the same thing again since."""
    return {
        "ConditionExpression": f"#{attribute} = :{attribute}",
        "ExpressionAttributeNames": {f"#{attribute}": attribute},
        "ExpressionAttributeValues": {f":{attribute}": _text(instant(time))},
    }


def _rejudgement_item(integration_id: str, rejudgement: Rejudgement) -> dict[str, "AttributeValueTypeDef"]:
    key = _key(integration_id, "rejudgement")
    return {**key, "data": _json(rejudgement), "requestedAt": _text(instant(rejudgement.requested_at))}


def _redownload_item(wanted: Redownload) -> str:
    return f"redownload#{wanted.cause}#{wanted.order_id}"


def _times(wanted: Redownload) -> dict[str, "AttributeValueTypeDef"]:
    """What conditions compare, beside the data."""
    changed = {"changedAt": _text(instant(wanted.changed_at))} if wanted.changed_at else {}
    return {"wantedAt": _text(instant(wanted.wanted_at)), **changed}


def _json(value: Value) -> "AttributeValueTypeDef":
    return _text(value.model_dump_json(by_alias=True))


def _text(value: str) -> "AttributeValueTypeDef":
    return {"S": value}
