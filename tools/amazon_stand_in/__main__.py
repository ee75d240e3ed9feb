"""Serves the stand-in until interrupted: `python -m tools.amazon_stand_in --port 0 --scenario story`."""

import argparse
import sys
from datetime import UTC, datetime

from tools.amazon_stand_in.generator import Hole, generated
from tools.amazon_stand_in.server import AmazonStandIn, ready_line
from tools.amazon_stand_in.story import story


def main() -> None:
    arguments = _parser().parse_args()
    now = datetime.now(UTC)
    if arguments.scenario == "story":
        stand_in = AmazonStandIn(story(now), port=arguments.port)
    else:
        shares = dict.fromkeys(Hole, arguments.holes)
        orders = generated(arguments.orders, now=now, seed=arguments.seed, region=arguments.region, shares=shares)
        stand_in = AmazonStandIn(orders, region=arguments.region, port=arguments.port)
    sys.stdout.write(ready_line(stand_in) + "\n")
    sys.stdout.flush()
    try:
        stand_in.serve()
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.amazon_stand_in", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--scenario", choices=("story", "generated"), default="story")
    parser.add_argument("--orders", type=int, default=1000, help="generated: how many")
    parser.add_argument("--seed", type=int, default=0, help="generated: the same seed makes the same orders")
    parser.add_argument("--region", choices=("NA", "EU", "FE"), default="NA", help="generated: whose marketplaces")
    parser.add_argument("--holes", type=float, default=0.005, help="generated: the share of each kind of hole")
    return parser


if __name__ == "__main__":
    main()
