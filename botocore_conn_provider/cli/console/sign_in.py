"""From a connection to the address that signs a browser in."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from botocore_conn_provider.cli.console.federation import Federation
from botocore_conn_provider.cli.console.partition import find_console
from botocore_conn_provider.cli.credential_process import write_time
from botocore_conn_provider.cli.plain_http import open_http
from botocore_conn_provider.cli.process_credentials import issue_for, read_connection
from botocore_conn_provider.connection.settings import AssumeRole
from botocore_conn_provider.errors import ConnProviderError
from botocore_conn_provider.exchange.base_identity import load_base_identity
from botocore_conn_provider.exchange.checks import prepare_base
from botocore_conn_provider.secret import Secret
from botocore_conn_provider.tracebacks import scrubbed
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from botocore_conn_provider.cli.console.partition import Console
    from botocore_conn_provider.cli.process_credentials import IssuedKeys
    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.exchange.unfitted_session import UnfittedSession

ISSUER = "botocore-conn"


class SignInOptions(Value):
    """What the user asked for: where to begin, and for how many seconds."""

    service: str | None = None
    seconds: int | None = None


class SignInLink(Value):
    """An address, and a sentence about when its session ends."""

    conn_id: str
    address: Secret
    end: str


@scrubbed
def create_sign_in(
    conn_id: str | None, options: SignInOptions, *, deadline_seconds: float
) -> SignInLink:
    """Return an address that signs in with the connection's credentials.

    Blocks for the exchange and for the federation endpoint.

    Raises:
        InvalidConnectionError: The connection is wrong, or tells no console.
        ConnProviderError: Its keys are no temporary ones, or the exchange failed.
    """
    connection = read_connection(conn_id)
    settings, view, variable = connection
    static = settings.keys
    if settings.role is None and static is not None and not static.session_token:
        raise _refuse_static(settings)
    base = prepare_base(settings, view, variable=variable)
    console = find_console(connection, base)
    refusal = None if options.seconds is None else _find_refusal(settings, base)
    seconds = None if refusal else options.seconds
    keys = issue_for(connection, deadline_seconds=deadline_seconds)
    if not keys.session_token:
        raise _refuse_static(settings)
    url = console.federation_url
    with open_http(settings.client, base, url) as http:
        federation = Federation(url, http, conn_id=settings.conn_id)
        token = federation.fetch_token(keys, seconds)
    address = write_address(console, token, options.service)
    end = f"--duration is left out: {refusal}. " if refusal else ""
    return SignInLink(settings.conn_id, address, end + tell_end(keys, seconds))


def write_address(console: Console, token: Secret, service: str | None) -> Secret:
    """Return the address with the sign-in token in it."""
    fields = {
        "Action": "login",
        "Issuer": ISSUER,
        "Destination": console.find_page(service),
        "SigninToken": token.reveal(),
    }
    return Secret(f"{console.federation_url}?{urlencode(fields)}")


def tell_end(keys: IssuedKeys, seconds: int | None) -> str:
    """Return the sentence about when the console session ends."""
    if seconds is not None:
        return f"The console session lasts {seconds // 60} min from sign-in."
    end = f", at {write_time(keys.expires_at)}" if keys.expires_at else ""
    return f"The console session ends with its credentials{end}."


def _refuse_static(settings: AwsSettings) -> ConnProviderError:
    return ConnProviderError(
        conn_id=settings.conn_id,
        cause="its keys have no session token: they are those of an IAM user, and"
        " the console is reached with temporary credentials only.",
        hint="Give the connection a 'role_arn' that these keys may assume.",
    )


def _find_refusal(settings: AwsSettings, base: UnfittedSession) -> str | None:
    """Return why AWS would refuse a duration for these credentials; None if not.

    It takes one for a role's session, unless a session assumed the role; and where we
    did not assume it, nothing tells what the credentials are of.
    """
    if settings.role is None:
        return "AWS takes one for a role only, and the connection has none"
    if not isinstance(settings.role, AssumeRole):
        return None
    if load_base_identity(base, settings).session_token:
        return "AWS takes none for a role that another session assumed"
    return None
