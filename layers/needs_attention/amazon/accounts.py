"""The sellers' credentials in Secrets Manager, one secret per integration, and Amazon's API for each of them."""

import json
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

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
    """Reads and writes credentials; gives Amazon's API for an integration.

    Two calls may bring credentials at the same instant, and either may be refused. So each brings a version of its own:
    `offer` stores it, whoever writes the integration names it there, and then it is made the current one, or withdrawn.
    """

    def __init__(self, client: "SecretsManagerClient", access: AmazonAccess) -> None:
        self._client = client
        self._access = access
        self._apis: dict[str, tuple[datetime, str | None, SellingPartnerApi]] = {}

    def offer(self, integration_id: str, credentials: Credentials) -> str:
        """Stores the credentials beside those that are used now; answers with their version.

        Raises ChangedMeanwhile while Secrets Manager still removes the credentials of an earlier integration with the
        same ID, and if somebody else stores the first credentials at the same instant.
        """
        version, name = str(UUID(secrets.token_hex(16))), self._secret_name(integration_id)
        secret: Any = {"SecretString": json.dumps(vars(credentials)), "ClientRequestToken": version}
        try:
            self._client.put_secret_value(SecretId=name, VersionStages=[_label(version)], **secret)
        except self._client.exceptions.ResourceNotFoundException:
            try:
                self._client.create_secret(Name=name, **secret)
            except self._client.exceptions.ResourceExistsException as error:
                raise ChangedMeanwhile from error
        except self._client.exceptions.InvalidRequestException as error:
            raise ChangedMeanwhile from error
        return version

    def make_current(self, integration_id: str, version: str) -> None:
        """Makes this version the secret's current one, and takes the labels off all others.

        The release before reads the current version, and Secrets Manager forgets old versions without a label. Raises
        ChangedMeanwhile if somebody else does so at the same instant, or has removed the secret.
        """
        name, errors = self._secret_name(integration_id), self._client.exceptions
        try:
            stages = self._client.describe_secret(SecretId=name)["VersionIdsToStages"]
            current = next(one for one, labels in stages.items() if "AWSCURRENT" in labels)
            if current != version:
                self._client.update_secret_version_stage(
                    SecretId=name, VersionStage="AWSCURRENT", MoveToVersionId=version, RemoveFromVersionId=current
                )
            for one in (one for one, labels in stages.items() if _label(one) in labels):
                self._unlabel(name, one)
        except (errors.InvalidParameterException, errors.ResourceNotFoundException) as error:
            raise ChangedMeanwhile from error

    def withdraw(self, integration_id: str, version: str) -> None:
        """Lets Secrets Manager forget credentials whose change was refused."""
        try:
            self._unlabel(self._secret_name(integration_id), version)
        except self._client.exceptions.ResourceNotFoundException:
            return  # the integration was removed meanwhile

    def _unlabel(self, name: str, version: str) -> None:
        try:
            self._client.update_secret_version_stage(
                SecretId=name, VersionStage=_label(version), RemoveFromVersionId=version
            )
        except self._client.exceptions.InvalidParameterException:
            return  # it has none: the first version of a secret has only AWSCURRENT

    def forget(self, integration_id: str) -> None:
        """Removes the credentials for good. They may be gone already."""
        self._client.delete_secret(SecretId=self._secret_name(integration_id), ForceDeleteWithoutRecovery=True)

    def api_for(self, integration: Integration, now: datetime) -> SellingPartnerApi:
        """Amazon's API in the integration's region, or at the endpoint that the environment names instead.

        Raises CredentialsUnreadable.
        """
        known = self._apis.get(integration.integration_id)
        if known and now - known[0] < KEPT_FOR and known[1] == integration.credentials_version:
            return known[2]
        api = SellingPartnerApi(
            self._credentials(integration),
            endpoint=self._access.sp_api_endpoint or REGION_ENDPOINTS[integration.region],
            lwa_endpoint=self._access.lwa_endpoint or LWA_ENDPOINT,
        )
        self._apis[integration.integration_id] = (now, integration.credentials_version, api)
        return api

    def _credentials(self, integration: Integration) -> Credentials:
        version = {"VersionId": integration.credentials_version} if integration.credentials_version else {}
        try:
            answer = self._client.get_secret_value(SecretId=self._secret_name(integration.integration_id), **version)
            return Credentials(**json.loads(answer["SecretString"]))
        except ClientError as error:
            raise CredentialsUnreadable(f"Secrets Manager answers {error.response['Error']['Code']}.") from error
        except BotoCoreError as error:
            raise CredentialsUnreadable(f"Secrets Manager is not reached ({type(error).__name__}).") from error
        except (KeyError, TypeError, ValueError):
            raise CredentialsUnreadable("What Secrets Manager holds are no credentials.") from None

    def _secret_name(self, integration_id: str) -> str:
        return f"{self._access.secret_prefix}{integration_id}"


def _label(version: str) -> str:
    """A version without any label may be forgotten at any time. A secret has 20 labels at most."""
    return f"offered-{version}"
