"""What the template tells a function through its environment: each function parses what it needs, once."""

import os
from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict


class Environment(BaseModel):
    """The base: `from_env` reads each field from the variable of the same name in capitals."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Raises pydantic's ValidationError, which names every variable that is missing."""
        return cls.model_validate({name.lower(): value for name, value in env.items()})


class IntegrationsTable(Environment):
    """Integrations, their settings, and how their downloads stand."""

    integrations_table: str


class OrderTables(IntegrationsTable):
    """Orders, and the settings that they are judged by."""

    orders_table: str


class AnswersTable(Environment):
    """Where answers are remembered for requests that are sent again."""

    answers_table: str


class Browsers(Environment):
    """The origin of the web page that may call the API; blank if none may."""

    allowed_origin: str = ""


class WakeUps(Environment):
    """The queue that wakes the downloader."""

    wake_up_queue_url: str


class Notifications(Environment):
    """The ARN of the queue for Amazon's ORDER_CHANGE notifications; blank if the stack takes none."""

    order_change_queue: str = ""


class AmazonAccess(Environment):
    """Where the sellers' credentials are; the endpoints only for a stand-in or Amazon's sandbox, else blank."""

    secret_prefix: str
    sp_api_endpoint: str = ""
    lwa_endpoint: str = ""


class Digests(Environment):
    """Where the daily digest is sent, and where the functions' metrics are."""

    digest_topic: str
    powertools_metrics_namespace: str


class HistoryTable(Environment):
    """What happened to each order."""

    history_table: str


class ChangeLogTargets(HistoryTable):
    """Where changes are told."""

    event_bus: str
