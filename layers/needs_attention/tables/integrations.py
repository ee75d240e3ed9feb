"""The settings that administrators keep: integrations, Stages, and the freeze of all hand-overs.

They are written here alone, in a partition of their own, so that a role can keep every other function from it.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from needs_attention.aws import ChangedMeanwhile, is_lost_race
from needs_attention.downloads.backdated import BackdatedDownload
from needs_attention.integrations.incidents import Incidents
from needs_attention.integrations.integration import Integration, Region
from needs_attention.integrations.merge import Merge
from needs_attention.integrations.stages import Stages
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.orders.settings import NEW
from needs_attention.tables.dynamodb import Item, text
from needs_attention.tables.integration_items import (
    SYSTEM,
    IntegrationItems,
    item_key,
    merge_item,
    read_if_readable,
    read_item,
    read_surroundings,
    surrounding_keys,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# A hand-over locks the freeze for the few milliseconds of its transaction, so the freeze is tried this often.
TRIES_TO_FREEZE = 20
_INTEGRATION = "integration#"


class IntegrationPage(NamedTuple):
    """Some integrations, also deleted ones: the IDs of all, those that can be read, and where there may be more.

    `position` is the ID to go on after, None at the end.
    """

    ids: tuple[str, ...]
    readable: tuple[Integration, ...]
    position: str | None

    def part(self, limit: int, after: str | None) -> Self:
        """At most `limit` of these, which come after that ID."""
        later = [one for one in self.ids if after is None or one > after]
        ids = tuple(later[:limit])
        readable = tuple(one for one in self.readable if one.integration_id in ids)
        return self._replace(ids=ids, readable=readable, position=ids[-1] if len(later) > limit else None)


class SettingsStore:
    """Reads and writes the settings in the integrations table, `table`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table
        self._items = IntegrationItems(client, table)

    def find_all(self, *, deleted_too: bool = False) -> tuple[Integration, ...]:
        """Every integration that can be read, by ID. A deleted one is only kept for its orders."""
        _, found = _read_all(self._items.named(SYSTEM, _INTEGRATION))
        return tuple(integration for integration in found if deleted_too or integration.deleted_at is None)

    def page(self, limit: int, after: str | None = None) -> IntegrationPage:
        """At most `limit` integrations by ID, also deleted ones; `after` is the ID that they come after."""
        found = self._items.page(SYSTEM, _INTEGRATION, limit, after and f"{_INTEGRATION}{after}")
        position = found.position and found.position.removeprefix(_INTEGRATION)
        return IntegrationPage(*_read_all(found.items), position)

    def named(self, integration_ids: Iterable[str]) -> IntegrationPage:
        """Those of the integrations that exist, by ID, also deleted ones. Raises Throttled."""
        keys = (item_key(SYSTEM, f"{_INTEGRATION}{one}") for one in dict.fromkeys(integration_ids))
        found = sorted(self._items.existing(keys), key=lambda item: item["item"]["S"])
        return IntegrationPage(*_read_all(found), None)

    def find_all_ids(self) -> tuple[str, ...]:
        """The ID of every integration, also of deleted ones and of those that cannot be read."""
        return tuple(item["item"]["S"].removeprefix(_INTEGRATION) for item in self._items.named(SYSTEM, _INTEGRATION))

    def get(self, integration_id: str) -> Integration | None:
        """The integration, even a deleted one, or None."""
        return read_item(Integration, self._items.get(SYSTEM, f"integration#{integration_id}"))

    def get_each(self, integration_ids: Iterable[str]) -> dict[str, Integration | None]:
        """The integrations by ID, even deleted ones; None for one that is missing or unreadable. Raises Throttled."""
        each: dict[str, Integration | None] = dict.fromkeys(integration_ids)
        return each | {one.integration_id: one for one in self.named(each).readable}

    def surroundings(self, integration_id: str) -> Surroundings | None:
        """All that a decision about the integration's orders needs, in one consistent read; None without integration.

        Raises Throttled.
        """
        return self.surroundings_of([integration_id]).get(integration_id)

    def surroundings_of(self, integration_ids: Iterable[str]) -> dict[str, Surroundings]:
        """The same of each of the integrations that exist, by its ID. Raises Throttled."""
        named = tuple(dict.fromkeys(integration_ids))
        found = self._items.read(*surrounding_keys(*named))
        read = ((one, read_surroundings(one, found)) for one in named)
        return {one: own for one, own in read if own}

    def surroundings_among(
        self, known: Iterable[Integration], incidents: Mapping[str, Incidents], stages: Stages
    ) -> dict[str, Surroundings]:
        """By integration ID. The caller has read what is `known`, the incidents by integration ID, and the Stages."""
        is_all_frozen = self.is_all_frozen()
        return {
            one.integration_id: Surroundings.of(
                one, incidents.get(one.integration_id, Incidents()), stages, is_all_frozen=is_all_frozen
            )
            for one in known
        }

    def of_seller(self, region: Region, seller_id: str) -> Integration | None:
        """The integration that has the seller in the region, even a deleted one; None if there is none.

        A release that does not know sellers may have dropped the seller from the integration: it has it all the same,
        until an administrator names another.
        """
        holder = self._registered_as(region, seller_id)
        return holder if holder and holder.seller_id in {seller_id, None} else None

    def _registered_as(self, region: Region, seller_id: str) -> Integration | None:
        """The integration that the seller's item names. It may have another seller by now."""
        item = self._items.get(SYSTEM, _seller_item(region, seller_id))
        return self.get(item["registeredAs"]["S"]) if item else None

    def save(self, integration: Integration) -> Integration:
        """Writes the integration if it is still as it was read. Raises ChangedMeanwhile."""
        later = integration.model_copy(update={"revision": integration.revision + 1})
        self._items.put_if_unchanged(
            SYSTEM, f"integration#{integration.integration_id}", later, expected=integration.revision
        )
        return later

    def save_with_names(
        self, integration: Integration, before: Integration | None, history: BackdatedDownload | None = None
    ) -> Integration:
        """Writes the integration as `save` does, that it alone has its seller, and that its default Stages stay.

        All of it is written, or nothing. `before` is the integration as it was read; its seller becomes free if it is
        another one now. `history` is the download that the integration begins with. Raises ChangedMeanwhile, also if
        another integration has the seller, or if a Stage is gone.
        """
        writes: list[Any] = [{"Put": self._put_next(integration)}, *self._keep_stages(integration, before)]
        if integration.seller_id:
            writes += self._take_seller(integration, integration.seller_id)
        if before and before.seller_id and before.seller_id != integration.seller_id:
            writes.append({"Delete": self._delete_seller(before, before.seller_id)})
        if history:
            download = history.model_copy(update={"revision": 1})
            place = f"download#{history.download_id}"
            put_download = self._items.conditional_put(integration.integration_id, place, download, expected=0)
            writes.append({"Put": put_download})
        self._write_all(writes)
        return integration.model_copy(update={"revision": integration.revision + 1})

    def begin_merge(
        self,
        source: Integration,
        target: Integration,
        merged: Integration,
        merge: Merge,
        *,
        wrong: Integration | None = None,
    ) -> None:
        """Writes the merge with all that it changes at once: the two integrations, and whose seller it is.

        `merged` is the target as it becomes. `wrong` is one of the two as it was read: its seller becomes free. Raises
        ChangedMeanwhile, also if a Stage that becomes a default one is gone.
        """
        target_id = merged.integration_id
        gone = source.model_copy(update={"merged_into": target_id})
        puts = [self._put_next(merged), self._put_next(gone)]
        if merged.seller_id:
            puts.append(self._put_seller(merged, merged.seller_id, held_by=source.integration_id))
        puts.append({"TableName": self._table, "Item": merge_item(target_id, merge)})
        writes: list[Any] = [{"Put": put} for put in puts] + self._keep_stages(merged, target)
        if wrong and wrong.seller_id:
            writes.append({"Delete": self._delete_seller(wrong, wrong.seller_id)})
        self._write_all(writes)

    def _put_next(self, integration: Integration) -> Any:
        later = integration.model_copy(update={"revision": integration.revision + 1})
        place = f"integration#{integration.integration_id}"
        return self._items.conditional_put(SYSTEM, place, later, expected=integration.revision)

    def _write_all(self, writes: list[Any]) -> None:
        """Makes all of the writes, or none. Raises ChangedMeanwhile."""
        try:
            self._client.transact_write_items(TransactItems=writes)
        except self._client.exceptions.TransactionCanceledException as error:
            if not is_lost_race(error):
                raise
            raise ChangedMeanwhile from error

    def _take_seller(self, integration: Integration, seller_id: str) -> list[Any]:
        """The writes by which the integration has the seller, also if the item of one that has another was left behind.

        A release that does not know sellers leaves such items.
        """
        holder = self._registered_as(integration.region, seller_id)
        if holder and holder.integration_id != integration.integration_id and holder.seller_id not in {seller_id, None}:
            put = self._put_seller(integration, seller_id, held_by=holder.integration_id)
            # Written as it is, the holder gets a new revision: its own change to this seller cannot land any more.
            return [{"Put": put}, {"Put": self._put_next(holder)}]
        return [{"Put": self._put_seller(integration, seller_id)}]

    def _keep_stages(self, integration: Integration, before: Integration | None) -> list[Any]:
        """The write by which the Stages that are default ones from now on stay. Raises ChangedMeanwhile if one is gone.

        It gives their list a new revision: whoever is removing one has looked at the integrations as they were, and
        looks again. A removed integration keeps no Stage, so its default ones may be gone.
        """
        kept = before.settings.default_stages if before and before.deleted_at is None else frozenset[str]()
        named = integration.settings.default_stages - kept - {NEW}
        if not named:
            return []
        stages = self.stages()
        if not named <= {stage.id for stage in stages.stages}:
            raise ChangedMeanwhile
        later = stages.model_copy(update={"revision": stages.revision + 1})
        return [{"Put": self._items.conditional_put(SYSTEM, "stages", later, expected=stages.revision)}]

    def _put_seller(self, integration: Integration, seller_id: str, *, held_by: str | None = None) -> dict[str, Any]:
        """Unless another integration than `held_by` has the seller."""
        key = item_key(SYSTEM, _seller_item(integration.region, seller_id))
        return {
            "Item": {**key, "registeredAs": text(integration.integration_id)},
            **self._if_held_by(integration.integration_id, held_by or integration.integration_id),
        }

    def _delete_seller(self, integration: Integration, seller_id: str) -> dict[str, Any]:
        key = item_key(SYSTEM, _seller_item(integration.region, seller_id))
        return {"Key": key, **self._if_held_by(integration.integration_id, integration.integration_id)}

    def _if_held_by(self, integration_id: str, other: str) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "ConditionExpression": "attribute_not_exists(#item) OR #registeredAs = :id OR #registeredAs = :other",
            "ExpressionAttributeNames": {"#item": "item", "#registeredAs": "registeredAs"},
            "ExpressionAttributeValues": {":id": text(integration_id), ":other": text(other)},
        }

    def nothing_changed(self, integration: Integration) -> tuple[dict[str, Any], ...]:
        """Condition checks for a transaction: the settings are still as they were read, and nothing is frozen."""
        unchanged = {
            "TableName": self._table,
            "Key": item_key(SYSTEM, f"integration#{integration.integration_id}"),
            "ConditionExpression": "#revision = :read",
            "ExpressionAttributeNames": {"#revision": "revision"},
            "ExpressionAttributeValues": {":read": {"N": str(integration.revision)}},
        }
        not_frozen = {
            "TableName": self._table,
            "Key": item_key(SYSTEM, "freeze"),
            "ConditionExpression": "attribute_not_exists(#item)",
            "ExpressionAttributeNames": {"#item": "item"},
        }
        return {"ConditionCheck": unchanged}, {"ConditionCheck": not_frozen}

    def is_all_frozen(self) -> bool:
        return self._items.get(SYSTEM, "freeze") is not None

    def freeze_all(self, by: str, at: datetime) -> None:
        item = {**item_key(SYSTEM, "freeze"), "by": text(by), "at": text(at.isoformat())}
        self._against_hand_overs(lambda: self._client.put_item(TableName=self._table, Item=item))

    def unfreeze_all(self) -> None:
        key = item_key(SYSTEM, "freeze")
        self._against_hand_overs(lambda: self._client.delete_item(TableName=self._table, Key=key))

    def _against_hand_overs(self, write: Callable[[], object]) -> None:
        """Makes a write that a hand-over in the same instant would refuse, until it lands between two of them."""
        for _ in range(TRIES_TO_FREEZE - 1):
            with suppress(self._client.exceptions.TransactionConflictException):
                write()
                return
        write()

    def stages(self) -> Stages:
        """The list of Stages; `Needs Attention` and `New` are always in it."""
        return read_item(Stages, self._items.get(SYSTEM, "stages")) or Stages()

    def save_stages(self, stages: Stages) -> None:
        """Writes the list if it is still as it was read. Raises ChangedMeanwhile."""
        later = stages.model_copy(update={"revision": stages.revision + 1})
        self._items.put_if_unchanged(SYSTEM, "stages", later, expected=stages.revision)


def _read_all(items: Iterable[Item]) -> tuple[tuple[str, ...], tuple[Integration, ...]]:
    """The IDs of the integrations, and those that can be read."""
    every = tuple(items)
    ids = tuple(item["item"]["S"].removeprefix(_INTEGRATION) for item in every)
    return ids, tuple(filter(None, (read_if_readable(Integration, item) for item in every)))


def _seller_item(region: Region, seller_id: str) -> str:
    """The name of the item that keeps a seller to one integration. It stays when the integration is removed."""
    return f"seller#{region}#{seller_id}"
