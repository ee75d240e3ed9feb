"""Many sellers on one system: the queue's groups, the functions that run at once, and the writes per key."""

import heapq
import logging
import sys
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tools.simulation.lives import QUIET
from tools.simulation.seller import MINUTE, START, Simulation


@dataclass(frozen=True)
class Seen:
    """`longest_wait` is from a wake-up to its run; `writes` are per key and minute, the busiest first."""

    sellers: int
    runs: int
    longest_wait: timedelta
    longest_lag: timedelta
    fewest_runs: int
    writes: tuple[tuple[str, float], ...]

    def __str__(self) -> str:
        keys = ", ".join(f"{key} {rate:.1f}" for key, rate in self.writes)
        return (
            f"{self.sellers:,} sellers, {self.runs:,} runs, each seller at least {self.fewest_runs}; a wake-up waited "
            f"at most {self.longest_wait}, downloads were behind by at most {self.longest_lag}; "
            f"writes a minute on the busiest keys: {keys}"
        )


def live_together(sellers: int, minutes: int, functions_at_once: int) -> Seen:
    """The clock wakes who is due; a run takes the function that is free first, and lasts as its calls do."""
    lives = [Simulation(seed, replace(QUIET, lasts=minutes * MINUTE), f"seller-{seed}") for seed in range(sellers)]
    free: list[datetime] = [START] * functions_at_once
    waits, runs = [timedelta()], Counter[str]()
    for minute in range(1, minutes + 1):
        tick = START + minute * MINUTE
        for life in lives:
            if not life.woken_by_the_clock(tick):
                continue
            begins = max(heapq.heappop(free), tick, life.clock())
            waits.append(begins - tick)
            life.run_at(begins)
            heapq.heappush(free, life.clock())
            runs[life.integration_id] += 1
    writes = Counter[str]()
    for life in lives:
        for name, table in life.tables.items():
            writes.update(
                {f"{name} {life.integration_id} {'/'.join(key)}": count for key, count in table.writes.items()}
            )
    return Seen(
        sellers=sellers,
        runs=runs.total(),
        longest_wait=max(waits),
        longest_lag=max(life.told.longest_lag for life in lives),
        fewest_runs=min(runs.values()),
        writes=tuple((key, count / minutes) for key, count in writes.most_common(3)),
    )


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    sys.stdout.write(f"{live_together(sellers=1_000, minutes=30, functions_at_once=50)}\n")
