"""Reads of many items of a table at once."""

import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import batched
from typing import TYPE_CHECKING, Any

from needs_attention.aws import Throttled

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


# Seconds before what DynamoDB left out of a batch is asked for again; botocore retries only what fails as a whole.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html asks for exponential backoff.
WAITS_FOR_THE_REST = (0.05, 0.1, 0.2, 0.4)
MOST_ITEMS_A_BATCH = 100
Item = Mapping[str, "AttributeValueTypeDef"]


def items(client: "DynamoDBClient", table: str, keys: Iterable[Item], **how: Any) -> Iterator[Item]:
    """The items of those keys that exist, in any order; `how` is what BatchGetItem takes for a table besides the keys.

    No key may be there twice. Raises Throttled if DynamoDB gives only a part of them, however often it is asked for the
    rest.
    """
    for some in batched(keys, MOST_ITEMS_A_BATCH, strict=False):
        wanted: Any = {table: {"Keys": list(some), **how}}
        for wait in (*WAITS_FOR_THE_REST, None):
            answer = client.batch_get_item(RequestItems=wanted)
            yield from answer["Responses"].get(table, [])
            wanted = answer.get("UnprocessedKeys")
            if not wanted:
                break
            if wait is None:
                raise Throttled
            time.sleep(wait)
