"""MSK: a token for each connection to a Kafka broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
from botocore.credentials import CredentialProvider, ReadOnlyCredentials
from botocore.exceptions import NoCredentialsError
from kafka.net.sasl.oauth import AbstractTokenProvider

if TYPE_CHECKING:
    import boto3


class OneSet(CredentialProvider):
    """Hands the signer one set at a time: key id, secret key and token together."""

    def __init__(self, session: boto3.Session) -> None:
        super().__init__()
        credentials = session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        self.credentials = credentials

    def load(self) -> ReadOnlyCredentials:
        """Return the current credentials."""
        return self.credentials.get_frozen_credentials()


class MskTokens(AbstractTokenProvider):
    """What KafkaConsumer and KafkaProducer take as `sasl_oauth_token_provider`."""

    def __init__(self, session: boto3.Session) -> None:
        self.region = session.region_name
        self.provider = OneSet(session)

    def token(self) -> str:
        """Return a new token; kafka-python asks for one whenever it connects."""
        token, _ = MSKAuthTokenProvider.generate_auth_token_from_credentials_provider(
            self.region, self.provider
        )
        return str(token)
