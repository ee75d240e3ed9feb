"""The system's cost on AWS, compared with the usual way: measured usage, list prices, and assumptions.

`order_life` and `usual_life` measure; `prices.toml` has the prices; the constants here are the assumptions.
"""

import math
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

from benchmarks.amazon_orders import as_sent, new_orders
from benchmarks.invocations import Usage
from benchmarks.markdown import table
from benchmarks.order_life import ORDERS, Life, Step, live
from benchmarks.report import Figure, Section, at_most, told_of
from benchmarks.usual_life import UsualLife, live_as_usual
from tools.from_template import function_property, logical_id_of, parameters, resources

PRICES = tomllib.loads((Path(__file__).parent / "prices.toml").read_text())

# Assumptions about AWS. A function with less memory than this has that part of a processor (Lambda Developer Guide,
# "Configure Lambda function memory"), and Lambda's processor is taken to be as fast as this machine's.
MB_OF_A_PROCESSOR = 1769
# Seconds that a call keeps a function waiting.
WAITS = {
    "searchOrders": 1.0,
    "getOrder": 0.4,
    "login": 0.4,
    "GetSecretValue": 0.02,
    "SendMessageBatch": 0.01,
    "PutEvents": 0.01,
}
OTHER_WAIT = 0.004  # DynamoDB
# Lambda asks a queue by five long polls at a time, even if it is empty (Lambda Developer Guide, "Configuring scaling
# behavior for SQS event source mappings"; of queues that are not FIFO it says that two may do).
POLLS_A_MINUTE = 5 * 60 / 20
# SQS counts each call as a request. The queue of the wake-ups hands over one message at a time (`BatchSize: 1`), so each
# message is received by a call and deleted by a call of its own, besides the polls that find nothing.
CALLS_TO_TAKE_A_MESSAGE = 2
SEND = "SendMessageBatch"
# DynamoDB asks KMS once in five minutes for each function and table: on an idle stack for the two functions of the clock
# and two tables each; with orders, for validation and two, and publishing and one. SQS asks for the wake-ups' queue as
# often as the template says, twice for who sends and once for who receives (SQS Developer Guide, "Key management"). What
# logs ask is not known, and left out.
TABLES_IDLE, TABLES_WITH_ORDERS = 4, 7
OF_THE_QUEUE = 3
# Records that Lambda hands over at once: it reads the stream four times a second, and splits what it finds in four.
RECORDS_A_BATCH = 10

# How often the clock wakes an integration for which nothing but its live download is due, and with how many others in
# one call of SQS.
WAKE_UPS_A_DAY = 24 * 60 // 5
WAKE_UPS_A_CALL = 10

# Assumptions about a seller.
VERSIONS = 3  # of each order: new, sent, and one in which nothing is seen to have changed but the time
JUDGED = 2  # of them: on the third the verdict stands
CHANGES = VERSIONS + JUDGED  # downloads and verdicts
HELD = 0.15  # all of them asked for by ID for a day, and then repaired by a person
CALLS_OF_A_REPAIR = 4
# Each live search looks back over 30 seconds of the 300 since the last one.
LISTED_AGAIN = 0.1
ORDERS_A_SEARCH = 75
# People look at orders in working hours; API Gateway has metrics of its own for each method that they call.
WORKING_HOURS, HOURS = 176, 720
METRICS_OF_A_METHOD = 5

# Assumptions about the usual way, which stores and judges as benchmarks/usual does: it uses the Orders API v0, with a
# paced call for each order's items, which keeps a function waiting; and its windows overlap by a fifth.
USUAL_CALLS = 1.01
USUAL_CALL_SECONDS = 0.4
USUAL_OVERLAP = 0.2
# Entries of its history, a write unit each: a new order, a sent one, their verdicts, the third version, the redaction.
USUAL_HISTORY = 6

# Bytes of the orders in the examples of Amazon's model orders_2026-01-01, as JSON without blanks and without packages,
# for which we do not ask.
AMAZONS_EXAMPLES = (2_262, 2_446, 2_476, 3_006, 4_818)

