"""The subscription to Amazon's ORDER_CHANGE notifications: made, kept and ended by the settings."""

import json
from typing import Any

import pytest

from needs_attention.amazon.client import SellingPartnerApi
from needs_attention.amazon.notifications import order_change, unsubscribe
from needs_attention.downloads.by_id import Redownload
from needs_attention.downloads.live import Subscription
from needs_attention.integrations.integration import NamedSeller
from needs_attention.integrations.integration_settings import IntegrationSettings
from tests.integration.downloads.conftest import HOUR, MINUTE, World
from tools.amazon_stand_in.misbehaviour import Misbehaviour

WANTED = IntegrationSettings(download_pending_orders=True, order_change_notifications=True)


@pytest.fixture
def told(world: World) -> World:
    """The settings switch notifications on."""
    world.change(settings=WANTED)
    return world


def calls(world: World) -> list[str]:
    """The operations of the Notifications API that were called."""
    return [one.operation for one in world.amazon.requests() if "/notifications/" in one.path]


def sent_for(world: World, order_id: str) -> Any:
    """The queue, and what arrives in it when the order changes; None if nothing does."""
    return world.amazon.order_change(order_id)


def test_nobody_is_subscribed_by_default(world: World) -> None:
    world.run()
    assert calls(world) == []
    assert sent_for(world, min(world.ledger())) is None


def test_an_integration_that_wants_notifications_is_subscribed_once(told: World) -> None:
    told.run_for(5 * MINUTE)
    assert calls(told) == ["getDestinations", "createDestination", "getSubscription", "createSubscription"]
    arn, _ = sent_for(told, min(told.ledger()))
    assert arn == told.order_change_queue
    assert told.live.subscription.failure is None


def test_a_notification_names_the_subscriber_the_order_and_when_it_changed(told: World) -> None:
    told.run()
    entry = told.amazon.order(min(told.ledger()))
    _, notification = sent_for(told, entry.order_id)
    change = order_change(json.dumps(notification))
    assert change is not None
    assert (change.order_id, change.changed_at) == (entry.order_id, entry.updated.replace(microsecond=0))
    assert told.downloads.subscribers(change.subscription_id) == ("demo",)


def test_the_subscription_ends_when_the_setting_does(told: World) -> None:
    told.run()
    subscription_id = told.live.subscription.subscription_id
    told.change(settings=IntegrationSettings())
    told.run_for(2 * MINUTE)
    assert calls(told)[4:] == ["deleteSubscriptionById"]
    assert sent_for(told, min(told.ledger())) is None
    assert told.live.subscription.subscription_id is None
    assert told.downloads.subscribers(subscription_id) == ()


def test_a_subscription_that_is_gone_already_ends_all_the_same(told: World) -> None:
    told.run()
    subscription = told.live.subscription.model_copy(update={"subscription_id": "gone"})
    told.downloads.save_live_download("demo", told.live.model_copy(update={"subscription": subscription}))
    told.change(settings=IntegrationSettings())
    told.run()
    assert told.live.subscription.subscription_id is None


def test_a_subscription_made_before_a_run_died_is_found_again(told: World, monkeypatch: pytest.MonkeyPatch) -> None:
    save = told.downloads.save_subscription

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(told.downloads, "save_subscription", dies)
    with pytest.raises(KeyboardInterrupt):
        told.run()
    monkeypatch.setattr(told.downloads, "save_subscription", save)
    told.amazon.forget_requests()
    told.run()
    assert calls(told) == ["getDestinations", "getSubscription"]
    assert told.live.subscription.subscription_id is not None


