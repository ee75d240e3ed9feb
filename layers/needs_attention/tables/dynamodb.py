"""Calls of DynamoDB that every table needs: reads of many items, counts, and how values are written."""

import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import batched
from typing import TYPE_CHECKING, Any

from needs_attention.aws import Throttled

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


# Seconds before a batch asks again for the items that DynamoDB left out; botocore retries only a batch that fails as a
# whole. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html asks for exponential
# backoff.
WAITS_FOR_THE_REST = (0.05, 0.1, 0.2, 0.4)
MOST_ITEMS_A_BATCH = 100
Item = Mapping[str, "AttributeValueTypeDef"]


def get_many(client: "DynamoDBClient", table: str, keys: Iterable[Item], **how: Any) -> Iterator[Item]:
    """The items of those keys that exist, in any order; `how` is what BatchGetItem takes for a table besides the keys.

    No key may be there twice. Raises Throttled if DynamoDB still leaves some items out after several tries.
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


def count(client: "DynamoDBClient", most: int, **query: Any) -> int:
    """How many entries the query finds, up to `most`.

    No entry comes over, but DynamoDB reads them all the same, a megabyte a request.
    """
    counted = 0
    while counted < most:
        answer = client.query(Select="COUNT", Limit=most - counted, **query)
        counted += answer["Count"]
        if "LastEvaluatedKey" not in answer:
            break
        query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    return counted


def text(value: str) -> "AttributeValueTypeDef":
    """A text as an attribute."""
    return {"S": value}


def number(value: int) -> "AttributeValueTypeDef":
    """A number as an attribute."""
    return {"N": str(value)}
