"""The sellers' credentials in Secrets Manager, one secret per integration, and Amazon's API for each of them."""

import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
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

    def offer(self, integration_id: str, credentials: Credentials, *, in_use: str | None) -> str:
        """Stores the credentials beside those that are `in_use` (their version); answers with the new version.

        Raises ChangedMeanwhile while Secrets Manager still removes the credentials of an earlier integration with the
        same ID, and if somebody else stores the first credentials at the same instant.
        """
        version, name, errors = str(UUID(secrets.token_hex(16))), self._secret_name(integration_id), self._errors
        secret: Any = {"SecretString": json.dumps(vars(credentials)), "ClientRequestToken": version}
        try:
            try:
                self._client.put_secret_value(SecretId=name, VersionStages=[_label(version)], **secret)
            except errors.LimitExceededException:
                # Calls that died have used up the labels of the secret.
                self._unlabel(name, *(one for one in self._stages(name) if one != in_use))
                self._client.put_secret_value(SecretId=name, VersionStages=[_label(version)], **secret)
        except errors.ResourceNotFoundException:
            try:
                version = self._client.create_secret(Name=name, **secret)["VersionId"]
            except errors.ResourceExistsException as error:
                raise ChangedMeanwhile from error
        except errors.InvalidRequestException as error:
            raise ChangedMeanwhile from error
        return version

    def make_current(self, integration_id: str, version: str) -> None:
        """Makes this version the secret's current one, for the release before, which reads that.

        The label with which it was offered has done its work then. Raises ChangedMeanwhile if somebody else does so at
        the same instant, or has removed the secret.
        """
        name, errors = self._secret_name(integration_id), self._errors
        try:
            current = next((one for one, labels in self._stages(name).items() if "AWSCURRENT" in labels), None)
            if current != version:
                before = {"RemoveFromVersionId": current} if current else {}
                self._client.update_secret_version_stage(
                    SecretId=name, VersionStage="AWSCURRENT", MoveToVersionId=version, **before
                )
            self._unlabel(name, version)
        except (
            errors.InvalidParameterException,
            errors.InvalidRequestException,
            errors.ResourceNotFoundException,
        ) as error:
            raise ChangedMeanwhile from error

    def withdraw(self, integration_id: str, version: str) -> None:
        """Lets Secrets Manager forget credentials whose change was refused. The secret may be gone already."""
        with suppress(self._errors.ResourceNotFoundException, self._errors.InvalidRequestException):
            self._unlabel(self._secret_name(integration_id), version)

    @property
    def _errors(self) -> Any:
        return self._client.exceptions

    def _stages(self, name: str) -> Mapping[str, Sequence[str]]:
        """The labels of each version of the secret."""
        return self._client.describe_secret(SecretId=name)["VersionIdsToStages"]

    def _unlabel(self, name: str, *versions: str) -> None:
        """Takes the labels off with which versions were offered; the first version of a secret never had one."""
        for version in versions:
            with suppress(self._errors.InvalidParameterException):
                self._client.update_secret_version_stage(
                    SecretId=name, VersionStage=_label(version), RemoveFromVersionId=version
                )

    def forget(self, integration_id: str) -> None:
        """Removes the credentials for good. They may be gone already."""
        with suppress(self._errors.ResourceNotFoundException):
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
