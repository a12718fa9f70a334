"""The meaning of a connection as typed, checked values without Airflow's names.

The rest of the program sees only these values of a connection. They are named tuples
and not dataclasses because every process start defines them, and defining twenty
dataclasses takes longer than our whole import budget (`docs/decisions.md`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.redaction import show_key_id, show_origin
from botocore_conn_provider.secret import KeyId, Options, Secret
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    MutualAuthentication = Literal["REQUIRED", "OPTIONAL", "DISABLED"]

# The part of a sign-in's deadline that is spent on waiting for another process's.
LOCK_SHARE = 0.8
# Parameters of STS that reading has judged whole.
READ_PARAMETERS = frozenset({"RoleSessionName", "ExternalId"})


class StaticKeys(Value):
    """Keys that are in the connection itself."""

    access_key_id: KeyId
    secret_access_key: Secret
    session_token: Secret | None = None
    account_id: str | None = None

    def __repr__(self) -> str:
        return f"StaticKeys({show_key_id(self.access_key_id)})"


class AssumeRole(Value):
    """AssumeRole, called with the identity that the connection starts from.

    `parameters` are those of the STS call other than RoleArn, as boto3 names them.
    RoleSessionName is always one of them.
    """

    role_arn: str
    parameters: Options = Options()


class SamlSignIn(Value):
    """How to sign in at the IdP and find the SAML response in its page.

    `method` is `spnego` or a plug-in's name. `request` are keyword arguments of
    `requests.Session.request`, `retry` those of `urllib3.Retry`, `auth` those of
    the sign-in method (for SPNEGO `opportunistic_auth`, `target_name`,
    `channel_bindings`). Without `saml_response_xpath` the page's input named
    SAMLResponse is used.
    """

    idp_url: str
    method: str = "spnego"
    saml_response_xpath: str | None = None
    mutual_authentication: MutualAuthentication = "DISABLED"
    request: Options = Options()
    retry: Options = Options()
    auth: Options = Options()
    log_idp_response: bool = False

    def __repr__(self) -> str:
        idp = show_origin(self.idp_url) if self.idp_url else "no IdP"
        return f"SamlSignIn({self.method} at {idp})"


class AssumeRoleWithSaml(Value):
    """AssumeRoleWithSAML. Without `principal_arn` it is taken from the assertion."""

    role_arn: str
    sign_in: SamlSignIn
    principal_arn: str | None = None
    parameters: Options = Options()


class AssumeRoleWithWebIdentity(Value):
    """AssumeRoleWithWebIdentity.

    `token_source` is `google`, `file` or a plug-in's name. `audience` is for
    `google`. `token_file` (`~` not yet expanded) is for `file`; None if neither the
    connection nor `AWS_WEB_IDENTITY_TOKEN_FILE` names one.
    """

    role_arn: str
    token_source: str
    token_file: str | None = None
    audience: str | None = None
    parameters: Options = Options()


Role = AssumeRole | AssumeRoleWithSaml | AssumeRoleWithWebIdentity


class ClientSettings(Value):
    """What every client of the connection gets unless the caller passes its own.

    `config` are options of `botocore.config.Config` without the region, which is in
    `region_name`. `service_endpoints` take precedence over `endpoint_url`; a service
    with None there uses AWS's own endpoint.
    """

    region_name: str | None = None
    config: Options = Options()
    endpoint_url: str | None = None
    service_endpoints: Mapping[str, str | None] = Options()
    verify: bool | str | None = None

    def __repr__(self) -> str:
        endpoint = show_origin(self.endpoint_url) if self.endpoint_url else None
        shown = self._asdict() | {"endpoint_url": endpoint}
        return f"ClientSettings({', '.join(f'{k}={v!r}' for k, v in shown.items())})"

    def find_endpoint(self, service_name: str) -> str | None:
        """Return the endpoint URL for `service_name`, None for AWS's own."""
        url = self.service_endpoints.get(service_name, self.endpoint_url)
        return None if url is None else str(url)


class OwnSettings(Value):
    """Our own settings, which Airflow ignores. Durations are seconds.

    docs/connection.md lists them, and a test compares the two. None for a window means
    that it follows from the lifetime of the credentials, and None for the lock that it
    follows from the deadline (`lock_seconds`).
    """

    strict: bool = False
    store: str | None = None
    store_lock_seconds: float | None = None
    sign_in_deadline_seconds: float = 30.0
    advisory_seconds: float | None = None
    mandatory_seconds: float | None = None
    static_stability_seconds: float = 0.0
    plugins: bool = True
    presigned_urls: str = "warn"
    start_spread_seconds: float = 0.0

    @property
    def lock_seconds(self) -> float:
        """How long to wait for another process's renewal before renewing alone.

        It follows the deadline of a sign-in, so that a slow sign-in is still one for
        the machine. The rest of the deadline is for a sign-in of one's own, if the
        other process has the lock and does not get on.
        """
        if self.store_lock_seconds is not None:
            return self.store_lock_seconds
        return LOCK_SHARE * self.sign_in_deadline_seconds


class AwsSettings(Value):
    """Everything that a connection means.

    Without `keys` and without `profile_name` the identity is that of botocore's
    own chain. `notices` are sentences for the log: deprecated and unknown fields.
    """

    conn_id: str
    keys: StaticKeys | None = None
    profile_name: str | None = None
    role: Role | None = None
    client: ClientSettings = ClientSettings()
    own: OwnSettings = OwnSettings()
    notices: tuple[str, ...] = ()

    @property
    def starts_from_chain(self) -> bool:
        """Whether the identity is, or starts from, that of botocore's own chain."""
        if self.keys is not None or self.profile_name is not None:
            return False
        return self.role is None or isinstance(self.role, AssumeRole)

    @property
    def names_identity(self) -> bool:
        """Whether the identity is another than what botocore's own chain finds."""
        return self.role is not None or not self.starts_from_chain

    @property
    def needs_checks(self) -> bool:
        """Whether something is left that only this machine's botocore or files can judge.

        See `exchange.checks`, which most connections need not load.
        """
        by_files = self.profile_name is not None or isinstance(self.client.verify, str)
        return by_files or len(self.client.config) > 0 or self.needs_sts_model

    @property
    def needs_sts_model(self) -> bool:
        """Whether there are parameters of STS that reading has not judged.

        Loading STS's model takes milliseconds, which a start from the store can save.
        """
        role = self.role
        if role is None or isinstance(role, AssumeRoleWithSaml):
            return role is not None
        return not READ_PARAMETERS.issuperset(role.parameters)
