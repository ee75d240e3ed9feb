"""Items of the integrations table: read by key or by the beginning of their name, and written if nobody was faster.

Partition `#system` holds what decides where orders may go: the integrations with their settings, which of them has a
seller, the Stages and the freeze of everything. `#connections` holds what runs say of all integrations: their incidents
and subscriptions. `#wake-ups` holds when the clock wakes each of them next. `#held` holds a counter of each
integration's held orders, which its runs write, so that one query reads all of them. `#erasures` holds which
integrations an erasure concerns. The partition of an integration's ID holds the state of its downloads, the orders to
ask for by ID, and those set aside.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from aws_lambda_powertools import Logger

from needs_attention.aws import ChangedMeanwhile
from needs_attention.downloads.backdated import BackdatedDownload
from needs_attention.integrations.incidents import Incidents
from needs_attention.integrations.integration import Integration
from needs_attention.integrations.merge import Merge
from needs_attention.integrations.stages import Stages
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.tables.dynamodb import Item, get_many, number, text
from needs_attention.values.model import Value, read_stored

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


logger = Logger(child=True)

# No integration can have such an ID: see `Slug`.
SYSTEM, CONNECTIONS, WAKE_UPS, HELD, ERASURES = "#system", "#connections", "#wake-ups", "#held", "#erasures"
MOST_BYTES_OF_A_SORT_KEY = 1024


# These are written only if their revision is still the one that was read.
RevisedValue = Integration | BackdatedDownload | Stages


class ItemPage(NamedTuple):
    """A part of the items whose names begin alike, and the name after which there may be more (None at the end)."""

    items: Sequence[Item]
    position: str | None


class IntegrationItems:
    """Reads and writes items of the integrations table, `table`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self.client = client
        self.table = table

    def read(self, *keys: Item) -> dict[str, Item]:
        """The items of those keys that exist, by the name of the item. Raises Throttled."""
        return {item["item"]["S"]: item for item in self.existing(keys)}

    def existing(self, keys: Iterable[Item]) -> Iterator[Item]:
        possible = (key for key in keys if _may_be_name(key["item"]["S"]))
        return get_many(self.client, self.table, possible, ConsistentRead=True)

    def get(self, integration_id: str, item: str) -> Item | None:
        """The item, or None."""
        if not _may_be_name(item):
            return None
        answer = self.client.get_item(TableName=self.table, Key=item_key(integration_id, item), ConsistentRead=True)
        return answer.get("Item")

    def texts(self, integration_id: str, prefix: str) -> Iterable[str]:
        """The JSON of the items whose names begin so, by name; reads page by page, as far as they are taken."""
        return (item["data"]["S"] for item in self.named(integration_id, prefix))

    def named(self, integration_id: str, prefix: str) -> Iterable[dict[str, Any]]:
        pages = self.client.get_paginator("query").paginate(**self.query_named(integration_id, prefix))
        return (item for page in pages for item in page["Items"])

    def page(self, integration_id: str, prefix: str, limit: int, after: str | None = None) -> ItemPage:
        """The first `limit` items whose names begin so, by name; `after` is the name that they come after.

        They are fewer only at the end, though an answer of DynamoDB holds no more than a megabyte.
        """
        items: list[Item] = []
        query = self.query_named(integration_id, prefix)
        if after:
            query["ExclusiveStartKey"] = item_key(integration_id, after)
        while True:
            answer = self.client.query(Limit=limit - len(items), **query)
            items += answer["Items"]
            last = answer.get("LastEvaluatedKey")
            if last is None or len(items) == limit:
                return ItemPage(items, last["item"]["S"] if last else None)
            query["ExclusiveStartKey"] = last

    def has_any(self, integration_id: str, prefix: str) -> bool:
        """Whether there is an item whose name begins so."""
        return bool(self.client.query(**self.query_named(integration_id, prefix), Limit=1)["Items"])

    def query_named(self, integration_id: str, prefix: str) -> Any:
        return {
            "TableName": self.table,
            "KeyConditionExpression": "#id = :id AND begins_with(#item, :prefix)",
            "ExpressionAttributeNames": {"#id": "integrationId", "#item": "item"},
            "ExpressionAttributeValues": {":id": text(integration_id), ":prefix": text(prefix)},
            "ConsistentRead": True,
        }

    def put(self, integration_id: str, item: str, value: Value) -> None:
        """Writes it without a condition, over whatever is there."""
        row = {**item_key(integration_id, item), "data": as_json(value)}
        self.client.put_item(TableName=self.table, Item=row)

    def put_if_unchanged(self, integration_id: str, item: str, value: RevisedValue, *, expected: int) -> None:
        """Writes it if it is still as it was read. Raises ChangedMeanwhile.

        If the answer to a write is lost, botocore writes again and meets its own write: nobody else changed anything.
        """
        put = self.conditional_put(integration_id, item, value, expected=expected)
        try:
            self.client.put_item(ReturnValuesOnConditionCheckFailure="ALL_OLD", **put)
        except self.client.exceptions.ConditionalCheckFailedException as error:
            if error.response.get("Item") != put["Item"]:
                raise ChangedMeanwhile from error
        except self.client.exceptions.TransactionConflictException as error:
            raise ChangedMeanwhile from error

    def conditional_put(self, integration_id: str, item: str, value: RevisedValue, *, expected: int) -> Any:
        """The call's parameters, also as the `Put` of a transaction. `expected` 0 stands for: not there yet."""
        unchanged_since_read = "#revision = :read"
        not_there_yet = "attribute_not_exists(#item)"
        if expected:
            names, values = {"#revision": "revision"}, {":read": number(expected)}
        else:
            names, values = {"#item": "item"}, None
        row = {**item_key(integration_id, item), "data": as_json(value), "revision": number(value.revision)}
        return {
            "TableName": self.table,
            "Item": row,
            "ConditionExpression": unchanged_since_read if expected else not_there_yet,
            "ExpressionAttributeNames": names,
            **({"ExpressionAttributeValues": values} if values else {}),
        }


