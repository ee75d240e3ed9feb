"""An orders API on Lambda as it is usually built: what `benchmarks/cold_start.py` holds our functions against.

It follows the best-known blueprint of a Python function, https://github.com/ran-isenberg/aws-lambda-handler-cookbook.
Taken over from there, as it is used there:

- Powertools' `APIGatewayRestResolver` with validation and Swagger, and the documented responses of each route;
- Logger, Tracer and Metrics, with a line and a metric per request, and a traced segment per layer;
- Powertools' idempotency in DynamoDB, on the function that changes something;
- `Table` of boto3's DynamoDB resource, made on the first request and kept;
- pydantic models of what comes in, of what is stored and of what goes out, and of the environment;
- dependencies bundled at fixed versions, X-Ray's SDK among them.

Left out, all of which would make it slower: feature flags (AWS AppConfig, a call over the network in the first
request), the packages `aws-lambda-env-modeler` and `cachetools` (pydantic and functools do here what they do there),
and the blueprint's handler, logic and data access in a folder of modules each: here they are the three parts of one.
Its latest releases read and write items by an object mapper, `pydynox`; this is boto3 as before, and as most have it.
"""

import os
from datetime import datetime
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

import boto3
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from aws_lambda_powertools.logging import Logger, correlation_paths
from aws_lambda_powertools.metrics import Metrics, MetricUnit
from aws_lambda_powertools.tracing import Tracer
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.serialization.pydantic import PydanticSerializer
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError
from pydantic import BaseModel, Field, ValidationError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

logger = Logger()
tracer = Tracer()
metrics = Metrics()
app = APIGatewayRestResolver(enable_validation=True)
app.enable_swagger(path="/swagger", title="Orders")


class Environment(BaseModel):
    """The function's settings from the template."""

    orders_table: Annotated[str, Field(min_length=1)]
    idempotency_table: Annotated[str, Field(min_length=1)]


environment = Environment.model_validate({name.lower(): value for name, value in os.environ.items()})
idempotency_store = DynamoDBPersistenceLayer(table_name=environment.idempotency_table)
idempotency_config = IdempotencyConfig(expires_after_seconds=5 * 60)

# Models ---------------------------------------------------------------------------------------------------------------


class Address(BaseModel):
    name: str
    address_line1: str
    address_line2: str | None = None
    city: str
    state_or_region: str | None = None
    postal_code: str
    country_code: str


class LineItem(BaseModel):
    order_item_id: str
    seller_sku: str
    title: str
    quantity: Annotated[int, Field(ge=0)]


class Order(BaseModel):
    """As it is stored."""

    order_id: str
    created_at: datetime
    updated_at: datetime
    stage: str
    fulfillment_status: str
    buyer_name: str
    buyer_email: str
    delivery_address: Address
    line_items: list[LineItem]
    comment: str = ""


class OrderOutput(Order):
    """As it is answered."""


class ChangeOrderInput(BaseModel):
    """The body of PATCH /orders/{orderId}."""

    comment: Annotated[str, Field(max_length=1000)]


class ChangeOrderRequest(ChangeOrderInput):
    """A change of one order: a second one that is the same is answered as the first was."""

    order_id: str


class ErrorOutput(BaseModel):
    error: str


class OrderNotFound(Exception):
    """There is no such order."""


class StorageFailed(Exception):
    """The table could not be reached, or holds what is no order."""


# Handlers -------------------------------------------------------------------------------------------------------------

OrderId = Annotated[str, Path(description="Amazon's identifier of the order", min_length=1, max_length=100)]


@app.exception_handler(OrderNotFound)  # type: ignore[untyped-decorator]
def handle_not_found(_: OrderNotFound) -> Response[str]:
    return error(HTTPStatus.NOT_FOUND, "order not found")


@app.exception_handler(StorageFailed)  # type: ignore[untyped-decorator]
def handle_storage_failed(_: StorageFailed) -> Response[str]:
    logger.exception("finished handling request with internal error")  # noqa: LOG004 - called within `except`
    return error(HTTPStatus.INTERNAL_SERVER_ERROR, "internal server error")


