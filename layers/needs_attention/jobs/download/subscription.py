"""The seller's subscription to Amazon's `ORDER_CHANGE` notifications, as the integration's settings want it."""

from datetime import datetime

from aws_lambda_powertools import Logger

from needs_attention.amazon.errors import SpApiError
from needs_attention.amazon.notifications import subscribe, unsubscribe
from needs_attention.downloads.live import Subscription
from needs_attention.jobs.download.calls import Calls
from needs_attention.jobs.download.run_state import RunState
from needs_attention.tables.downloads import DownloadStateStore

NO_QUEUE = "This stack has no queue for notifications: deploy it with OrderChangeNotifications=true."

logger = Logger(child=True)


def arrange_notifications(
    state: RunState, calls: Calls, downloads: DownloadStateStore, queue_arn: str, now: datetime
) -> None:
    """Subscribes to `ORDER_CHANGE`, or ends the subscription; a failure is tried again in an hour.

    `queue_arn` is blank if the stack has no queue for notifications.
    """
    known, integration_id = state.live.subscription, state.integration_id
    is_wanted = state.integration.settings.order_change_notifications
    if known.is_in_order(now, is_wanted=is_wanted):
        return
    try:
        if not is_wanted:
            _forget(known.subscription_id, integration_id, calls, downloads)
            state.keep(subscription=Subscription())
        elif queue_arn:
            subscription_id = subscribe(calls.amazon, queue_arn)
            downloads.save_subscription(subscription_id, integration_id)
            if known.subscription_id not in {None, subscription_id}:
                downloads.forget_subscription(str(known.subscription_id), integration_id)
            state.keep(subscription=Subscription(subscription_id=subscription_id, confirmed_at=now))
        else:
            state.keep(subscription=known.failed(NO_QUEUE, now))
    except SpApiError as error:
        logger.warning("notifications cannot be arranged", integration=integration_id, reason=str(error))
        state.keep(subscription=known.failed(str(error), now))


def _forget(subscription_id: str | None, integration_id: str, calls: Calls, downloads: DownloadStateStore) -> None:
    """Ends the subscription, unless another integration of the same seller still wants it."""
    if subscription_id is not None:
        downloads.forget_subscription(subscription_id, integration_id)
        if not downloads.subscribers(subscription_id):
            unsubscribe(calls.amazon, subscription_id)