def _may_be_name(item: str) -> bool:
    """Whether it can be the name of an item: it may be a text that somebody sent, and DynamoDB limits its length."""
    return len(item.encode()) <= MOST_BYTES_OF_A_SORT_KEY


def item_key(integration_id: str, item: str) -> dict[str, "AttributeValueTypeDef"]:
    return {"integrationId": text(integration_id), "item": text(item)}


def merge_item(integration_id: str, merge: Merge) -> Item:
    """The whole item of a merge into the integration."""
    return {**item_key(integration_id, f"merge#{merge.source}"), "data": as_json(merge)}


def read_item[Kept: Value](kind: type[Kept], item: Item | None) -> Kept | None:
    return read_stored(kind, item["data"]["S"]) if item else None


def read_if_readable[Kept: Value](kind: type[Kept], item: Item) -> Kept | None:
    """For reads of many items: one that cannot be read is logged, and spoils none of the others."""
    try:
        return read_item(kind, item)
    except (KeyError, ValueError):
        logger.exception("item cannot be read", integration=item["integrationId"]["S"], item=item["item"]["S"])
        return None


def as_json(value: Value) -> "AttributeValueTypeDef":
    return text(value.model_dump_json(by_alias=True))


def surrounding_keys(*integration_ids: str) -> tuple[Item, ...]:
    """The items that `read_surroundings` reads for these integrations."""
    own = (
        (item_key(SYSTEM, f"integration#{one}"), item_key(CONNECTIONS, f"incidents#{one}")) for one in integration_ids
    )
    return (item_key(SYSTEM, "freeze"), item_key(SYSTEM, "stages"), *chain.from_iterable(own))


def read_surroundings(integration_id: str, found: Mapping[str, Item]) -> Surroundings | None:
    """All that a decision about the integration's orders needs, out of the items found; None without integration."""
    integration = read_item(Integration, found.get(f"integration#{integration_id}"))
    if integration is None:
        return None
    return Surroundings.of(
        integration,
        read_item(Incidents, found.get(f"incidents#{integration_id}")) or Incidents(),
        read_item(Stages, found.get("stages")) or Stages(),
        is_all_frozen="freeze" in found,
    )
