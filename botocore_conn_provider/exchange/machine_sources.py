"""The machine's identity: a container's endpoint, or the instance metadata service.

botocore's providers tell a source that is down in words of their own, without its
address, or not at all: then the chain seems to have no identity. These are botocore's,
with errors of ours that name the endpoint and tell an outage from a refusal.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from botocore import credentials as kinds
from botocore.exceptions import BotoCoreError
from botocore.utils import InstanceMetadataFetcher, resolve_imds_endpoint_mode

from botocore_conn_provider.errors import CredentialFetchError
from botocore_conn_provider.redaction import show_error, show_origin

if TYPE_CHECKING:
    import botocore.session

# Source: botocore.utils, ContainerMetadataFetcher and InstanceMetadataFetcher.
CONTAINER_HOST, INSTANCE_HOST = "http://169.254.170.2", "http://169.254.169.254"
INSTANCE_METHOD = "iam-role"
ADVISORY_REFRESH_SECONDS = 15 * 60  # botocore's own for instance metadata
ANSWERED_4XX = re.compile(r"non 200 response 4\d\d")


class NamedContainerProvider(kinds.ContainerProvider):
    """botocore's provider of a container's credentials, with errors of ours."""

    def __init__(self, environ: dict[str, str], *, conn_id: str) -> None:
        super().__init__(environ=environ)
        self._conn_id = conn_id
        self._origin = show_origin(environ.get(self.ENV_VAR_FULL) or CONTAINER_HOST)

    def load(self) -> Any:
        """Return the credentials; None where no variable names an endpoint.

        Raises:
            CredentialFetchError: It is down, refuses, or answers something else.
        """
        try:
            return super().load()
        except KeyError:
            raise self._explain("its answer has no keys", may_pass=False) from None
        except (BotoCoreError, OSError, ValueError, TypeError) as error:
            may_pass = isinstance(error, BotoCoreError) and not ANSWERED_4XX.search(
                str(error)
            )
            raise self._explain(show_error(error), may_pass=may_pass) from None

    def _explain(self, seen: str, *, may_pass: bool) -> CredentialFetchError:
        return CredentialFetchError(
            conn_id=self._conn_id,
            cause=f"the container credentials endpoint at {self._origin} gives no"
            f" credentials: {seen}",
            hint=f"Check {self.ENV_VAR} and {self.ENV_VAR_FULL}, and the agent of the"
            " container.",
            retryable=may_pass,
        )


class NamedInstanceProvider(kinds.InstanceMetadataProvider):
    """botocore's provider of an instance's credentials, with an error of ours.

    Args:
        fetcher: botocore's.
        session: Whose chain it is for.
        conn_id: For the error.
    """

    def __init__(
        self,
        fetcher: InstanceMetadataFetcher,
        *,
        session: botocore.session.Session,
        conn_id: str,
    ) -> None:
        super().__init__(iam_role_fetcher=fetcher)
        self._session = session
        self._conn_id = conn_id

    def load(self) -> Any:
        """Return the credentials, which this machine is said to have.

        Raises:
            CredentialFetchError: The service gives none.
        """
        found = super().load()
        if found is None:
            raise explain_silent_instance(self._session, conn_id=self._conn_id)
        return found


def explain_silent_instance(
    session: botocore.session.Session, *, conn_id: str
) -> CredentialFetchError:
    """Return the error for a metadata service that gives no credentials."""
    named = session.get_config_variable("ec2_metadata_service_endpoint")
    return CredentialFetchError(
        conn_id=conn_id,
        cause="the instance metadata service at"
        f" {show_origin(named or INSTANCE_HOST)} gives no credentials.",
        hint="Check that the instance has a role, that the service is on and can be"
        " reached (hop limit), and AWS_EC2_METADATA_SERVICE_ENDPOINT.",
        retryable=True,
    )


def create_metadata_fetcher(
    session: botocore.session.Session, environ: dict[str, str]
) -> InstanceMetadataFetcher:
    """Return botocore's fetcher, which reads these variables."""
    ask = session.get_config_variable
    return InstanceMetadataFetcher(
        timeout=ask("metadata_service_timeout"),
        num_attempts=ask("metadata_service_num_attempts"),
        env=environ,
        user_agent=session.user_agent(),
        config={
            "ec2_metadata_service_endpoint": ask("ec2_metadata_service_endpoint"),
            "ec2_metadata_service_endpoint_mode": resolve_imds_endpoint_mode(session),
            "ec2_credential_refresh_window": ADVISORY_REFRESH_SECONDS,
            "ec2_metadata_v1_disabled": ask("ec2_metadata_v1_disabled"),
        },
    )
