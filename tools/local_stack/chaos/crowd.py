"""Everyday life, but all at once: Amazon's orders come and change, people repair and release, a warehouse takes."""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, ClassVar, Final

from tools.amazon_stand_in.ledger import NAME, Json, merged, moment
from tools.local_stack.api import Answer
from tools.local_stack.chaos.actors import Actor, Caller
from tools.local_stack.chaos.truth import Truth
from tools.local_stack.marks import marked, marked_order
from tools.local_stack.outside import Amazon, just_listed
from tools.local_stack.registration import INTEGRATION
from tools.local_stack.shop import WHOLE, Shop

PREFIX: Final = "112"
NUMBERS = count(1)

# The data that Amazon lacks at first, as a merge patch, and the codes of the missing fields.
HOLES: Final[tuple[tuple[Json, tuple[str, ...]], ...]] = (
    ({"buyer": {"buyerEmail": None}}, ("email",)),
    ({"buyer": {"buyerName": None}, "recipient": {"deliveryAddress": {"name": None}}}, NAME),
    (
        {"recipient": {"deliveryAddress": dict.fromkeys(("addressLine1", "addressLine2", "addressLine3"))}},
        ("deliveryAddress",),
    ),
    ({"orderItems": []}, ("lineItems",)),
)


class AmazonsSide(Actor):
    """Orders come in, are completed, changed and cancelled, and Amazon tells of some; each with personal data."""

    pause: ClassVar[float] = 0.4

    def __init__(self, seed: int, amazon: Amazon, truth: Truth) -> None:
        super().__init__(seed)
        self._amazon = amazon
        self._truth = truth
        self._whole = amazon.order(WHOLE)

    def acts(self) -> Mapping[Callable[[], object], int]:
        acts: dict[Callable[[], object], int] = {self.new_orders: 5}
        if len(self._truth.ledger):
            acts |= {self.completes_an_order: 5, self.changes_an_order: 3, self.cancels_an_order: 1}
        return acts

    def new_orders(self) -> None:
        for _ in range(self.random.randint(1, 4)):
            whole = _two_words(marked_order(f"{PREFIX}-{next(NUMBERS):07}-0000000", self._whole))
            holes = self.random.sample(HOLES, self.random.choice((0, 0, 1, 1, 2)))
            order = whole
            for hole, _ in holes:
                order = merged(order, hole)
            self._truth.new(order, whole, [code for _, codes in holes for code in codes])
            self._send(order["orderId"])

    def completes_an_order(self) -> None:
        """All of it, or only a part."""
        incomplete = [entry for entry in self._truth.ledger if entry.missing]
        if not incomplete:
            return
        entry = self.random.choice(incomplete)
        codes = self.random.choice((entry.missing, entry.missing[:1]))
        codes = tuple(dict.fromkeys((*codes, *NAME))) if set(codes) & set(NAME) else codes
        self._truth.amazon_gives(entry.order_id, codes)
        self._truth.ledger.complete(entry.order_id, *codes, last_updated_time=moment(just_listed()))
        self._send(entry.order_id)

    def changes_an_order(self) -> None:
        """The buyer moves within the house, which makes another address."""
        self._change({"recipient": {"deliveryAddress": {"districtOrCounty": marked("district")}}})

    def cancels_an_order(self) -> None:
        self._change({"fulfillment": {"fulfillmentStatus": "CANCELLED"}})

    def _change(self, changes: Json) -> None:
        if alive := [entry for entry in self._truth.ledger if entry.fulfillment_status != "CANCELLED"]:
            entry = self.random.choice(alive)
            self._truth.ledger.patch(entry.order_id, changes, last_updated_time=moment(just_listed()))
            self._send(entry.order_id)

    def _send(self, order_id: str) -> None:
        """The stand-in's own endpoint never misbehaves."""
        self._amazon.put(self._truth.ledger[order_id].order)


