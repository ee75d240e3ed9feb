"""Every operation of the served document, by everybody: who is let in, and how the others are turned away.

The operations come from the document that the stack serves, so that a new one cannot be forgotten; the tokens are real
ones, and some that only look so.
"""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.e2e.conftest import DIRECTORY
from tools.local_stack.api import CONNECTIONS
from tools.local_stack.local_aws import state_of
from tools.local_stack.people import ROLES, client_login, cognito_at, machines_token, signed_in
from tools.local_stack.stack import Stack

UNKNOWN = "none"  # what no order, integration, download or Stage is called
OPEN_TO_EVERYBODY = ("GET", "/openapi.json")


class Answer(NamedTuple):
    status: int
    content_type: str
    body: Any


class Operation(NamedTuple):
    method: str
    path: str
    roles: frozenset[str]
    body: bytes | None
    content_type: str

    def call(self, stack: Stack, authorization: str | None) -> Answer:
        """A call that changes nothing, even where it is let in, except for freezes; its body is wrong on purpose."""
        headers = {"Content-Type": self.content_type} if self.body is not None else {}
        if authorization is not None:
            headers["Authorization"] = authorization
        path = self.path.replace("{", "").replace("}", "")
        for part in ("orderId", "integrationId", "downloadId", "erasureId", "stageId"):
            path = path.replace(part, UNKNOWN)
        while True:
            answer = CONNECTIONS.request(self.method, stack.api + path, body=self.body, headers=headers)
            if answer.status != 429:  # these calls come faster than API Gateway lets one client call
                break
        media_type = answer.headers.get("Content-Type", "").partition(";")[0]
        body = json.loads(answer.data) if media_type.endswith("json") else answer.data
        return Answer(answer.status, media_type, body)


def operations(stack: Stack) -> list[Operation]:
    document = CONNECTIONS.request("GET", f"{stack.api}/openapi.json").json()
    return [
        Operation(
            method.upper(),
            path,
            frozenset(told["x-roles"]),
            b"{}" if "requestBody" in told else None,
            next(iter(told.get("requestBody", {}).get("content", [""]))),
        )
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    ]


# Tokens ---------------------------------------------------------------------------------------------------------------


class Pool:
    """The stack's own user pool, with the key that signs its access tokens."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.id = stack.outputs["UserPoolId"]
        self.cognito = cognito_at(stack.aws_endpoint)
        key = state_of(DIRECTORY) / "cognito-pool-keys" / f"{self.id}-access.pem"
        loaded = load_pem_private_key(key.read_bytes(), password=None)
        assert isinstance(loaded, RSAPrivateKey)
        self.key = loaded

    def machine(self, *scopes: str) -> str:
        """The access token of a machine that was given these scopes, such as `needs-attention/reader`."""
        client = self.cognito.create_user_pool_client(
            UserPoolId=self.id,
            ClientName="a machine",
            GenerateSecret=True,
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthFlows=["client_credentials"],
            AllowedOAuthScopes=list(scopes),
        )["UserPoolClient"]
        login = client_login(self.cognito, self.id, client["ClientId"])
        return machines_token(self.stack.token_url, login)

    def person_without_a_role(self) -> str:
        client_id = self.stack.outputs["PeopleClientId"]
        return str(signed_in(self.cognito, self.id, client_id, "newcomer", None)["AccessToken"])

    def id_token(self) -> str:
        """An administrator's, which says who somebody is and not what an app may do for them."""
        client_id = self.stack.outputs["PeopleClientId"]
        return str(signed_in(self.cognito, self.id, client_id, "administrator", "administrator")["IdToken"])

    def token_of_another_pool(self) -> str:
        """An administrator's of some other system in the same account."""
        pool_id = self.cognito.create_user_pool(PoolName="another")["UserPool"]["Id"]
        client = self.cognito.create_user_pool_client(
            UserPoolId=pool_id, ClientName="people", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
        )["UserPoolClient"]
        self.cognito.create_group(UserPoolId=pool_id, GroupName="administrator")
        tokens = signed_in(self.cognito, pool_id, client["ClientId"], "administrator", "administrator")
        return str(tokens["AccessToken"])

    def machine_of_another_system(self) -> str:
        """With a scope of another system's that has our role's name."""
        with suppress(self.cognito.exceptions.InvalidParameterException):  # it exists already
            self.cognito.create_resource_server(
                UserPoolId=self.id,
                Identifier="payroll",
                Name="Payroll",
                Scopes=[{"ScopeName": "administrator", "ScopeDescription": "Pays"}],
            )
        return self.machine("payroll/administrator")


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims."""
    header, claims, _ = token.split(".")
    return _decoded(header), _decoded(claims)


def signed(header: Mapping[str, Any], claims: Mapping[str, Any], key: RSAPrivateKey) -> str:
    content = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(claims).encode())}"
    return f"{content}.{_encoded(key.sign(content.encode(), padding.PKCS1v15(), SHA256()))}"


def _decoded(part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=="))
    return found


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def pool(stack: Stack) -> Pool:
    return Pool(stack)


@pytest.fixture(scope="module")
def false_tokens(stack: Stack, pool: Pool) -> dict[str, str | None]:
    """Tokens that let nobody in, by their fault. Apart from that fault, each is an administrator's."""
    true = stack.tokens["administrator"]
    header, claims = parts_of(true)
    _, readers = parts_of(stack.tokens["reader"])
    long_ago = {name: claims[name] - 2 * (claims["exp"] - claims["iat"]) for name in ("iat", "exp", "auth_time")}
    content, signature = true.rpartition(".")[::2]
    return {
        "none": None,
        "empty": "",
        "another scheme": "Basic YWRtaW46YWRtaW4=",
        "garbage": "Bearer garbage",
        "two parts": f"Bearer {content}",
        "expired": f"Bearer {signed(header, claims | long_ago, pool.key)}",
        "not valid yet": f"Bearer {signed(header, claims | {'nbf': int(time.time()) + 3600}, pool.key)}",
        "forged, with a key of its own": f"Bearer {signed(header, claims, rsa.generate_private_key(65537, 2048))}",
        "forged, with a key that is not there": f"Bearer {signed(header | {'kid': 'mine'}, claims, pool.key)}",
        "altered": f"Bearer {signed(header, readers, pool.key).rpartition('.')[0]}.{signature}",
        "unsigned": f"Bearer {_encoded(json.dumps({'alg': 'none'}).encode())}.{content.partition('.')[2]}.",
        "of another pool": f"Bearer {pool.token_of_another_pool()}",
        "of another system": f"Bearer {pool.machine_of_another_system()}",
        "an ID token": f"Bearer {pool.id_token()}",
    }