def error(status: HTTPStatus, text: str) -> Response[str]:
    return Response(status, content_types.APPLICATION_JSON, ErrorOutput(error=text).model_dump_json())


@app.get(
    "/orders/<order_id>",
    summary="Get an order",
    description="Get an order by its identifier",
    response_description="The order",
    responses={
        200: {"description": "The order", "content": {"application/json": {"model": OrderOutput}}},
        404: {"description": "Order not found", "content": {"application/json": {"model": ErrorOutput}}},
        500: {"description": "Internal server error", "content": {"application/json": {"model": ErrorOutput}}},
    },
    tags=["Orders"],
)
def handle_get_order(order_id: OrderId) -> OrderOutput:
    logger.append_keys(order_id=order_id)
    logger.info("got get order request")
    metrics.add_metric(name="ValidGetOrderEvents", unit=MetricUnit.Count, value=1)
    order = get_order(order_id)
    logger.info("finished handling get order request")
    return order


@app.patch(
    "/orders/<order_id>",
    summary="Change an order",
    description="Change the comment of an order",
    response_description="The changed order",
    responses={
        200: {"description": "The changed order", "content": {"application/json": {"model": OrderOutput}}},
        404: {"description": "Order not found", "content": {"application/json": {"model": ErrorOutput}}},
        500: {"description": "Internal server error", "content": {"application/json": {"model": ErrorOutput}}},
    },
    tags=["Orders"],
)
def handle_change_order(order_id: OrderId, change: Annotated[ChangeOrderInput, Body()]) -> OrderOutput:
    logger.append_keys(order_id=order_id)
    logger.info("got change order request")
    metrics.add_metric(name="ValidChangeOrderEvents", unit=MetricUnit.Count, value=1)
    idempotency_config.register_lambda_context(app.lambda_context)
    order: OrderOutput = change_order(request=ChangeOrderRequest(order_id=order_id, comment=change.comment))
    logger.info("finished handling change order request")
    return order


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)


# Logic ----------------------------------------------------------------------------------------------------------------


@tracer.capture_method(capture_response=False)
def get_order(order_id: str) -> OrderOutput:
    return OrderOutput.model_validate(dict(stored_order(order_id)))


@idempotent_function(  # type: ignore[untyped-decorator]
    data_keyword_argument="request",
    config=idempotency_config,
    persistence_store=idempotency_store,
    output_serializer=PydanticSerializer,
)
@tracer.capture_method(capture_response=False)
def change_order(request: ChangeOrderRequest) -> OrderOutput:
    return OrderOutput.model_validate(dict(save_comment(request.order_id, request.comment)))


# Data access ----------------------------------------------------------------------------------------------------------


@cache
def orders_table() -> "Table":
    table: Table = boto3.resource("dynamodb").Table(environment.orders_table)
    return table


@tracer.capture_method(capture_response=False)
def stored_order(order_id: str) -> Order:
    """Raises OrderNotFound or StorageFailed."""
    try:
        item = orders_table().get_item(Key={"order_id": order_id}).get("Item")
        if item is None:
            raise OrderNotFound
        return Order.model_validate(item)
    except (ClientError, ValidationError) as cause:
        raise StorageFailed from cause


@tracer.capture_method(capture_response=False)
def save_comment(order_id: str, comment: str) -> Order:
    """The order with the comment. Raises OrderNotFound or StorageFailed."""
    try:
        changed = orders_table().update_item(
            Key={"order_id": order_id},
            UpdateExpression="SET #comment = :comment",
            ConditionExpression="attribute_exists(order_id)",
            ExpressionAttributeNames={"#comment": "comment"},
            ExpressionAttributeValues={":comment": comment},
            ReturnValues="ALL_NEW",
        )
        return Order.model_validate(changed["Attributes"])
    except ClientError as cause:
        if cause.response["Error"]["Code"] == "ConditionalCheckFailedException":
            raise OrderNotFound from cause
        raise StorageFailed from cause
    except ValidationError as cause:
        raise StorageFailed from cause
