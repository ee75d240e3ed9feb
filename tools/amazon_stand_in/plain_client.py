"""A client without any logic: it sends exactly what a test says, and shows the answer as it came."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

import urllib3

from tools.amazon_stand_in.ledger import Json, amazon_time
from tools.amazon_stand_in.orders_api import ORDERS_PATH
from tools.amazon_stand_in.server import AmazonStandIn
from tools.amazon_stand_in.visibility import DATASETS

type Query = dict[str, str | datetime]

USER_AGENT: Final = "StandInTests/1.0 (Language=Python/3.13)"
ALL_DATASETS: Final = ",".join(sorted(DATASETS))


@dataclass(frozen=True, slots=True)
class Reply:
    """Header names are lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Json:
        error: Json = self.json["errors"][0]
        return error

    @property
    def order_ids(self) -> list[str]:
        return [order["orderId"] for order in self.json["orders"]]


class PlainClient:
    def __init__(self, stand_in: AmazonStandIn) -> None:
        self._stand_in = stand_in
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(10))
        self._access_token = ""

    def close(self) -> None:
        self._pool.clear()

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = 10.0,
    ) -> Reply:
        reply = self._pool.request(method, url, headers=headers, body=body, timeout=timeout)
        return Reply(reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.data)

    def log_in(self, **changes: str | None) -> Reply:
        """Asks for an access token by the refresh token, with `changes` in the form (None: left out)."""
        form: dict[str, str | None] = {
            "grant_type": "refresh_token",
            "refresh_token": self._stand_in.credentials.refresh_token,
            "client_id": self._stand_in.credentials.client_id,
            "client_secret": self._stand_in.credentials.client_secret,
        }
        sent = {name: value for name, value in (form | changes).items() if value is not None}
        headers = {"Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"}
        return self.ask("POST", self._stand_in.lwa_endpoint, headers=headers, body=urlencode(sent).encode())

    def renew_access_token(self) -> None:
        self._access_token = self.log_in().json["access_token"]

    def call(
        self,
        method: str,
        path: str,
        content: Any = None,
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = 10.0,
    ) -> Reply:
        """Logs in first, once; `content` is sent as JSON; `headers` come on top of User-Agent and access token."""
        if not self._access_token:
            self.renew_access_token()
        sent = {"User-Agent": USER_AGENT, "x-amz-access-token": self._access_token}
        body = None
        if content is not None:
            sent["Content-Type"] = "application/json"
            body = json.dumps(content).encode()
        url = f"{self._stand_in.endpoint}{path}" + (f"?{urlencode(query)}" if query else "")
        return self.ask(method, url, headers=sent | (headers or {}), body=body, timeout=timeout)

    def get(
        self,
        path: str,
        query: dict[str, str] | None = None,
        *,
        headers: dict[str, str] | None = None,
        timeout: float = 10.0,
    ) -> Reply:
        return self.call("GET", path, query=query, headers=headers, timeout=timeout)

    def search(
        self,
        query: Mapping[str, str | datetime] | None = None,
        *,
        headers: dict[str, str] | None = None,
        timeout: float = 10.0,
    ) -> Reply:
        """Asks searchOrders with exactly these parameters."""
        written = {
            name: amazon_time(value) if isinstance(value, datetime) else value for name, value in (query or {}).items()
        }
        return self.get(ORDERS_PATH, written, headers=headers, timeout=timeout)

    def order(self, order_id: str, **query: str) -> Reply:
        return self.get(f"{ORDERS_PATH}/{quote(order_id, safe='')}", query)

    def control(self, method: str, path: str, content: Any = None) -> Reply:
        body = None if content is None else json.dumps(content).encode()
        return self.ask(method, self._stand_in.control_endpoint + path, body=body)