@pytest.fixture(scope="module")
def true_tokens(stack: Stack, pool: Pool) -> dict[str, tuple[str, frozenset[str]]]:
    """Tokens that are in order, with the roles that their callers have; administrators edit and read too."""
    people = {f"a person, {role}": (stack.tokens[role], frozenset({role})) for role in ROLES}
    machines = {f"a machine, {role}": (pool.machine(f"needs-attention/{role}"), frozenset({role})) for role in ROLES}
    reads_and_edits = pool.machine("needs-attention/reader", "needs-attention/editor")
    return {
        **people,
        **machines,
        "a machine that reads and edits": (reads_and_edits, frozenset({"reader", "editor"})),
        "the warehouse's own machine": (
            machines_token(stack.token_url, stack.warehouse_client),
            frozenset({"warehouse"}),
        ),
        "a person without a role": (pool.person_without_a_role(), frozenset()),
        "signed once more by the pool": (
            signed(*parts_of(stack.tokens["reader"]), pool.key),
            frozenset({"reader"}),
        ),
    }


@pytest.fixture(scope="module", autouse=True)
def nothing_stays_frozen(stack: Stack) -> Iterator[None]:
    yield
    administrator = f"Bearer {stack.tokens['administrator']}"
    thawed = Operation("DELETE", "/freeze", frozenset(), None, "").call(stack, administrator)
    assert thawed.status == 200


# Who is let in --------------------------------------------------------------------------------------------------------


def test_a_token_that_is_not_in_order_opens_nothing(stack: Stack, false_tokens: Mapping[str, str | None]) -> None:
    asked = operations(stack)
    assert len(asked) > 30
    for what, token in false_tokens.items():
        for operation in asked:
            answer = operation.call(stack, token)
            case = (what, operation.method, operation.path)
            assert (*case, answer.status, answer.content_type) == (*case, 401, "application/problem+json")
            assert (*case, answer.body["code"], answer.body["errors"]) == (*case, "unauthorized", [])


def test_every_operation_lets_in_just_the_roles_of_the_document(
    stack: Stack, true_tokens: Mapping[str, tuple[str, frozenset[str]]]
) -> None:
    asked = operations(stack)
    for who, (token, roles) in true_tokens.items():
        for operation in asked:
            answer = operation.call(stack, f"Bearer {token}")
            case = (who, operation.method, operation.path)
            is_turned_away = answer.status in {401, 403}
            assert (*case, is_turned_away) == (*case, not roles & operation.roles)
            assert (*case, answer.status < 500) == (*case, True)
            if is_turned_away:
                told = (answer.status, answer.content_type, answer.body["code"])
                assert (*case, *told) == (*case, 403, "application/problem+json", "roleNeeded")
                assert any(role in answer.body["detail"] for role in operation.roles)


def test_the_document_itself_is_open_to_everybody(stack: Stack, false_tokens: Mapping[str, str | None]) -> None:
    method, path = OPEN_TO_EVERYBODY
    for token in false_tokens.values():
        assert Operation(method, path, frozenset(), None, "").call(stack, token).status == 200


def test_a_machine_is_given_no_scope_that_its_client_does_not_have(stack: Stack) -> None:
    with pytest.raises(KeyError, match="access_token"):
        machines_token(stack.token_url, stack.warehouse_client, "needs-attention/administrator")


def test_a_machine_with_a_wrong_secret_is_given_no_token(stack: Stack) -> None:
    client_id = stack.warehouse_client.partition(":")[0]
    with pytest.raises(KeyError, match="access_token"):
        machines_token(stack.token_url, f"{client_id}:wrong")
