"""The identity that an exchange starts from: keys, a profile, or botocore's own chain.

What fails on the way to it is an error of ours, which names the source: the profile,
the role of the hop that was refused, the endpoint of the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.connection.environment import PATH_VARIABLES
from botocore_conn_provider.errors import (
    ConnProviderError,
    CredentialFetchError,
    InvalidConnectionError,
    Problem,
)
from botocore_conn_provider.exchange.session_view import FILES
from botocore_conn_provider.secret import KeyId, Secret
from botocore_conn_provider.tracebacks import scrubbed
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    import datetime

    import botocore.credentials

    from botocore_conn_provider.connection.environment import Snapshot
    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.exchange.unfitted_session import UnfittedSession

# A program's answer may depend on every variable that it is started with.
READS_ANY_VARIABLE = ("custom-process",)
# Their source is told whole by the keys, the profile and the two files.
READS_NAMED_FILES = ("env", "shared-credentials-file", "config-file")


class BaseIdentity(Value):
    """The keys that an exchange starts from, fixed for that exchange.

    `method` is the name that botocore gives to where they were found. `expires_at`
    (aware, UTC) is None for keys that do not expire. `session` is the base session
    that found them and that the exchange is made on.
    """

    access_key_id: KeyId
    secret_access_key: Secret
    session_token: Secret | None
    method: str
    account_id: str | None = None
    expires_at: datetime.datetime | None = None
    session: UnfittedSession | None = None

    def __repr__(self) -> str:
        return f"BaseIdentity({self.method})"

    def describe(self, snapshot: Snapshot) -> dict[str, str]:
        """Describe it by content, and where the next one will come from.

        The content decides who shares now. The source decides who goes on sharing when
        the keys are rotated; together with `SessionView.describe` it is told whole.
        Holds secrets: never show it.
        """
        token = self.session_token
        told = {
            "access key id": self.access_key_id,
            "secret access key": self.secret_access_key.reveal(),
            "session token": token.reveal() if token is not None else "",
            "method": self.method,
        }
        if self.session is not None:
            for name in ("profile", *FILES):
                told[name] = str(self.session.get_config_variable(name))
        # Of the rest of the chain, what such a source reads besides.
        if self.method not in READS_NAMED_FILES:
            settled = snapshot.settle()
            told |= {"directory": snapshot.directory, "home": settled["HOME"]}
            told |= {name: settled.get(name, "") for name in PATH_VARIABLES}
        if self.method in READS_ANY_VARIABLE:
            # Imported here: most base identities come from no program.
            from botocore_conn_provider.exchange.asking import ASKING_VARIABLE

            told |= {f"${name}": value for name, value in snapshot.environ.items()}
            told.pop(f"${ASKING_VARIABLE}", None)
        return told


@scrubbed
def load_base_identity(session: UnfittedSession, settings: AwsSettings) -> BaseIdentity:
    """Return the keys of `session` as they are now; may ask the network.

    Raises:
        InvalidConnectionError: There are none: the profile holds none, or
            botocore's chain found none.
        CredentialFetchError: Their source failed.
    """
    keys = settings.keys
    if keys is None:
        return _load_from_chain(session, settings)
    return BaseIdentity(
        keys.access_key_id,
        keys.secret_access_key,
        keys.session_token,
        method="conn-static",
        account_id=keys.account_id,
        session=session,
    )


def _load_from_chain(session: UnfittedSession, settings: AwsSettings) -> BaseIdentity:
    """Return the keys of a profile, or those that botocore's own chain finds."""
    # Imported here: connections without a role do not load it.
    from botocore.exceptions import BotoCoreError, ClientError

    from botocore_conn_provider.quiet import quiet_exchange

    try:
        # A profile's own role is assumed here: botocore logs the answer at DEBUG.
        with quiet_exchange():
            credentials = load_base_credentials(session, settings)
            frozen = credentials.get_frozen_credentials()
    except ConnProviderError:
        raise
    # The others: a program that cannot be started, or whose answer is no JSON, has
    # other kinds of values than botocore expects, or expired keys.
    except (
        BotoCoreError,
        ClientError,
        OSError,
        ValueError,
        TypeError,
        AttributeError,
        RuntimeError,
    ) as error:
        raise _explain_no_identity(error, settings, session) from None
    if not frozen.access_key or not frozen.secret_key:
        raise no_base_credentials(settings)
    return BaseIdentity(
        KeyId(frozen.access_key),
        Secret(frozen.secret_key),
        Secret(frozen.token) if frozen.token else None,
        method=credentials.method,
        # The oldest botocore has no account_id here.
        account_id=getattr(frozen, "account_id", None),
        # botocore has no public name for it; keys that do not expire lack it.
        expires_at=getattr(credentials, "_expiry_time", None),
        session=session,
    )


def _explain_no_identity(
    error: Exception, settings: AwsSettings, session: UnfittedSession
) -> CredentialFetchError:
    # Imported here: only a failure needs the explanation.
    from botocore_conn_provider.exchange.hops import explain_hop
    from botocore_conn_provider.exchange.refusal import may_pass
    from botocore_conn_provider.redaction import show_error

    hop = None if session.hops is None else session.hops.refused
    if hop is not None:
        return explain_hop(error, hop, settings)
    name = settings.profile_name
    place = f"the profile '{name}'" if name else "botocore's own chain"
    return CredentialFetchError(
        conn_id=settings.conn_id,
        cause=f"{place} gives no credentials: {show_error(error)}",
        hint="Fix what it names, or give the connection keys.",
        retryable=may_pass(error),
    )


@scrubbed
def load_base_credentials(
    bare: UnfittedSession, settings: AwsSettings
) -> botocore.credentials.Credentials:
    """Return the base credentials of `bare`; may ask the network, as botocore does.

    Raises:
        InvalidConnectionError: There are none: the profile holds none, or
            botocore's chain found none.
    """
    credentials = bare.get_credentials()
    if credentials is None:
        raise no_base_credentials(settings)
    return credentials


def no_base_credentials(settings: AwsSettings) -> InvalidConnectionError:
    """Return the error for a base identity that is not to be found."""
    if settings.profile_name is not None:
        problem = Problem(
            "profile_name",
            "names a profile without credentials",
            "Add them to the profile, or keys to the connection.",
        )
    else:
        problem = Problem(
            "role_arn",
            "has no identity to start from: the connection names no keys and no"
            " profile, and botocore's own chain found none",
            "Add keys or 'profile_name', or give the machine an identity.",
        )
    return InvalidConnectionError(conn_id=settings.conn_id, problems=[problem])
