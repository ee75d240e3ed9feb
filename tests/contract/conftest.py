"""Amazon's publications that are at hand: each test of what Amazon says runs once for every one of them.

The SDK is always there. The environment variable SP_API_MODEL names Amazon's model, orders_2026-01-01.json.
"""

import json
import os
from pathlib import Path

import pytest

from tests.contract.amazons_orders_api import ADDED_LATER, OrdersApi
from tests.contract.orders_api_of_model import out_of_model
from tests.contract.orders_api_of_sdk import out_of_sdk
from tools.amazon_stand_in.ledger import Json

MODEL = os.environ.get("SP_API_MODEL")
# Members whose description the newer model changes: this one now names WARRANTY.
REWORDED = {"AssociatedOrderItem": ("associationType",)}
PUBLICATIONS = ["SDK", *(["model", "newer model"] if MODEL else [])]


@pytest.fixture(scope="session", params=PUBLICATIONS)
def orders_api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> OrdersApi:
    """Amazon's Orders API as one publication tells it."""
    if MODEL is None or request.param == "SDK":
        return out_of_sdk()
    if request.param == "model":
        return out_of_model(Path(MODEL))
    newer = tmp_path_factory.mktemp("model") / "orders_2026-01-01.json"
    newer.write_text(json.dumps(with_additions(json.loads(Path(MODEL).read_bytes()))), encoding="utf-8")
    return out_of_model(newer)


def with_additions(model: Json) -> Json:
    """Amazon's model with the types and members of its newer edition, which the SDK is made from."""
    newer = out_of_sdk().definitions
    definitions = {name: definition for name, definition in newer.items() if name not in model["definitions"]}
    definitions |= model["definitions"]
    for name, added in ADDED_LATER.items():
        members = {member: newer[name]["properties"][member] for member in (*added, *REWORDED.get(name, ()))}
        definitions[name] = definitions[name] | {"properties": definitions[name]["properties"] | members}
    return model | {"definitions": definitions}
