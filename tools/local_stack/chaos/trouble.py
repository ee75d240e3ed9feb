"""The trouble: processes die and stop, Amazon fails, and everything that can come twice or late does."""

import json
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

import psutil

from needs_attention.tables.order_items import to_item
from tools.amazon_stand_in.misbehaviour import Misbehaviour
from tools.local_stack.chaos.actors import Actor
from tools.local_stack.chaos.truth import Truth
from tools.local_stack.functions import Functions, processes, stream_record
from tools.local_stack.registration import INTEGRATION
from tools.local_stack.shop import Shop

# Longer than a function waits for an answer of AWS's (5 s), and shorter: both happen.
STANDS_STILL: Final = (0.5, 7.0)
# On a busy machine. Who kills what only starts has killed nothing that anybody waits for.
SECONDS_TO_START: Final = 10.0
IMAGES_KEPT: Final = 400

MISBEHAVIOURS: Final = (
    Misbehaviour.HTML_503,
    Misbehaviour.JSON_500,
    Misbehaviour.SLOW_ANSWER,
    Misbehaviour.DROPPED_CONNECTION,
    Misbehaviour.TRUNCATED_JSON,
    Misbehaviour.QUOTA_EXCEEDED,
    Misbehaviour.NULL_FIELDS,
    Misbehaviour.BLANK_FIELDS,
    Misbehaviour.DUPLICATES,
    Misbehaviour.REPEATED_PAGE,
    Misbehaviour.EARLIER_BOUND,
    Misbehaviour.LWA_SERVER_ERROR,
)


class Machine(Actor):
    """Kills and stops processes of this stack alone. `aws` is the embedded AWS, whose children the functions are."""

    pause: ClassVar[float] = 6.0

    def __init__(self, seed: int, aws: psutil.Process) -> None:
        super().__init__(seed)
        self._aws = aws

    def acts(self) -> Mapping[Callable[[], object], int]:
        return {self.kills_a_function: 8, self.kills_all_functions: 1, self.stands_still: 3}

    def kills_a_function(self) -> None:
        """As Lambda does with a process whose memory or machine is gone: rather one that has come to work."""
        at_work = [worker for worker in processes(self._aws) if time.time() - worker.create_time() > SECONDS_TO_START]
        if at_work:
            self._kill(self.random.choice(at_work))

    def kills_all_functions(self) -> None:
        for worker in processes(self._aws):
            self._kill(worker)

    def stands_still(self) -> None:
        """AWS answers nothing, and its pollers ask nothing, while the functions go on; then AWS resumes."""
        self._aws.suspend()
        try:
            time.sleep(self.random.uniform(*STANDS_STILL))
        finally:
            self._aws.resume()

    def _kill(self, worker: psutil.Process) -> None:
        try:
            worker.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            return
        self.counts["functions killed"] += 1


class AmazonsTrouble(Actor):
    """The stand-in answers wrongly, slowly, or not at all; a few times each, so that something comes through too."""

    pause: ClassVar[float] = 6.0

    def __init__(self, seed: int, shop: Shop) -> None:
        super().__init__(seed)
        self._amazon = shop.amazon

    def acts(self) -> Mapping[Callable[[], object], int]:
        return {self.misbehaves: 5, self.lets_tokens_expire: 1}

    def misbehaves(self) -> None:
        kind = self.random.choice(MISBEHAVIOURS)
        seconds = self.random.uniform(1, 6) if kind is Misbehaviour.SLOW_ANSWER else 0.0
        self._amazon.misbehave(kind.value, times=self.random.randint(1, 2), seconds=seconds)
        self.counts[kind.value] += 1

    def lets_tokens_expire(self) -> None:
        self._amazon.forget_access_tokens()


class Repetitions(Actor):
    """AWS delivers at least once: wake-ups, ticks and records of the stream come again, at once or long after."""

    pause: ClassVar[float] = 2.5

    def __init__(self, seed: int, shop: Shop, truth: Truth) -> None:
        super().__init__(seed)
        self._shop = shop
        self._truth = truth
        self._functions = Functions(shop.stack)
        self._images: deque[dict[str, Any]] = deque(maxlen=IMAGES_KEPT)

    def acts(self) -> Mapping[Callable[[], object], int]:
        return {
            self.keeps_images: 6,
            self.validates_again: 3,
            self.publishes_again: 3,
            self.wakes_up_twice: 1,
            self.ticks_twice: 1,
        }

    def keeps_images(self) -> None:
        """Of orders as they are now, rather of those that wait for a verdict: they are stale when they come again."""
        known = self._truth.order_ids()
        found = self._shop.orders.get_many(self.random.sample(known, min(30, len(known))))
        self._images += [to_item(order) for order in found.values()]

    def validates_again(self) -> None:
        self._functions.does("ValidateOrdersFunction", self._records())

    def publishes_again(self) -> None:
        self._functions.does("PublishChangesFunction", self._records())

    def wakes_up_twice(self) -> None:
        for _ in range(2):
            self._shop.wake_up(json.dumps({"integrationId": INTEGRATION}), group=INTEGRATION)

    def ticks_twice(self) -> None:
        tick = {"source": "aws.scheduler", "detail-type": "Scheduled Event", "time": datetime.now(UTC).isoformat()}
        for _ in range(2):
            self._functions.does("DownloadOrdersFunction", tick)

    def _records(self) -> dict[str, Any]:
        some = self.random.sample(list(self._images), min(10, len(self._images)))
        return {"Records": [stream_record(image, number) for number, image in enumerate(some, start=1)]}
