"""An answer of Amazon's that is merged into the order that is stored."""

from datetime import timedelta
from typing import Any

import pytest

from needs_attention.orders.amazon_order import UnreadableOrder
from needs_attention.orders.amazon_update import downloaded
from needs_attention.orders.gate import Wanted, change
from needs_attention.orders.order import Redaction
from needs_attention.orders.settings import Checks, Settings
from needs_attention.orders.verdict import judged
from tools.builders import NOON, a_line, accepting, an_amazon_order, an_order, edited

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def test_a_new_order_waits_for_its_verdict() -> None:
    order = downloaded(None, an_amazon_order(), "demo", Settings(), NOON)
    assert order is not None
    assert (order.integration, order.is_pending, order.revision) == ("demo", True, 0)


@pytest.mark.parametrize("news", [{"delivered_at": NOON}, {"deliver_by_earliest": NOON}])
def test_news_that_only_its_removal_goes_by_leaves_the_verdict(news: dict[str, Any]) -> None:
    sent = an_amazon_order(fulfillment_status="SHIPPED", deliver_by_earliest=None)
    order = judged(an_order(sent), Settings(), NOON)
    answer = order.amazon.model_copy(update={"updated_at": NOON, **news})
    after = downloaded(order, answer, order.integration, Settings(), NOON)
    assert after is not None
    assert not after.is_pending
    assert after.amazon == answer


def test_an_order_that_arrives_after_its_time_is_stored_redacted() -> None:
    long_ago = {"created_at": NOON - timedelta(days=30), "deliver_by_earliest": NOON - timedelta(days=27)}
    old = an_amazon_order(fulfillment_status="SHIPPED", **long_ago)
    order = downloaded(None, old, "demo", Settings(), NOON)
    assert order is not None
    assert (order.redacted_at, order.redaction) == (NOON, Redaction(by="clock", why="retention"))
    assert (order.amazon.recipient_name, order.amazon.buyer_email) == (None, None)


def test_an_unchanged_order_is_not_written() -> None:
    order = an_order()
    assert downloaded(order, order.amazon, order.integration, Settings(), NOON) is None


def test_an_older_version_never_wins() -> None:
    order = an_order()
    older = order.amazon.model_copy(
        update={"updated_at": order.amazon.updated_at - timedelta(seconds=1), "recipient_name": "Somebody Else"}
    )
    assert downloaded(order, older, order.integration, Settings(), NOON) is None


def test_new_content_under_the_same_update_time_is_written() -> None:
    order = an_order(amazon=an_amazon_order(buyer_email=None))
    filled = order.amazon.model_copy(update={"buyer_email": "ada@marketplace.example.com"})
    after = downloaded(order, filled, order.integration, Settings(), NOON)
    assert after is not None
    assert (after.amazon.buyer_email, after.pending_since) == ("ada@marketplace.example.com", NOON)


def test_a_verdict_stands_when_only_the_time_of_the_update_is_new() -> None:
    judged_order = judged(an_order(amazon=an_amazon_order(buyer_email=None)), Settings(), NOON)
    touched = judged_order.amazon.model_copy(update={"updated_at": judged_order.amazon.updated_at + HOUR})
    after = downloaded(judged_order, touched, judged_order.integration, Settings(), NOON + HOUR)
    assert after == judged_order.with_(amazon=touched, downloaded_at=NOON + HOUR)
    assert judged(after, Settings(), NOON + HOUR).says_the_same_as(after)


def test_new_settings_make_a_verdict_pending_at_the_next_update() -> None:
    held = judged(an_order(amazon=an_amazon_order(buyer_email=None)), Settings(), NOON)
    touched = held.amazon.model_copy(update={"updated_at": held.amazon.updated_at + HOUR})
    after = downloaded(held, touched, held.integration, Settings(checks=Checks(email=False)), NOON + HOUR)
    assert after is not None
    assert after.pending_since == NOON + HOUR


def test_a_new_update_time_alone_leaves_a_pending_verdict_pending() -> None:
    order = an_order().with_(pending_since=NOON)
    touched = order.amazon.model_copy(update={"updated_at": order.amazon.updated_at + HOUR})
    after = downloaded(order, touched, order.integration, Settings(), NOON + HOUR)
    assert after is not None
    assert after.is_pending


def test_a_download_leaves_peoples_part_of_the_order_alone() -> None:
    order = an_order(stage="packing", accepted=accepting("email"))
    newer = order.amazon.model_copy(update={"updated_at": order.amazon.updated_at + HOUR})
    after = downloaded(order, newer, order.integration, Settings(), NOON)
    assert after is not None
    assert (after.edits, after.stage, after.accepted) == (order.edits, "packing", accepting("email"))


def test_a_redacted_order_is_never_filled_again() -> None:
    order = an_order(redacted_at=NOON)
    bare = order.with_(amazon=order.amazon.redacted())
    newer = an_amazon_order(updated_at=order.amazon.updated_at + HOUR)
    after = downloaded(bare, newer, bare.integration, Settings(), NOON)
    assert after is not None
    assert (after.amazon.recipient_name, after.amazon.buyer_email) == (None, None)