def test_a_destination_that_another_integration_makes_meanwhile_is_shared(
    told: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = SellingPartnerApi.call

    def after_another(api: SellingPartnerApi, operation: str, *arguments: Any, **more: Any) -> Any:
        if operation == "createDestination":
            monkeypatch.undo()
            call(api, operation, *arguments, **more)
        return call(api, operation, *arguments, **more)

    monkeypatch.setattr(SellingPartnerApi, "call", after_another)
    told.run()
    assert told.live.subscription.subscription_id is not None


def test_an_application_that_sends_notifications_elsewhere_is_left_alone(told: World) -> None:
    told.run()
    told.downloads.save_live_download("demo", told.live.model_copy(update={"subscription": Subscription()}))
    told.order_change_queue += "-of-another-stack"
    told.run()
    assert "elsewhere" in told.live.subscription.failure


@pytest.mark.parametrize("operation", ["getDestinations", "createDestination", "getSubscription", "createSubscription"])
def test_a_failed_subscription_is_shown_retried_hourly_and_delays_nothing(told: World, operation: str) -> None:
    told.amazon.misbehave(Misbehaviour.HTML_503, operations=[operation])
    told.run()
    assert told.live.subscription.failure
    assert told.live.last_run_at == told.clock()
    assert not told.incidents
    told.amazon.forget_requests()
    told.run_for(50 * MINUTE, tick=10 * MINUTE)
    assert calls(told) == []
    told.run_for(20 * MINUTE, tick=10 * MINUTE)
    assert (told.live.subscription.failure, told.live.subscription.subscription_id is None) == (None, False)


def test_a_failure_is_forgotten_when_nobody_wants_notifications_any_more(told: World) -> None:
    told.amazon.misbehave(Misbehaviour.HTML_503, operations=["getDestinations"])
    told.run()
    told.change(settings=IntegrationSettings())
    told.run()
    assert told.live.subscription.failure is None
    told.change(settings=WANTED)
    told.run()
    assert told.live.subscription.subscription_id is not None


def test_a_stack_without_a_queue_says_what_to_do(told: World) -> None:
    told.order_change_queue = ""
    told.run_for(HOUR, tick=10 * MINUTE)
    assert "OrderChangeNotifications=true" in told.live.subscription.failure
    assert calls(told) == []


def test_a_subscription_that_amazon_has_lost_is_made_again_within_a_day(told: World) -> None:
    told.run()
    first = told.live.subscription.subscription_id
    unsubscribe(told.api(), first)
    told.run_for(25 * HOUR, tick=HOUR)
    second = told.live.subscription.subscription_id
    assert second not in {None, first}
    assert told.downloads.subscribers(first) == ()
    assert told.downloads.subscribers(second) == ("demo",)
    assert sent_for(told, min(told.ledger())) is not None


@pytest.mark.parametrize("kinds", [("OrderStatusChange",), ("BuyerRequestedChange", "DeliveryTipChange")])
def test_a_subscription_that_a_filter_keeps_changes_from_is_replaced(told: World, kinds: tuple[str, ...]) -> None:
    filtered = subscribed_by_somebody(told, kinds)
    told.run()
    assert calls(told)[-2:] == ["deleteSubscriptionById", "createSubscription"]
    assert told.live.subscription.subscription_id not in {None, filtered}
    assert told.live.subscription.failure is None
    assert sent_for(told, min(told.ledger())) is not None
    told.amazon.forget_requests()
    told.run_for(25 * HOUR, tick=HOUR)
    assert calls(told) == ["getDestinations", "getSubscription"]


def test_a_subscription_to_every_change_that_matters_is_kept(told: World) -> None:
    known = subscribed_by_somebody(told, ("BuyerRequestedChange", "OrderStatusChange"))
    told.run()
    assert told.live.subscription.subscription_id == known


def test_a_replacement_that_fails_half_way_is_made_up_for(told: World) -> None:
    subscribed_by_somebody(told, ("OrderStatusChange",))
    told.amazon.misbehave(Misbehaviour.HTML_503, operations=["createSubscription"])
    told.run()
    assert told.live.subscription.failure
    told.run_for(70 * MINUTE, tick=10 * MINUTE)
    assert told.live.subscription.failure is None
    assert sent_for(told, min(told.ledger())) is not None


def subscribed_by_somebody(world: World, kinds: tuple[str, ...]) -> str:
    """The ID of a subscription to these kinds of changes that the queue gets already."""
    api = world.api()
    resource = {"sqs": {"arn": world.order_change_queue}}
    made = api.call(
        "createDestination",
        "POST",
        "/notifications/v1/destinations",
        body={"name": "order changes", "resourceSpecification": resource},
        scope="sellingpartnerapi::notifications",
    )
    event_filter = {"eventFilterType": "ORDER_CHANGE", "orderChangeTypes": list(kinds)}
    body = {
        "payloadVersion": "1.0",
        "destinationId": made["payload"]["destinationId"],
        "processingDirective": {"eventFilter": event_filter},
    }
    path = "/notifications/v1/subscriptions/ORDER_CHANGE"
    subscription_id: str = api.call("createSubscription", "POST", path, body=body)["payload"]["subscriptionId"]
    return subscription_id


def test_a_subscription_shared_by_another_integration_is_left_to_it(told: World) -> None:
    told.register("second", settings=WANTED)
    told.run()
    told.run(integration_id="second")
    told.change(settings=IntegrationSettings())
    told.run()
    assert told.live.subscription.subscription_id is None
    assert sent_for(told, min(told.ledger())) is not None


def test_a_paused_integration_is_unsubscribed_when_its_setting_says_so(told: World) -> None:
    told.run()
    told.change(is_paused=True, settings=IntegrationSettings())
    told.run()
    assert sent_for(told, min(told.ledger())) is None


# The seller that notifications name


OURS, OTHER = "A1STANDINSELLER", "A2BERGBERGBERG"


def hear(told: World, seller_id: str | None, order_id: str = "") -> None:
    """A notification arrives of an order that Amazon has changed just now."""
    told.clock.advance(MINUTE)
    hint = Redownload(
        order_id=order_id or min(told.ledger()),
        cause="orderChange",
        wanted_at=told.clock(),
        changed_at=told.clock(),
        seller_id=seller_id,
    )
    told.downloads.want_redownload("demo", hint)
    told.run()


def of_seller(told: World, seller_id: str) -> None:
    told.change(named_sellers=(NamedSeller(seller_id=seller_id, by="clerk", at=told.clock()),))


def open_codes(told: World) -> list[str]:
    return [one.code for one in told.incidents.incidents]


def test_a_notification_that_names_another_seller_is_an_incident(told: World) -> None:
    of_seller(told, OURS)
    hear(told, OTHER)
    (incident,) = told.incidents.incidents
    assert incident.code == "otherSeller"
    assert OURS in incident.evidence
    assert OTHER in incident.evidence
    hear(told, None)
    assert told.incidents.incidents == (incident,)
    hear(told, OURS)
    assert open_codes(told) == []


def test_the_incident_ends_when_the_seller_is_corrected(told: World) -> None:
    of_seller(told, OURS)
    hear(told, OTHER)
    of_seller(told, "A3NEITHERNEITHER")
    told.run()
    assert open_codes(told) == ["otherSeller"]
    of_seller(told, OTHER)
    told.run()
    assert open_codes(told) == []


def test_without_a_seller_on_record_no_notification_names_another(told: World) -> None:
    hear(told, OTHER)
    assert open_codes(told) == []


def test_an_order_is_downloaded_whatever_seller_its_notification_names(told: World) -> None:
    of_seller(told, OURS)
    hear(told, OTHER)
    assert min(told.ledger()) in told.items()


def test_another_seller_is_noticed_though_no_call_works(told: World) -> None:
    of_seller(told, OURS)
    told.amazon.misbehave(Misbehaviour.ACCESS_DENIED, times=None)
    hear(told, OTHER)
    assert "otherSeller" in open_codes(told)


def test_of_two_other_sellers_the_incident_keeps_naming_the_first(told: World) -> None:
    of_seller(told, OURS)
    hear(told, OTHER)
    (incident,) = told.incidents.incidents
    told.amazon.misbehave(Misbehaviour.ACCESS_DENIED, times=None)  # the notifications stay
    hear(told, OTHER)
    hear(told, "A1AAAAAAAAAAAA", max(told.ledger()))
    assert told.incidents.find("otherSeller") == incident


@pytest.mark.parametrize("end", ["switched off", "paused and corrected", "removed"])
def test_the_incident_ends_when_nobody_listens_or_the_seller_is_right(told: World, end: str) -> None:
    of_seller(told, OURS)
    hear(told, OTHER)
    if end == "switched off":
        told.change(settings=IntegrationSettings())
    if end == "paused and corrected":
        told.change(is_paused=True)
        of_seller(told, OTHER)
    if end == "removed":
        told.change(deleted_at=told.clock())
    told.run()
    assert open_codes(told) == []


def test_other_credentials_are_subscribed_at_once(told: World) -> None:
    told.run()
    told.amazon.forget_requests()
    told.change(credentials_version="another")
    told.run()
    assert "getSubscription" in calls(told)
    told.amazon.forget_requests()
    told.run()
    assert calls(told) == []
