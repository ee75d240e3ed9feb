"""The sellers' credentials in Secrets Manager, one secret per integration, and Amazon's API for each of them."""

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from needs_attention.amazon.client import REGION_ENDPOINTS, SellingPartnerApi
from needs_attention.amazon.errors import SpApiError
from needs_attention.amazon.tokens import LWA_ENDPOINT, Credentials
from needs_attention.aws import ChangedMeanwhile
from needs_attention.environment import AmazonAccess
from needs_attention.integrations.integration import Integration

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

# A client is kept for its access token, which lives an hour, but not for longer than new credentials may wait.
KEPT_FOR = timedelta(minutes=5)


class CredentialsUnreadable(SpApiError):
    """Secrets Manager does not give an integration's credentials, or has none for it. Amazon was not asked."""


class AmazonAccounts:
    """Reads and writes credentials; gives Amazon's API for an integration."""

    def __init__(self, client: "SecretsManagerClient", access: AmazonAccess) -> None:
        self._client = client
        self._access = access
        self._apis: dict[str, tuple[datetime, SellingPartnerApi]] = {}

    def save(self, integration_id: str, credentials: Credentials) -> None:
        """Stores the credentials, in place of any that are there.

        Raises ChangedMeanwhile while Secrets Manager still removes the credentials of an earlier integration with the
        same ID, and if somebody else stores the first credentials at the same instant.
        """
        secret = json.dumps(vars(credentials))
        name = self._secret_name(integration_id)
        try:
            self._client.put_secret_value(SecretId=name, SecretString=secret)
        except self._client.exceptions.ResourceNotFoundException:
            try:
                self._client.create_secret(Name=name, SecretString=secret)
            except self._client.exceptions.ResourceExistsException as error:
                raise ChangedMeanwhile from error
        except self._client.exceptions.InvalidRequestException as error:
            raise ChangedMeanwhile from error

    def forget(self, integration_id: str) -> None:
        """Removes the credentials for good. They may be gone already."""
        self._client.delete_secret(SecretId=self._secret_name(integration_id), ForceDeleteWithoutRecovery=True)

    def api_for(self, integration: Integration, now: datetime) -> SellingPartnerApi:
        """Amazon's API in the integration's region, or at the endpoint that the environment names instead.

        Raises CredentialsUnreadable.
        """
        known = self._apis.get(integration.integration_id)
        if known and now - known[0] < KEPT_FOR:
            return known[1]
        api = SellingPartnerApi(
            self._credentials(integration.integration_id),
            endpoint=self._access.sp_api_endpoint or REGION_ENDPOINTS[integration.region],
            lwa_endpoint=self._access.lwa_endpoint or LWA_ENDPOINT,
        )
        self._apis[integration.integration_id] = (now, api)
        return api

    def _credentials(self, integration_id: str) -> Credentials:
        try:
            answer = self._client.get_secret_value(SecretId=self._secret_name(integration_id))
            return Credentials(**json.loads(answer["SecretString"]))
        except ClientError as error:
            raise CredentialsUnreadable(f"Secrets Manager answers {error.response['Error']['Code']}.") from error
        except BotoCoreError as error:
            raise CredentialsUnreadable(f"Secrets Manager is not reached ({type(error).__name__}).") from error
        except (KeyError, TypeError, ValueError):
            raise CredentialsUnreadable("What Secrets Manager holds are no credentials.") from None

    def _secret_name(self, integration_id: str) -> str:
        return f"{self._access.secret_prefix}{integration_id}"
