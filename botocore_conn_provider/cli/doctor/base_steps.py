"""The step of the base identity: keys, a profile, or botocore's own chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.cli.doctor.step import Step
from botocore_conn_provider.connection.client_settings import is_unsigned
from botocore_conn_provider.redaction import show_key_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.exchange.base_identity import BaseIdentity


class BaseSteps:
    """Finds who we are before any role, by what a program finds it by."""

    def __init__(
        self, settings: AwsSettings, find_identity: Callable[[], BaseIdentity]
    ) -> None:
        self._settings = settings
        self._find_identity = find_identity
        self._found: BaseIdentity | None = None

    def list(self) -> Iterator[Step]:
        """Yield the step; calls that are not signed need no identity."""
        if not is_unsigned(self._settings.client.config):
            yield Step("base identity", self._look_at_identity)

    def take_proof(self) -> BaseIdentity | None:
        """Return the identity, once the step was good; None where none is needed."""
        return self._found

    def _look_at_identity(self) -> Iterator[str]:
        found = self._found = self._find_identity()
        token = ", with a session token" if found.session_token else ""
        yield f"{self._name_source(found.method)}: {show_key_id(found.access_key_id)}{token}"

    def _name_source(self, method: str) -> str:
        if self._settings.keys is not None:
            return "keys of the connection"
        if self._settings.profile_name is not None:
            return f"profile '{self._settings.profile_name}'"
        return f"botocore's own chain ({method})"