def test_an_order_of_another_integration_is_refused() -> None:
    order = an_order(integration="ours")
    with pytest.raises(UnreadableOrder, match="belongs to the integration"):
        downloaded(order, an_amazon_order(), "theirs", Settings(), NOON)


def test_an_order_too_large_with_what_is_kept_of_it_is_refused() -> None:
    lines = tuple(a_line(order_item_id="x" * 2_000) for _ in range(30))
    order = an_order(an_amazon_order(line_items=lines))
    newer = order.amazon.model_copy(update={"line_items": None, "programs": ("x" * 2_000,) * 10})
    assert downloaded(order, newer, order.integration, Settings(), NOON)
    with pytest.raises(UnreadableOrder, match="more than the 100,000 that can be kept"):
        downloaded(
            order, newer.model_copy(update={"programs": ("x" * 2_000,) * 20}), order.integration, Settings(), NOON
        )


def test_titles_give_way_to_what_a_later_answer_brings_and_the_same_answer_is_no_news() -> None:
    lines = tuple(a_line(order_item_id=str(number), title="x" * 2_000) for number in range(30))
    order = an_order(an_amazon_order(line_items=lines))
    newer = order.amazon.model_copy(update={"line_items": None, "programs": ("x" * 2_000,) * 30})
    after = downloaded(order, newer, order.integration, Settings(), NOON)
    assert after is not None
    assert {len(line.title or "") for line in after.amazon.line_items or ()} == {198}
    for answer in (newer, newer.model_copy(update={"line_items": lines})):
        assert downloaded(after, answer, order.integration, Settings(), NOON) is None


# What an answer means for people's part -------------------------------------------------------------------------------

SAYS = {"other": "other@example.com", "third": "third@example.com", "typed": "typed@example.com"}


def news_after(*says: str, is_held: bool) -> tuple[str, ...]:
    """The news on an order whose email was typed, after answers with these emails and no verdict between."""
    silent = an_amazon_order(buyer_email=None)
    order = judged(an_order(silent, edits=edited(silent, email="typed@example.com")), Settings(), NOON)
    order = order if is_held else change(order, Wanted(release=True), Settings(), by="ada", at=NOON)
    for number, email in enumerate(says, start=1):
        newer = order.amazon.model_copy(
            update={"buyer_email": SAYS[email], "updated_at": order.amazon.updated_at + number * MINUTE}
        )
        order = downloaded(order, newer, order.integration, Settings(), NOON) or order
    return order.news


@pytest.mark.parametrize(
    ("says", "is_held", "news"),
    [
        (["typed"], True, ()),
        (["other"], True, ("email",)),
        (["other"], False, ()),
        (["other", "third"], False, ("email",)),
        (["typed", "other"], False, ("email",)),
        (["other", "third", "typed"], False, ()),
    ],
    ids=str,
)
def test_the_download_notices_which_value_is_news(says: list[str], is_held: bool, news: tuple[str, ...]) -> None:
    assert news_after(*says, is_held=is_held) == news


def test_a_request_to_cancel_on_another_line_asks_again() -> None:
    lines = (a_line(asked_to_cancel=True), a_line(order_item_id="90002", seller_sku="SHADE-1"))
    asked = an_amazon_order(line_items=lines)
    order = an_order(asked, edits=edited(asked, confirmed=("buyerRequestedCancel",)))
    newer = asked.model_copy(
        update={"line_items": (lines[0], lines[1].model_copy(update={"asked_to_cancel": True})), "updated_at": NOON}
    )

    after = downloaded(order, newer, order.integration, Settings(), NOON)
    assert after is not None
    assert [item.field for item in judged(after, Settings(), NOON).open_missing] == ["buyerRequestedCancel"]


@pytest.mark.parametrize("unknown", [None, "ON_HOLD"])
def test_an_order_whose_status_vanishes_is_held_until_amazon_says_it_again(unknown: str | None) -> None:
    order = judged(an_order(), Settings(), NOON)
    for status, reason in ((unknown, "unknownStatus"), ("UNSHIPPED", None)):
        newer = order.amazon.model_copy(
            update={"fulfillment_status": status, "updated_at": order.amazon.updated_at + MINUTE}
        )
        order = judged(downloaded(order, newer, order.integration, Settings(), NOON) or order, Settings(), NOON)
        assert [item.reason for item in order.missing] == ([reason] if reason else [])
        assert (order.hold is not None) == bool(reason)


@pytest.mark.parametrize("unknown", [None, "ON_HOLD"])
def test_an_answer_without_a_known_status_leaves_a_shipped_order_shipped(unknown: str | None) -> None:
    order = judged(an_order(an_amazon_order(fulfillment_status="SHIPPED")), Settings(), NOON)
    newer = order.amazon.model_copy(update={"fulfillment_status": unknown, "updated_at": NOON})
    after = downloaded(order, newer, order.integration, Settings(), NOON)

    assert after is not None
    assert judged(after, Settings(), NOON).status == "Dispatched"
