"""`python -m tools.simulation`: many seeds, one seed again, or a day of the largest seller; see `make help`."""

import argparse
import logging
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tools.simulation.lives import BUSY, BUSY_DAY, FLOODED, FULL_SIZE, LISTED_LATE, REGISTERED_TWICE, TROUBLED
from tools.simulation.seller import Life, Simulation, Told

LIVES = {
    "troubled": TROUBLED,
    "listedLate": LISTED_LATE,
    "busy": BUSY,
    "busyDay": BUSY_DAY,
    "flooded": FLOODED,
    "registeredTwice": REGISTERED_TWICE,
    "fullSize": FULL_SIZE,
}


def lived(life: Life, seed: int) -> Told:
    logging.disable(logging.CRITICAL)
    return Simulation(seed, life).live()


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.simulation", description="Days of a seller's life")
    parser.add_argument("--life", choices=LIVES, default="troubled")
    parser.add_argument("--seeds", type=int, default=2_000, help="how many seeds to live")
    parser.add_argument("--seed", type=int, help="only this one")
    arguments = parser.parse_args()
    seeds = range(arguments.seeds) if arguments.seed is None else [arguments.seed]
    began, broken, longest = time.monotonic(), 0, Told(0).longest_lag
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for number, told in enumerate(pool.map(partial(lived, LIVES[arguments.life]), seeds, chunksize=5), start=1):
            longest = max(longest, told.longest_lag)
            if told.broken or arguments.seed is not None:
                say(str(told))
            if told.broken:
                broken += 1
                say(f'Replay it: make simulate ARGUMENTS="--life {arguments.life} --seed {told.seed}"')
            if number % 100 == 0:
                say(f"[{time.monotonic() - began:5.0f} s] {number:,} seeds, {broken} broken")
    say(f"{len(seeds):,} seeds, {broken} broken; downloads were behind by at most {longest}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
