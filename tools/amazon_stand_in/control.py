"""The stand-in's Python methods over HTTP, for programs in other processes.

| Request | Body | Does |
|---|---|---|
| GET /_control/orders | | the ledger, one summary an order |
| GET /_control/orders/{orderId} | | the order as Amazon keeps it, all datasets |
| PUT /_control/orders/{orderId} | the order | adds or replaces it |
| PATCH /_control/orders/{orderId} | `{changes, lastUpdatedTime?}` | JSON Merge Patch; the time is kept unless given |
| POST /_control/orders/{orderId}/complete | `{fields?: [codes], lastUpdatedTime?}` | fills in missing data |
| GET /_control/orders/{orderId}/order-change | | `{queueArn, notification}`, or nothing if nobody gets one |
| GET, DELETE /_control/requests | | the requests so far, without tokens |
| POST, DELETE /_control/misbehaviours | `{kind, times?, operations?, seconds?}` | `times: null`: until DELETE |
| PUT /_control/roles | `{roles: [...]}` | the roles that the seller granted |
| PUT /_control/usage-plans/{operation} | `{rate, burst}` | requests per second; a full bucket |
| PUT /_control/reports | `{duration?, lag?}` | how long reports take, and how old their data is, in seconds |
| DELETE /_control/access-tokens | | all access tokens expire |

Answers are JSON: 200, or 400 and 404 with `{"error": ...}`.
"""

import json
import re
import urllib.parse
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tools.amazon_stand_in.http_messages import Answer, Request
from tools.amazon_stand_in.ledger import Json, moment
from tools.amazon_stand_in.misbehaviour import Misbehaviour

if TYPE_CHECKING:
    from tools.amazon_stand_in.server import AmazonStandIn

PATH: Final = "/_control"

type Action = Callable[["AmazonStandIn", str, Json], Any]


def answer(stand_in: "AmazonStandIn", request: Request) -> Answer:
    for method, pattern, act in _ROUTES:
        found = pattern.fullmatch(request.path.removeprefix(PATH))
        if found and method == request.method:
            name = urllib.parse.unquote(found["name"]) if "name" in found.groupdict() else ""
            return _done(stand_in, act, name, request.body)
    return Answer.of_json(404, {"error": f"no such control: {request.method} {request.path}"})


def _done(stand_in: "AmazonStandIn", act: Action, name: str, body: bytes) -> Answer:
    try:
        result = act(stand_in, name, _content(body))
    except KeyError as error:
        return Answer.of_json(404, {"error": f"unknown or absent: {error.args[0]}"})
    except (ValueError, TypeError) as error:
        return Answer.of_json(400, {"error": str(error)})
    return Answer.of_json(200, {} if result is None else result)


def _content(body: bytes) -> Json:
    content = json.loads(body or b"{}")
    if not isinstance(content, dict):
        raise TypeError("the body must be a JSON object")
    return content


def _put(stand_in: "AmazonStandIn", order_id: str, body: Json) -> None:
    if body["orderId"] != order_id:
        raise ValueError("the order's ID and the path's differ")
    stand_in.put(body)


def _patch(stand_in: "AmazonStandIn", order_id: str, body: Json) -> None:
    stand_in.patch(order_id, body["changes"], last_updated_time=_last_updated_time(body))


def _complete(stand_in: "AmazonStandIn", order_id: str, body: Json) -> None:
    stand_in.complete(order_id, *body.get("fields", ()), last_updated_time=_last_updated_time(body))


def _order_change(stand_in: "AmazonStandIn", order_id: str, _: Json) -> Json:
    sent = stand_in.order_change(order_id)
    return {} if sent is None else {"queueArn": sent[0], "notification": sent[1]}


def _misbehave(stand_in: "AmazonStandIn", _: str, body: Json) -> None:
    stand_in.misbehave(
        Misbehaviour(body["kind"]),
        times=body.get("times", 1),
        operations=body.get("operations", ()),
        seconds=body.get("seconds", 0.0),
    )


def _set_usage_plan(stand_in: "AmazonStandIn", operation: str, body: Json) -> None:
    stand_in.set_usage_plan(operation, rate=float(body["rate"]), burst=int(body["burst"]))


def _set_reports(stand_in: "AmazonStandIn", _: str, body: Json) -> None:
    stand_in.set_reports(**{name: timedelta(seconds=seconds) for name, seconds in body.items()})


def _last_updated_time(body: Json) -> datetime | None:
    return moment(body["lastUpdatedTime"]) if "lastUpdatedTime" in body else None


_ROUTES: Final[tuple[tuple[str, re.Pattern[str], Action], ...]] = tuple(
    (method, re.compile(pattern), act)
    for method, pattern, act in (
        ("GET", r"/orders", lambda stand_in, _, __: {"orders": [entry.summary() for entry in stand_in.orders()]}),
        ("GET", r"/orders/(?P<name>[^/]+)", lambda stand_in, order_id, _: stand_in.order(order_id).order),
        ("PUT", r"/orders/(?P<name>[^/]+)", _put),
        ("PATCH", r"/orders/(?P<name>[^/]+)", _patch),
        ("POST", r"/orders/(?P<name>[^/]+)/complete", _complete),
        ("GET", r"/orders/(?P<name>[^/]+)/order-change", _order_change),
        ("GET", r"/requests", lambda stand_in, _, __: {"requests": [seen.as_json() for seen in stand_in.requests()]}),
        ("DELETE", r"/requests", lambda stand_in, _, __: stand_in.forget_requests()),
        ("POST", r"/misbehaviours", _misbehave),
        ("DELETE", r"/misbehaviours", lambda stand_in, _, __: stand_in.behave()),
        ("PUT", r"/roles", lambda stand_in, _, body: stand_in.set_roles(frozenset(body["roles"]))),
        ("PUT", r"/usage-plans/(?P<name>\w+)", _set_usage_plan),
        ("PUT", r"/reports", _set_reports),
        ("DELETE", r"/access-tokens", lambda stand_in, _, __: stand_in.expire_access_tokens()),
    )
)
