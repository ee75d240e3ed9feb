"""The functions' work on an order, called just below their handlers, for tests that run them at the same time.

Invocations of a function at the same time are processes of their own; in a test they share one, and with it whatever a
handler's libraries keep of a request.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from needs_attention.api.callers import Caller, Role
from needs_attention.api.operations import IfMatch, parsed
from needs_attention.api.orders.changes import OrderChanges
from needs_attention.api.orders.requests import OrderPatch, Release
from needs_attention.api.orders.views import EditedOrder
from needs_attention.api.problems import problem_of
from needs_attention.integrations.integration import Integration
from needs_attention.jobs.download.intake import Intake
from needs_attention.jobs.download.run import Downloader
from needs_attention.jobs.redactions import remove_personal_data
from needs_attention.jobs.validation import Validation
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.dynamodb import Item
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore
from needs_attention.tables.wake_ups import WakeUpStore
from tools.in_memory.events import MemoryEvents

ORDER_ID = "701-1111111-1111111"


class Answer(NamedTuple):
    """The answer to people and the warehouse: the order as it is then, or the refusal."""

    status: int
    order: dict[str, Any]
    code: str = ""
    detail: str = ""


class System:
    """Does it to the one order of the test."""

    def __init__(self, client: Any, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._clock = clock
        self._orders = OrderStore(client, "OrdersTable")
        self._integrations = SettingsStore(client, "IntegrationsTable")
        self._downloads = DownloadStateStore(client, "IntegrationsTable")
        self._intake = Intake(self._orders, self._downloads)
        self._downloader = Downloader(
            downloads=self._downloads,
            orders=self._orders,
            wake_ups=WakeUpStore(client, "IntegrationsTable"),
            amazon_for=_no_amazon,
            now=clock,
            wake_up=_wake_nobody,
            event_bus=MemoryEvents().bus,
        )

    def download(self, integration: Integration, answer: object) -> None:
        self._intake.take(integration, [answer], cause="download", request_id=None, now=self._clock())

    def clock_runs(self, integration_id: str) -> None:
        """The work of the schedules: removals of personal data, repeated requests for verdicts, ends of snoozes."""
        until = self._clock() + timedelta(seconds=30)
        every = self._integrations.get_each(self._integrations.find_all_ids())
        remove_personal_data(self._orders, self._downloads, every, self._clock, until)
        self._downloader.run(integration_id, until)

    def validate(self, images: Sequence[Item]) -> None:
        validation = Validation(self._orders, self._integrations, self._clock())
        for image in images:
            validation.judge_image(image)

    def patch(self, body: dict[str, Any], revision: int | None) -> Answer:
        def ask() -> EditedOrder:
            changes = self._changes()
            return changes.make(ORDER_ID, changes.patch(parsed(OrderPatch, json.dumps(body))), _if_match(revision))

        return _answer(ask)

    def release(self, body: dict[str, Any]) -> Answer:
        def ask() -> EditedOrder:
            changes = self._changes()
            return changes.make(ORDER_ID, changes.release(parsed(Release, json.dumps(body))), IfMatch(None))

        return _answer(ask)

    def acknowledge(self, revision: int | None = None) -> Answer:
        return _answer(lambda: self._changes().acknowledge(ORDER_ID, _if_match(revision)))

    def _changes(self) -> OrderChanges:
        somebody = Caller("ada@example.com", frozenset(Role))
        return OrderChanges(self._client, self._orders, self._integrations, somebody, self._clock())


def _if_match(revision: int | None) -> IfMatch:
    return IfMatch(None if revision is None else frozenset({str(revision)}))


def _answer(ask: Callable[[], Mapping[str, Any]]) -> Answer:
    try:
        return Answer(200, dict(ask()))
    except Exception as error:
        problem = problem_of(error)
        if problem is None:
            raise
        return Answer(problem.status, {}, problem.code, problem.detail)


def _no_amazon(_: Integration) -> Any:
    raise AssertionError("the integrations are paused: Amazon's answers come one by one, through Intake.take")


def _wake_nobody(_: str) -> None:
    """Nobody needs waking: the history says when the clock runs."""
