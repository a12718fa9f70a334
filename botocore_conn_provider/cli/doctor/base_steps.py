"""The step of the base identity: keys, a profile, or botocore's own chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError

from botocore_conn_provider.cli.doctor.step import Step
from botocore_conn_provider.connection.client_settings import is_unsigned
from botocore_conn_provider.errors import ConnProviderError, CredentialFetchError
from botocore_conn_provider.exchange.base_session import load_base_credentials
from botocore_conn_provider.exchange.refusal import mask
from botocore_conn_provider.exchange.sts import (
    StsExchange,
    TemporaryCredentials,
    create_sts_client,
)
from botocore_conn_provider.redaction import shorten, show_key_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.connection.settings import AssumeRole, AwsSettings
    from botocore_conn_provider.exchange.base_session import UnfittedSession


class BaseSteps:
    """Finds who we are before any role, and assumes the role from there."""

    def __init__(
        self, settings: AwsSettings, base: UnfittedSession, role: AssumeRole | None
    ) -> None:
        self._settings = settings
        self._base = base
        self._role = role

    def list(self) -> Iterator[Step]:
        """Yield the step; calls that are not signed need no identity."""
        if not is_unsigned(self._settings.client.config):
            yield Step("base identity", self._look_at_identity)

    def exchange(self, base: UnfittedSession) -> TemporaryCredentials | None:
        """Assume the role; None without one."""
        if self._role is None:
            return None
        client = create_sts_client(base, self._settings.client, unsigned=False)
        exchange = StsExchange(client, conn_id=self._settings.conn_id)
        return exchange.assume_role(self._role)

    def _look_at_identity(self) -> Iterator[str]:
        try:
            credentials = load_base_credentials(self._base, self._settings)
            frozen = credentials.get_frozen_credentials()
        except ConnProviderError:
            raise
        except BotoCoreError as error:
            raise self._explain(error) from None
        token = ", with a session token" if frozen.token else ""
        yield f"{self._name_source(credentials.method)}: {show_key_id(frozen.access_key or '')}{token}"

    def _name_source(self, method: str) -> str:
        if self._settings.keys is not None:
            return "keys of the connection"
        if self._settings.profile_name is not None:
            return f"profile '{self._settings.profile_name}'"
        return f"botocore's own chain ({method})"

    def _explain(self, error: BotoCoreError) -> CredentialFetchError:
        said = shorten(mask(" ".join(str(error).split()), {}), 400)
        name = self._settings.profile_name
        place = f"the profile '{name}'" if name else "botocore's own chain"
        return CredentialFetchError(
            conn_id=self._settings.conn_id,
            cause=f"{place} gives no credentials: {type(error).__name__}: {said}",
            hint="Mend what it names, or give the connection keys.",
        )
