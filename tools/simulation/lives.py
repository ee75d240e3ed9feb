"""The lives that are simulated. Pages hold 5 orders, so 2,000 updates a day cost the calls of 40,000."""

from datetime import timedelta

from tools.simulation.seller import HOUR, Life

# Everything goes wrong at once: about every tenth call to Amazon, and a process that dies every few minutes.
TROUBLED = Life(
    updates_a_day=1_000,
    lasts=2 * HOUR,
    faults=0.1,
    crashes=0.002,
    people=0.01,
    backdates=0.003,
    stream=0.05,
    notified=0.3,
)
# As many updates as Amazon's quota can carry, and nothing goes wrong.
BUSY = Life(updates_a_day=2_000, lasts=3 * HOUR)
# A day and two hours of it, and much goes wrong: the second look is by Amazon's order report. That names no order
# without items, so that one of these which slipped is found only by walking its slice again, with quota to spare.
BUSY_DAY = Life(
    updates_a_day=2_000,
    lasts=26 * HOUR,
    settles=24 * HOUR,
    faults=0.05,
    crashes=0.001,
    people=0.005,
    stream=0.02,
    notified=0.3,
)
# Forty pages of orders are updated within two minutes, as by a bulk shipment confirmation.
FLOODED = Life(updates_a_day=300, lasts=6 * HOUR, flood=200)
# One of a thousand: twenty orders and updates an hour.
QUIET = Life(updates_a_day=480, lasts=HOUR, page=100)
# A usual seller, of whose orders Amazon lists every fifth minutes after its update.
LISTED_LATE = Life(
    updates_a_day=1_000,
    lasts=3 * HOUR,
    page=100,
    faults=0.05,
    crashes=0.001,
    people=0.005,
    stream=0.02,
    notified=0.1,
    listed_late=0.2,
)
# A seller whom 0.1.0 registered twice: each integration spends the whole quota, until one is merged into the other.
REGISTERED_TWICE = Life(
    updates_a_day=1_000,
    lasts=4 * HOUR,
    crashes=0.001,
    people=0.005,
    stream=0.02,
    registered_twice=True,
)
# A day of 40,000 updates, with Amazon's real pages of 100 orders.
FULL_SIZE = Life(updates_a_day=40_000, lasts=24 * HOUR, page=100)

# How far live downloads fall behind at most when nothing goes wrong: windows settle near half an hour, and a backlog
# that the seller's busiest minutes make is worked off within another half.
LAG_BOUND = timedelta(hours=1)