DAYS = 30
LOGS_KEPT_MONTHS = parameters()["LogRetentionDays"]["Default"] / DAYS
MINUTES_A_DAY = 24 * 60
MINUTES = DAYS * MINUTES_A_DAY
MOST_SEARCHES_A_DAY = 484
LIVE_SEARCHES_A_DAY = 288
MILLION = 1_000_000

# The most that an order's life may write, and that it may cost of the usual way, with the generated orders and with
# the median of Amazon's examples; and dollars a month.
MOST_WRITE_UNITS = 37
MOST_OF_THE_USUAL = 0.55
MOST_OF_THE_USUAL_AT_MEDIAN = 0.45
MOST_FOR_A_SMALL_SELLER = 1.00

# Dollars, by what they are paid for.
type Bill = Mapping[str, float]


class Seller(NamedTuple):
    """How many sellers with how many new orders a day each, all in one stack."""

    name: str
    orders: int
    sellers: int = 1

    @property
    def versions(self) -> int:
        return self.orders * VERSIONS

    @property
    def searches(self) -> float:
        """Live searches a day of each seller."""
        return min(max(LIVE_SEARCHES_A_DAY, self.versions / ORDERS_A_SEARCH), MOST_SEARCHES_A_DAY)

    @property
    def wake_ups(self) -> float:
        """A day of each seller."""
        return max(WAKE_UPS_A_DAY, self.searches)

    @property
    def messages(self) -> float:
        """Wake-ups a month of all sellers."""
        return self.sellers * self.wake_ups * DAYS

    @property
    def sends(self) -> float:
        """Calls a month that send them: the more sellers are woken in a minute, the fuller the calls."""
        in_a_minute = self.messages / MINUTES
        return MINUTES * (math.ceil(in_a_minute / WAKE_UPS_A_CALL) if in_a_minute > 1 else in_a_minute)

    def batches(self, records: int) -> float:
        """Invocations a day for so many records of each order, of all sellers: few come alone, many in batches."""
        of_a_seller = self.orders * records
        bring_something = self.searches * (1 - math.exp(-of_a_seller / self.searches))
        return self.sellers * max(bring_something, of_a_seller / RECORDS_A_BATCH)


SMALL = Seller("a seller of 100 orders a day", 100)
LARGE = Seller("a seller of 16,000 orders a day", 16_000)
SELLERS = (
    SMALL,
    LARGE,
    Seller("an agency, 100 sellers of 100", 100, 100),
    Seller("a platform, 10,000 sellers of 100", 100, 10_000),
)


def memory_of(function: str) -> int:
    """In MB, as the template has it."""
    return int(function_property(logical_id_of(function), "MemorySize"))


def billed_seconds(usage: Usage, function: str) -> float:
    waited = sum(count * WAITS.get(operation, OTHER_WAIT) for operation, count in usage.calls.items())
    return usage.seconds / min(memory_of(function) / MB_OF_A_PROCESSOR, 1) + waited


def bill(usage: Usage, function: str) -> Bill:
    """The price of the usage, by service."""
    memory, seconds = memory_of(function), billed_seconds(usage, function)
    dynamodb, serverless, eventbridge, watch = (
        PRICES[service] for service in ("dynamodb", "lambda", "eventbridge", "cloudwatch")
    )
    return {
        "DynamoDB, writes": usage.write_units * dynamodb["write_unit"],
        "DynamoDB, reads": usage.read_units * dynamodb["read_unit"],
        "Lambda": usage.invocations * serverless["request"] + seconds * memory / 1024 * serverless["gb_second"],
        "EventBridge": usage.calls["PutEvents"] * eventbridge["event"],
        "SQS": (1 + CALLS_TO_TAKE_A_MESSAGE) * usage.calls[SEND] * PRICES["sqs"]["fifo_request"],
        "Secrets Manager": usage.calls["GetSecretValue"] * PRICES["secrets_manager"]["request"],
        "Logs": usage.logged / 1e9 * (watch["logs_gb"] + LOGS_KEPT_MONTHS * watch["logs_gb_month"]),
    }


