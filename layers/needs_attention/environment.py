"""The environment variables that the template sets. Each function parses the ones that it needs, once."""

import os
from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict


class Environment(BaseModel):
    """The base of all: `from_env` reads each field from the variable of the same name in capitals."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Raises pydantic's ValidationError, which names every variable that is missing."""
        return cls.model_validate({name.lower(): value for name, value in env.items()})


class IntegrationsTable(Environment):
    """The table of integrations, their settings, and the state of their downloads."""

    integrations_table: str


class OrderTables(IntegrationsTable):
    """The table of orders, and the one with the settings that they are judged by."""

    orders_table: str


class AnswersTable(Environment):
    """The table of answers that are remembered for requests sent again."""

    answers_table: str


class AllowedOrigin(Environment):
    """The origin of the web page that may call the API; blank if none may."""

    allowed_origin: str = ""


class WakeUpQueueUrl(Environment):
    """The queue that wakes the downloader."""

    wake_up_queue_url: str


class RedactionQueueUrl(Environment):
    """The queue of the redactions that the clock asks for."""

    redaction_queue_url: str


class OrderChangeQueue(Environment):
    """The ARN of the queue for Amazon's ORDER_CHANGE notifications; blank if the stack takes none."""

    order_change_queue: str = ""


class AmazonAccess(Environment):
    """Where the sellers' credentials are. The endpoints are blank unless a stand-in is called."""

    secret_prefix: str
    sp_api_endpoint: str = ""
    lwa_endpoint: str = ""


class DigestEnvironment(Environment):
    """The topic of the daily digest, and the namespace of the metrics that it quotes."""

    digest_topic: str
    powertools_metrics_namespace: str


class HistoryTable(Environment):
    """The table of what happened to each order."""

    history_table: str


class EventBusName(Environment):
    """The event bus that tells of changes and incidents."""

    event_bus: str
