"""One person of each role, and their access tokens."""

import secrets
from contextlib import suppress

from tests.local_stack import local_aws

ROLES = ("reader", "editor", "warehouse", "administrator")


def access_tokens(aws_endpoint: str, user_pool_id: str, client_id: str) -> dict[str, str]:
    """Makes the four people where they do not exist yet, and signs each in: {role: access token}."""
    cognito = local_aws.session().client("cognito-idp", endpoint_url=aws_endpoint)
    tokens = {}
    for role in ROLES:
        email = f"{role}@example.com"
        password = f"Aa1!{secrets.token_urlsafe(16)}"
        with suppress(cognito.exceptions.UsernameExistsException):  # from an earlier `make up`
            cognito.admin_create_user(
                UserPoolId=user_pool_id,
                Username=role,
                MessageAction="SUPPRESS",
                UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
            )
        cognito.admin_set_user_password(UserPoolId=user_pool_id, Username=role, Password=password, Permanent=True)
        cognito.admin_add_user_to_group(UserPoolId=user_pool_id, Username=role, GroupName=role)
        signed_in = cognito.initiate_auth(
            ClientId=client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": role, "PASSWORD": password},
        )
        tokens[role] = signed_in["AuthenticationResult"]["AccessToken"]
    return tokens
