"""The callers of the stack: one person of each role, the warehouse's machine, and callers who must not come in."""

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import urllib3

from tools.local_stack import local_aws

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

ROLES = ("reader", "editor", "warehouse", "administrator")


def cognito_at(aws_endpoint: str) -> "CognitoIdentityProviderClient":
    cognito: CognitoIdentityProviderClient = local_aws.session().client("cognito-idp", endpoint_url=aws_endpoint)
    return cognito


def access_tokens(aws_endpoint: str, user_pool_id: str, client_id: str) -> dict[str, str]:
    """Makes the four people where they do not exist yet, and signs each in: {role: access token}."""
    cognito = cognito_at(aws_endpoint)
    return {role: signed_in(cognito, user_pool_id, client_id, role, role)["AccessToken"] for role in ROLES}


def signed_in(
    cognito: "CognitoIdentityProviderClient", user_pool_id: str, client_id: str, name: str, group: str | None
) -> Any:
    """The tokens of a person, who is made first if nobody has that name; without a group it is one without a role."""
    email = f"{name}@example.com"
    password = f"Aa1!{secrets.token_urlsafe(16)}"
    with suppress(cognito.exceptions.UsernameExistsException):  # from an earlier `make up`
        cognito.admin_create_user(
            UserPoolId=user_pool_id,
            Username=name,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
        )
    cognito.admin_set_user_password(UserPoolId=user_pool_id, Username=name, Password=password, Permanent=True)
    if group:
        cognito.admin_add_user_to_group(UserPoolId=user_pool_id, Username=name, GroupName=group)
    answer = cognito.initiate_auth(
        ClientId=client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": password},
    )
    return answer["AuthenticationResult"]


def client_login(cognito: "CognitoIdentityProviderClient", user_pool_id: str, client_id: str) -> str:
    """The credentials of a machine's client, as `curl -u` takes them."""
    client = cognito.describe_user_pool_client(UserPoolId=user_pool_id, ClientId=client_id)["UserPoolClient"]
    return f"{client_id}:{client['ClientSecret']}"


def machines_token(token_url: str, login: str, scope: str | None = None) -> str:
    """An access token by client credentials, for all the scopes that the client has, or one of them."""
    form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
    headers = {"Content-Type": "application/x-www-form-urlencoded", **urllib3.make_headers(basic_auth=login)}
    answer = urllib3.request("POST", token_url, body=urlencode(form), headers=headers)
    return str(answer.json()["access_token"])