def _without_sends(usage: Usage) -> Usage:
    return usage - Usage(calls=Counter({SEND: usage.calls[SEND]}))


def together(bills: Iterable[Bill]) -> Bill:
    whole: dict[str, float] = {}
    for one in bills:
        for name, dollars in one.items():
            whole[name] = whole.get(name, 0) + dollars
    return whole


# A million order versions ---------------------------------------------------------------------------------------------


def ours_for_an_order(life: Life) -> Mapping[str, Bill]:
    """By what is done for it, from its download to its redaction; of a person's work nothing."""
    steps = (life.new, life.shipped, life.touched)
    return {
        "asking Amazon": bill(life.search.times(VERSIONS / ORDERS_A_SEARCH), "download_orders"),
        "storing what is new or changed": bill(_sum(step.download for step in steps), "download_orders"),
        "meeting again what has not changed": bill(life.unchanged.times(LISTED_AGAIN * VERSIONS), "download_orders"),
        "verdicts": bill(
            _sum(step.validate for step in steps) + life.validate_batch.times(JUDGED / RECORDS_A_BATCH),
            "validate_orders",
        ),
        "history and events": bill(
            _sum(step.publish for step in steps) + life.publish_batch.times(CHANGES / RECORDS_A_BATCH),
            "publish_changes",
        ),
        "asking for held orders by ID": together(
            (
                bill(life.held.download.times(HELD), "download_orders"),
                bill(life.held.publish.times(HELD), "publish_changes"),
            )
        ),
        "redaction": together(
            (bill(life.redacted.download, "redact_orders"), bill(life.redacted.publish, "publish_changes"))
        ),
    }


def usual_for_an_order(usual: UsualLife, life: Life) -> Mapping[str, Bill]:
    """The same, the usual way; invocations, history and events cost it what they cost us, for each change."""
    steps = (usual.new, usual.shipped, usual.touched)
    waits = VERSIONS * (1 + USUAL_OVERLAP) * USUAL_CALLS * USUAL_CALL_SECONDS
    memory = memory_of("download_orders")
    # To write the same verdict again on what was only touched is no change, so it has as many as ours.
    told = _sum(step.publish for step in (life.new, life.shipped, life.touched))
    return {
        "asking Amazon": {"Lambda": waits * memory / 1024 * PRICES["lambda"]["gb_second"]},
        "storing what is new or changed": bill(_sum(step.download for step in steps), "download_orders"),
        "meeting again what has not changed": bill(usual.unchanged.times(USUAL_OVERLAP * VERSIONS), "download_orders"),
        "verdicts": bill(
            _sum(step.validate for step in steps) + life.validate_batch.times(VERSIONS / RECORDS_A_BATCH),
            "validate_orders",
        ),
        "history and events": bill(told + life.publish_batch.times(CHANGES / RECORDS_A_BATCH), "publish_changes"),
        "asking for held orders by ID": {},
        "redaction": together((bill(usual.redacted, "redact_orders"), bill(life.redacted.publish, "publish_changes"))),
    }


def _sum(usages: Iterable[Usage]) -> Usage:
    return sum(usages, start=Usage())


# A month --------------------------------------------------------------------------------------------------------------


