"""`python endpoints.py LAYER`: leaves in the layer's botocore, of its table of endpoints, what the functions need.

For the first client that a process makes, botocore parses the whole table of all services, 1.25 MB: 18 ms of processor
time and 8 MiB that each function keeps. What it says of the services that functions call stays as it is.
"""

import json
import sys
from pathlib import Path

# As the table calls them; `monitoring` is CloudWatch.
SERVICES = frozenset({"dynamodb", "events", "monitoring", "secretsmanager", "sns", "sqs"})


def main(layer: str) -> None:
    file = Path(layer, "botocore/data/endpoints.json")
    table = json.loads(file.read_text(encoding="utf-8"))
    for partition in table["partitions"]:
        partition["services"] = {name: told for name, told in partition["services"].items() if name in SERVICES}
    file.write_text(json.dumps(table, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