class People(Caller):
    """Editors and an administrator, who try what they must not do as well."""

    pause: ClassVar[float] = 0.3

    def acts(self) -> Mapping[Callable[[], object], int]:
        return {
            self.comments: 4,
            self.types_an_email: 2,
            self.types_a_name: 2,
            self.types_an_address: 2,
            self.releases: 4,
            self.hands_to_the_warehouse: 3,
            self.puts_aside: 1,
            self.asks_for_the_order: 2,
            self.asks_for_a_download: 2,
        }

    def comments(self) -> None:
        if order_id := self.some_order():
            comment = marked("comment")
            self.truth.commenting(order_id, comment)
            answer = self.ask("editor", "PATCH", f"/orders/{order_id}", {"comment": comment})
            if answer.status == 200:
                self.truth.commented(order_id, comment)

    def types_an_email(self) -> None:
        self._types({"email": f"{marked('typed')}@mail.example.com"}, "email")

    def types_a_name(self) -> None:
        self._types({"firstName": marked("first"), "lastName": marked("last")}, *NAME)

    def types_an_address(self) -> None:
        parts = {"addressLine1": marked("street"), "city": marked("city"), "postalCode": "97209"}
        self._types({"deliveryAddress": parts | {"stateOrRegion": "OR", "countryCode": "US"}}, "deliveryAddress")

    def _types(self, patch: Json, *codes: str) -> None:
        if order_id := self.some_order():
            refused = self.truth.typing(order_id, codes)
            if 400 <= self._change("PATCH", order_id, "", patch).status < 500:
                refused()

    def releases(self) -> None:
        """Whether it is complete or not."""
        if order_id := self.some_order():
            self._change("POST", order_id, "/release", {})

    def hands_to_the_warehouse(self) -> None:
        if order_id := self.some_order():
            self._change("PATCH", order_id, "", {"threePlStatus": "Transfer to 3PL Now"})

    def puts_aside(self) -> None:
        if order_id := self.some_order():
            self._change("PATCH", order_id, "", {"stage": "Needs Attention"})

    def asks_for_the_order(self) -> None:
        if order_id := self.some_order():
            self.ask("editor", "POST", f"/orders/{order_id}/redownload", {})

    def asks_for_a_download(self) -> None:
        body = {"updatedAfter": just_listed()}
        self.ask("administrator", "POST", f"/integrations/{INTEGRATION}/downloads", body)

    def _change(self, method: str, order_id: str, path: str, body: Json) -> Answer:
        answer = self.ask("editor", method, f"/orders/{order_id}{path}", body)
        if answer.status == 200:
            self.truth.check_row(answer.body)
        return answer


class Warehouse(Caller):
    """Takes the orders that it is shown, and now and then others."""

    pause: ClassVar[float] = 0.5

    def acts(self) -> Mapping[Callable[[], object], int]:
        return {self.takes_what_is_shown: 3, self.takes_any_order: 2}

    def takes_what_is_shown(self) -> None:
        answer = self.ask("warehouse", "GET", "/orders?limit=50")
        rows: list[dict[str, Any]] = answer.body["orders"] if answer.status == 200 else []
        for row in rows:
            self.truth.check_row(row)
        ours = [row["orderId"] for row in rows if row["orderId"].startswith(f"{PREFIX}-")]
        for order_id in self.random.sample(ours, min(2, len(ours))):
            self._take(order_id)

    def takes_any_order(self) -> None:
        if order_id := self.some_order():
            self._take(order_id)

    def _take(self, order_id: str) -> None:
        answer = self.ask("warehouse", "POST", f"/orders/{order_id}/acknowledge")
        if answer.status == 200:
            self.truth.check(order_id, "was handed over")
            self.truth.handed_over.add(order_id)


class Clock(Actor):
    """Lets minutes pass in seconds, so that failures are retried within the run, and verdicts become overdue."""

    pause: ClassVar[float] = 4.0

    def __init__(self, seed: int, shop: Shop, truth: Truth) -> None:
        super().__init__(seed)
        self._shop = shop
        self._truth = truth

    def acts(self) -> Mapping[Callable[[], object], int]:
        return {self._shop.let_a_while_pass: 3, self.lets_verdicts_become_overdue: 1}

    def lets_verdicts_become_overdue(self) -> None:
        known = self._truth.order_ids()
        self._shop.let_verdicts_become_overdue(self.random.sample(known, min(50, len(known))))


def _two_words(order: Json) -> Json:
    """A person, not a company: of a company no name is asked."""
    name = f"{marked('given')} {marked('family')}"
    address = {"name": name, "companyName": None}
    return merged(order, {"buyer": {"buyerName": name}, "recipient": {"deliveryAddress": address}})