def month(seller: Seller, life: Life) -> Bill:
    """The cost of a month without storage and fixed costs."""
    orders, others = seller.sellers * seller.orders * DAYS, seller.sellers - 1
    used = {
        "download_orders": [
            # A tick reads all next wake-ups; `_of_the_clock` counts what it sends.
            (_without_sends(life.tick), MINUTES),
            (life.tick_per_integration, MINUTES * others),
            (life.idle, seller.messages),
            (life.search, seller.searches * DAYS * seller.sellers),
            (life.new.download + life.shipped.download + life.touched.download, orders),
            (life.unchanged, orders * VERSIONS * LISTED_AGAIN),
            (life.held.download, orders * HELD),
        ],
        "validate_orders": [
            (life.new.validate + life.shipped.validate + life.touched.validate, orders),
            (life.validate_batch, seller.batches(JUDGED) * DAYS),
        ],
        "publish_changes": [
            (life.new.publish + life.shipped.publish + life.touched.publish + life.redacted.publish, orders),
            (life.held.publish + life.repaired.publish, orders * HELD),
            (life.publish_batch, (seller.batches(VERSIONS) + seller.batches(JUDGED)) * DAYS),
        ],
        "redact_orders": [
            (life.redaction_tick, MINUTES / 5),
            (life.redaction_tick_per_integration, MINUTES / 5 * others),
            (life.redacted.download, orders),
        ],
        "edit_orders": [(life.repaired.download, orders * HELD)],
    }
    bills = [bill(usage.times(number), function) for function, usages in used.items() for usage, number in usages]
    return together([*bills, _of_the_clock(seller), _of_people(orders)])


def _of_the_clock(seller: Seller) -> Bill:
    """The cost of time that passes, apart from the functions."""
    memory = memory_of("download_orders")
    requests = seller.sends + CALLS_TO_TAKE_A_MESSAGE * seller.messages + POLLS_A_MINUTE * MINUTES
    with_orders = 1 - math.exp(-seller.versions * seller.sellers / LIVE_SEARCHES_A_DAY)
    tables = TABLES_IDLE + (TABLES_WITH_ORDERS - TABLES_IDLE) * with_orders
    minutes_of_a_key = resources()["WakeUpQueue"]["Properties"]["KmsDataKeyReusePeriodSeconds"] / 60
    asked = tables * MINUTES / 5 + OF_THE_QUEUE * MINUTES / minutes_of_a_key
    return {
        "SQS": requests * PRICES["sqs"]["fifo_request"],
        "Lambda": seller.sends * WAITS[SEND] * memory / 1024 * PRICES["lambda"]["gb_second"],
        "EventBridge": (MINUTES + MINUTES / 5 + DAYS) * PRICES["eventbridge"]["schedule_invocation"],
        "KMS, requests": asked * PRICES["kms"]["request"],
    }


def _of_people(orders: float) -> Bill:
    return {"API Gateway": CALLS_OF_A_REPAIR * HELD * orders * PRICES["api_gateway"]["request"]}


def stored_for_a_year(seller: Seller, life: Life) -> float:
    """The cost of a month's storage when a year's orders are there."""
    prices: Mapping[str, float] = PRICES["dynamodb"]
    orders = seller.sellers * seller.orders * 365
    recoverable = life.sizes.item + life.sizes.history
    stored = recoverable + life.sizes.entries
    return orders / 1e9 * (stored * prices["stored_gb_month"] + recoverable * prices["recoverable_gb_month"])


def fixed(seller: Seller, life: Life) -> Bill:
    """The cost of a month in which nothing happens."""
    watch = PRICES["cloudwatch"]
    of_methods = METRICS_OF_A_METHOD * CALLS_OF_A_REPAIR * WORKING_HOURS / HOURS
    return {
        "the key": PRICES["kms"]["key_month"],
        "a secret for each seller": seller.sellers * PRICES["secrets_manager"]["secret_month"],
        f"{_alarms()} alarms": _alarms() * watch["alarm_month"],
        "the dashboard": watch["dashboard_month"],
        f"{life.metrics} custom metrics": life.metrics * watch["metric_month"],
        "metrics of the API's methods": of_methods * watch["metric_month"],
    }


