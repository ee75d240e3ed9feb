"""Tables as a seller's account of some size leaves them: orders downloaded and judged long since, with a history."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import batched
from typing import Any

from needs_attention.amazon.order_json import read_order
from needs_attention.integrations.integration import Integration
from needs_attention.integrations.stages import BUILT_IN_STAGES, Stage, Stages
from needs_attention.orders.amazon_order import AmazonOrder
from needs_attention.orders.order import LastChange, Order
from needs_attention.orders.settings import Settings, ThreePlStatus
from needs_attention.orders.summary import Summary
from needs_attention.orders.verdict import judged
from needs_attention.tables.history import OrderRevision, history_item
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.order_items import to_item
from tools.amazon_stand_in.generator import Hole, generated
from tools.amazon_stand_in.marketplaces import marketplaces_of
from tools.local_stack import local_aws
from tools.local_stack.registration import INTEGRATION
from tools.local_stack.stack import Stack

# About three in ten are held, whatever the size: so many that a small account has three full pages of them.
SHARES = dict.fromkeys(Hole, 0.01) | {Hole.EMAIL_ABSENT: 0.3}
# Of the complete orders each fourth is still to be sent, by the warehouse.
NOT_SENT_YET = 4
DISPATCHED = Stage(id="dispatched", name="Dispatched")
MOST_IN_A_BATCH = 25
SAYS_EVERY = 10_000


def fill(stack: Stack, number: int, now: datetime, say: Callable[[str], None]) -> None:
    """Writes `number` orders of one integration in the stores' own formats; nothing else happens on the stack then.

    The integration is paused and the orders' stream is off, so that neither a download nor the publication of 50,000
    old changes disturbs the measurement. The n-th order is the same for every `number` (and `now`).
    """
    dynamodb = local_aws.session().client("dynamodb", endpoint_url=stack.aws_endpoint)
    _stop_streams(stack)
    integrations = SettingsStore(dynamodb, stack.outputs["IntegrationsTable"])
    integrations.save(
        Integration(
            integration_id=INTEGRATION,
            name="Demo shop",
            region="NA",
            marketplace_ids=tuple(marketplace.marketplace_id for marketplace in marketplaces_of("NA")),
            is_paused=True,
            registered_at=now,
        )
    )
    integrations.save_stages(Stages(stages=(*BUILT_IN_STAGES, DISPATCHED)))
    written = 0
    for some in batched(stored_orders(number, now), MOST_IN_A_BATCH, strict=False):
        revisions = [OrderRevision(Summary.of(order), order.last_change) for order in some if order.last_change]
        for table, items in (
            ("OrdersTable", [to_item(order) for order in some]),
            ("HistoryTable", [history_item(revision) for revision in revisions]),
        ):
            puts: Any = [{"PutRequest": {"Item": item}} for item in items]
            dynamodb.batch_write_item(RequestItems={stack.outputs[table]: puts})
        written += len(some)
        if written % SAYS_EVERY == 0 or written == number:
            say(f"{written:,} of {number:,} orders written")


def stored_orders(number: int, now: datetime) -> Iterator[Order]:
    """Most are dispatched, about three in ten held; a few are new, drafts or void."""
    for position, entry in enumerate(generated(number, now=now, shares=SHARES)):
        amazon = read_order(json.loads(entry.document))
        order = _judged(amazon, now)
        if order.hold or order.status != "Open":
            yield order
        elif position % NOT_SENT_YET == 0:
            yield order.with_(three_pl_status=ThreePlStatus.NOW)
        else:
            sent = amazon.model_copy(update={"fulfillment_status": "SHIPPED"})
            yield _judged(sent, now).with_(stage=DISPATCHED.id)


def _judged(amazon: AmazonOrder, now: datetime) -> Order:
    """As it stands when Amazon has been asked for it as often as it is."""
    change = LastChange(by="amazon", at=now, cause="download")
    order = judged(Order.first_seen(INTEGRATION, amazon, now), Settings(), now)
    return order.with_(redownload_at=None, revision=1, last_change=change)


def _stop_streams(stack: Stack) -> None:
    functions = local_aws.session().client("lambda", endpoint_url=stack.aws_endpoint)
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        if ":dynamodb:" in mapping["EventSourceArn"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
