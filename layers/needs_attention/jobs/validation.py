"""Judges the orders of one batch of the stream."""

from collections import Counter
from datetime import datetime, timedelta

from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.orders.verdict import judged
from needs_attention.tables.dynamodb import Item
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.order_items import order_from_item
from needs_attention.tables.orders import LostRace, OrderStore


class UnknownIntegration(Exception):
    """An order names an integration that is not in the table. Without its settings the order cannot be judged."""


class Validation:
    """One batch. It reads the settings once per integration, and stamps all verdicts with one time."""

    def __init__(self, orders: OrderStore, integrations: SettingsStore, at: datetime) -> None:
        self._orders = orders
        self._integrations = integrations
        self._at = at
        self._settings: dict[str, IntegrationSettings] = {}
        self.counts: Counter[str] = Counter(judged=0, held=0, healed=0, stale=0)
        self.waited: set[timedelta] = set()  # from a download to the verdicts on its orders
        self.held_for: list[timedelta] = []  # each order healed, from its hold to its end

    def judge_image(self, image: Item) -> None:
        """Writes the verdict on the order of a stream image, unless the order has changed since.

        A stale record changes nothing: the change since then judged the order, or left a record of its own. Raises
        ValueError for an image that is not an order of ours.
        """
        order = order_from_item(image)
        if not order.is_pending:
            return
        settings = self._settings_of(order.integration).of(order.amazon.marketplace_id)
        verdict = judged(order, settings, self._at)
        try:
            landed = self._orders.save(order, verdict, by="validation", at=self._at, cause="verdict")
        except LostRace as race:
            if race.current and race.current.revision == order.revision:
                raise  # a write that changes no revision stood in the way: the stream brings the order again
            self.counts["stale"] += 1
            return
        self.counts["judged"] += 1
        self.waited.add(self._at - order.downloaded_at)
        self.counts["held"] += landed.was_just("OrderHeld")
        if order.held and landed.was_just("OrderHealed"):
            self.counts["healed"] += 1
            self.held_for.append(self._at - order.held.since)

    def _settings_of(self, integration_id: str) -> IntegrationSettings:
        if integration_id not in self._settings:
            integration = self._integrations.get(integration_id)
            if integration is None:
                raise UnknownIntegration(integration_id)
            self._settings[integration_id] = integration.settings
        return self._settings[integration_id]