def _alarms() -> int:
    """How many metrics are watched in a stack that takes no notifications, as it is by default."""
    alarms = [one for one in resources().values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    watched = [one["Properties"].get("Metrics") for one in alarms if one.get("Condition") != "TakesOrderChanges"]
    return sum(sum("MetricStat" in metric for metric in metrics) if metrics else 1 for metrics in watched)


# The report -----------------------------------------------------------------------------------------------------------

PLACES = ("OrdersTable", *(f"OrdersTable.{index}" for index in ("byStage", "byCreated", "byDue", "byRedaction")))


def written_in_a_life(life: Life) -> float:
    """Write units of an order with three versions, held or not as orders are on average; none of a person's work."""
    steps = (life.new, life.shipped, life.touched, life.redacted)
    return sum(step.total.write_units for step in steps) + HELD * life.held.total.write_units


def written_in_a_usual_life(usual: UsualLife) -> float:
    steps = (usual.new, usual.shipped, usual.touched)
    orders = sum(step.download.write_units + step.validate.write_units for step in steps) + usual.redacted.write_units
    return orders + usual.unchanged.write_units * USUAL_OVERLAP * VERSIONS + USUAL_HISTORY


def _table_of_units(life: Life, usual: UsualLife) -> str:
    unchanged = (Step(life.unchanged), usual.unchanged)
    rows = [
        _units("a new order", life.new, usual.new.download + usual.new.validate, 2),
        _units("one that was sent", life.shipped, usual.shipped.download + usual.shipped.validate, 2),
        _units("one whose time alone changed", life.touched, usual.touched.download + usual.touched.validate, 1),
        _units("one that has not changed", *unchanged, 0),
        _units("its redaction", life.redacted, usual.redacted, 1),
        _units("a held order: a day of asking for it", life.held, None, 0),
        _units("a held order: a person's edit and release", life.repaired, None, 0),
    ]
    headings = ("write units for", "table", "byStage", "byCreated", "byDue", "byRedaction", "history", "all", "usual")
    return table(headings, rows)


def _units(name: str, ours: Step, usual: Usage | None, told: int) -> Sequence[str]:
    """`told` entries are in the history of the usual way, a unit each."""
    written = ours.total.written
    units = [written[place] for place in (*PLACES, "HistoryTable")]
    theirs = "" if usual is None else f"{usual.write_units + told:.1f}"
    return (name, *(f"{one:.1f}" for one in units), f"{sum(units):.1f}", theirs)


def _table_of_a_million(ours: Mapping[str, Bill], usual: Mapping[str, Bill]) -> str:
    rows = []
    for name in ours:
        mine, theirs = _million(ours[name]), _million(usual[name])
        rows.append((name, f"{mine:.2f}", f"{theirs:.2f}", f"{mine / theirs:.2f}" if theirs else ""))
    mine, theirs = _million(together(ours.values())), _million(together(usual.values()))
    rows.append(("all", f"{mine:.2f}", f"{theirs:.2f}", f"{mine / theirs:.2f}"))
    return table(("dollars for a million order versions", "ours", "the usual way", "ratio"), rows)


def _million(of_an_order: Bill) -> float:
    return sum(of_an_order.values()) / VERSIONS * MILLION


def _table_of_months(life: Life, ours: Mapping[str, Bill], usual: Mapping[str, Bill]) -> str:
    """`ours` and `usual` are for an order."""
    more = _million(together(usual.values())) - _million(together(ours.values()))
    running = {seller.name: month(seller, life) for seller in SELLERS}
    unmoved = {seller.name: fixed(seller, life) for seller in SELLERS}
    rows = [
        (service, *(_dollars(bill_[service]) for bill_ in running.values()))
        for service in sorted(running[SELLERS[0].name], key=lambda one: -running[SELLERS[0].name][one])
    ]
    rows.append(("**running**", *(f"**{_dollars(sum(one.values()))}**" for one in running.values())))
    rows.append(("running, the usual way", *(_dollars(as_usual(one, life, more)) for one in SELLERS)))
    rows.append(("storage when a year is full", *(_dollars(stored_for_a_year(one, life)) for one in SELLERS)))
    rows += [(name, *(_dollars(one[name]) for one in unmoved.values())) for name in unmoved[SELLERS[0].name]]
    rows.append(("**fixed**", *(f"**{_dollars(sum(one.values()))}**" for one in unmoved.values())))
    return table(("dollars a month", *running), rows)


def as_usual(seller: Seller, life: Life, more: float) -> float:
    """A month's running cost of the usual way, which costs so much more for a million order versions."""
    return sum(month(seller, life).values()) + more * seller.versions * seller.sellers * DAYS / MILLION


def _dollars(amount: float) -> str:
    return f"{amount:,.2f}"


def _table_of_invocations(life: Life) -> str:
    page, batch = 100, 100
    rows = [
        _invocation("a minute's tick", life.tick, "download_orders"),
        _invocation("a wake-up with nothing to do", life.idle, "download_orders"),
        _invocation("a live search that brings nothing", life.idle + life.search, "download_orders"),
        _invocation(
            f"one that brings {page} new orders",
            life.idle + life.search + life.new.download.times(page),
            "download_orders",
        ),
        _invocation(f"verdicts on {batch}", life.validate_batch + life.new.validate.times(batch), "validate_orders"),
        _invocation(
            f"history and events of {batch}", life.publish_batch + life.new.publish.times(batch / 2), "publish_changes"
        ),
        _invocation("a redaction tick with nothing to do", life.redaction_tick, "redact_orders"),
    ]
    return table(("invocation", "memory, MB", "processor, ms", "calls", "billed, ms"), rows)


def _invocation(name: str, usage: Usage, function: str) -> Sequence[str]:
    calls, billed = usage.calls.total(), billed_seconds(usage, function)
    return (name, f"{memory_of(function)}", f"{1000 * usage.seconds:,.0f}", f"{calls:,.0f}", f"{1000 * billed:,.0f}")


def section() -> Section:
    """Takes a minute."""
    print("Cost: an order's life", flush=True)
    life = live()
    print("Cost: the usual life of an order", flush=True)
    usual = live_as_usual()
    ours, theirs = ours_for_an_order(life), usual_for_an_order(usual, life)
    mine, others = _million(together(ours.values())), _million(together(theirs.values()))
    without_asking = (mine - _million(ours["asking Amazon"])) / (others - _million(theirs["asking Amazon"]))
    writes = sum(one["DynamoDB, writes"] for one in ours.values()) / VERSIONS * MILLION
    kilobyte = _million({"writes": entries_written(usual) * PRICES["dynamodb"]["write_unit"]})
    generated = mean(len(as_sent(order)) for order in new_orders(ORDERS))

    def ratio_of(size: float) -> float:
        """With orders of so many bytes."""
        return mine / (others + (size - generated) / 1024 * kilobyte)

    units, usual_units = written_in_a_life(life), written_in_a_usual_life(usual)
    small = sum(month(SMALL, life).values())
    written = at_most("write units in an order's life", units, MOST_WRITE_UNITS, digits=1)
    generated_ratio = at_most(
        "dollars for an order, of the usual way's: with the generated orders", mine / others, MOST_OF_THE_USUAL
    )
    example_ratio = at_most(
        "dollars for an order, of the usual way's: at the median of Amazon's examples",
        ratio_of(median(AMAZONS_EXAMPLES)),
        MOST_OF_THE_USUAL_AT_MEDIAN,
    )
    running = at_most("dollars a month that run", small, MOST_FOR_A_SMALL_SELLER)
    return Section(
        [
            written._replace(reached=f"{written.reached} (the usual way: {usual_units:.1f})"),
            generated_ratio,
            example_ratio,
            *(_figure_of_a_month(one, life, others - mine, running if one is SMALL else None) for one in SELLERS),
        ],
        f"""## Cost

What an order takes from its download to its redaction is measured: {ORDERS} generated orders live through the functions
themselves, on tables of MiniStack, which reports the cost of each write for the table and each index
(`ReturnConsumedCapacity=INDEXES`) by DynamoDB's rules: a unit for each started KB; an index's entry is written if its
key or a projected attribute changes, and twice if the key does. Read units follow from the bytes that came back.
Processor time is that of this machine; calls, log lines and metrics are counted. Prices are list prices of us-east-1 of
{PRICES["looked_up"]:%Y-%m-%d} without free tiers (`benchmarks/prices.toml`). The assumptions are at the top of
`benchmarks/cost.py`: {VERSIONS} versions of each order (new, sent, and one in which only the time of the update is
new), {HELD:.0%} held; a function with {MB_OF_A_PROCESSOR:,} MB has a processor as fast as this machine's and one with
less its part of that; a call of DynamoDB takes {1000 * OTHER_WAIT:.0f} ms, a search at Amazon
{WAITS["searchOrders"]:.0f} s.

The usual way (`benchmarks/usual`) stores the whole order as a map whenever it is downloaded, changed or not, with a
second write for the verdict and a log line for each; the same indexes hold all of it. It asks the Orders API v0, with a
call for each order's items, and its windows overlap by {USUAL_OVERLAP:.0%}. Five assumptions favour it: an unchanged
order that it writes again makes no stream record, its rules are simple, its history and events cost as much as ours, it
asks for no held order again, and the generated orders are small.

{_table_of_units(life, usual)}

Each page costs a few more units in the integrations table, for the checkpoint. The life of an order is a new order, one
that was sent, one whose time alone changed, its redaction, and {HELD:.0%} of a held order's day: {units:.1f} units, in
the usual way {usual_units:.1f}.
{told_of(written)}

{_table_of_a_million(ours, theirs)}

The table excludes people's work, and the clock's work that is done whether orders come or not. {writes / mine:.0%} of
ours are DynamoDB's writes. If both asked Amazon as we do, the ratio would be {without_asking:.2f}. For each KB that
Amazon's orders are larger the usual way pays ${kilobyte:.2f} more, and ours nothing, because it keeps only the fields
that it uses. The generated ones have {generated:,.0f} bytes as JSON. Those in the examples of Amazon's model
orders_2026-01-01 have {min(AMAZONS_EXAMPLES):,} to {max(AMAZONS_EXAMPLES):,} without packages: for the median of them
the ratio is {ratio_of(median(AMAZONS_EXAMPLES)):.2f}, for the largest {ratio_of(max(AMAZONS_EXAMPLES)):.2f}.

{told_of(generated_ratio, "Target with the generated orders")}
{told_of(example_ratio, "Target with the median of Amazon's examples")}
Most of the cost pays for the gate: an order is written when it comes, not yet fulfillable, and again with its verdict; and an
index finds the verdicts that never came.

{_table_of_invocations(life)}

{_table_of_months(life, ours, theirs)}

{LARGE.orders:,} orders a day are {LARGE.versions:,} versions, as many as Amazon lists within its quota. The clock wakes each
integration {WAKE_UPS_A_DAY:,} times a day. People repair each held order with {CALLS_OF_A_REPAIR} calls. The table
leaves out cold starts, Cognito, data transfer, the log groups' calls to KMS, the hourly count of held orders, and a
warehouse's calls. It is what the work costs; [scale.md](scale.md#quotas) says which quotas many sellers meet first.

{told_of(running, f"Target for the running cost of {SMALL.name}")}
""",
    )


def _figure_of_a_month(seller: Seller, life: Life, more: float, target: Figure | None) -> Figure:
    running, unmoved = sum(month(seller, life).values()), sum(fixed(seller, life).values())
    usual = as_usual(seller, life, more)
    return Figure(
        f"dollars a month: {seller.name}",
        f"{_dollars(running)} that run (the usual way: {_dollars(usual)}), and {_dollars(unmoved)} fixed",
        target=f"{target.target} that run" if target else "",
        is_met=target.is_met if target else None,
    )


def entries_written(usual: UsualLife) -> float:
    """How many items and entries of indexes, each with the whole order in it, an order's life writes."""
    units_of_an_entry = usual.unchanged.write_units
    steps = (usual.new, usual.shipped, usual.touched)
    units = sum(step.download.write_units + step.validate.write_units for step in steps) + usual.redacted.write_units
    return units / units_of_an_entry + USUAL_OVERLAP * VERSIONS


if __name__ == "__main__":
    print(section().text)
