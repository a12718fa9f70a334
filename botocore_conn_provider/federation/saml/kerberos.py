"""Explain why Kerberos gives no ticket.

To an HTTP library all of these look like "401". The Kerberos library knows
better, but its codes are rewritten on the way through SPNEGO, so its words are
what can be told apart. They are its own in every release since 1.12, and are
always shown as they are: an unknown one still helps.

Source: MIT Kerberos, error tables krb5_err.et, k5e1_err.et, kv5m_err.et.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from botocore_conn_provider.connection.environment import current_environment
from botocore_conn_provider.errors import IdpRequestError
from botocore_conn_provider.federation.saml.explanation import Explanation
from botocore_conn_provider.file_content import read_content
from botocore_conn_provider.redaction import show_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    import gssapi
    from gssapi.raw.misc import GSSError

    from botocore_conn_provider.plugins import SignInRequest

CLIENT_KEYTAB = "KRB5_CLIENT_KTNAME"
# What decides who signs in. Source: MIT Kerberos, environment variables.
VARIABLES = (
    "KRB5CCNAME",
    CLIENT_KEYTAB,
    "KRB5_CONFIG",
    "KRB5_KDC_PROFILE",
    "GSS_USE_PROXY",
    "GSS_MECH_CONFIG",
)
# Source: MIT Kerberos, "Credential store extensions".
STORE = {b"ccache": "KRB5CCNAME", b"client_keytab": CLIENT_KEYTAB}
LONGEST_WORDS = 300
_MINOR = re.compile(r"Minor \(\d+\): (.*)", re.DOTALL)
_NO_TICKET = re.compile(r"available \(default|No credentials cache")
_UNKNOWN_SERVER = re.compile(r"Server (\S+) not found")


class Service(NamedTuple):
    """The service that a ticket was asked for, by whom, with which client keytab."""

    name: str
    host: str
    principal: str | None = None
    keytab: str | None = None

    @property
    def spn(self) -> str:
        """Return the name as Kerberos writes it."""
        service, _, host = self.name.partition("@")
        return f"{service}/{host or self.host}"

    @property
    def who(self) -> str:
        """Return the words for who asked."""
        return f"principal {self.principal}" if self.principal else "the ticket"


class _Rule(NamedTuple):
    words: str
    cause: str
    hint: str
    retryable: bool = False


# The first rule whose words occur decides. {who}, {spn} and {cache} are filled in.
RULES = (
    _Rule(
        "expired",
        "the Kerberos ticket has expired ({who}, for {spn})",
        "Get a new one with kinit, or use a client keytab (KRB5_CLIENT_KTNAME).",
    ),
    _Rule(
        "credentials cache format|Bad format in cred|Malformed credential",
        "the Kerberos ticket cache is broken",
        "Remove it with kdestroy and get a new ticket with kinit.",
    ),
    _Rule(
        "ermission denied|permissions incorrect",
        "the Kerberos ticket cache or keytab may not be read",
        "Check the owner and mode of the file.",
    ),
    _Rule(
        "Decrypt integrity|reauthentication failed|Password incorrect",
        "the KDC does not accept the key in the client keytab",
        "Have a new keytab made; the password has changed since ({keytab}).",
    ),
    _Rule(
        "Client '?.*not found|no suitable keys|Key table|Keytab",
        "the client keytab fits no principal of the KDC",
        "Compare `klist -k` of {keytab} with the realm's principals.",
    ),
    _Rule(
        "revoked",
        "the account of the principal is locked or disabled",
        "Ask the realm's administrator.",
    ),
    _Rule(
        "Cannot contact|Cannot find KDC|annot resolve|temporarily unavailable",
        "no KDC can be reached ({who}, for {spn})",
        "Check krb5.conf, the network and the VPN.",
        retryable=True,
    ),
    _Rule(
        "skew|not yet valid",
        "the clocks of this machine and the realm differ too much",
        "Set the clock of this machine (NTP).",
    ),
    _Rule(
        "onfiguration file|profile",
        "the Kerberos configuration cannot be read",
        "Check krb5.conf and KRB5_CONFIG.",
    ),
    _Rule(
        "encryption type|no support",
        "the KDC and this machine share no encryption type for {spn}",
        "Compare permitted_enctypes in krb5.conf with the keys of the service.",
    ),
    _Rule(
        "No Kerberos credentials|No credentials|not found|does not exist",
        "there is no Kerberos ticket",
        "Get one with kinit, or use a client keytab (KRB5_CLIENT_KTNAME).",
    ),
)


def read_words(error: GSSError) -> str:
    """Return what the Kerberos library said, masked, without the words around it."""
    text = error.gen_message()
    match = _MINOR.search(text)
    words = match.group(1) if match else text
    said = text if words in ("Success", "Unknown error") else words
    return show_words(said, LONGEST_WORDS)


def explain_kerberos(error: GSSError, service: Service) -> Explanation:
    """Say what is wrong, for whom, asking for what, and the next step."""
    words = read_words(error)
    unknown = _UNKNOWN_SERVER.search(words)
    if unknown:
        return _explain_service(unknown.group(1), service, words)
    if service.keytab and _NO_TICKET.search(words):
        return _explain_no_ticket(service.keytab, words)
    for rule in RULES:
        if re.search(rule.words, words):
            cause, hint = _fill(rule.cause, service), _fill(rule.hint, service)
            return _say(cause, words, hint, retryable=rule.retryable)
    cause = f"no ticket for {service.spn} could be had ({service.who})"
    return _say(cause, words, "Look with klist and KRB5_TRACE=/dev/stderr.")


def _say(cause: str, words: str, hint: str, *, retryable: bool = False) -> Explanation:
    return Explanation(f"Kerberos: {cause}: {words}.", hint, retryable)


def _fill(text: str, service: Service) -> str:
    keytab = service.keytab or "the default client keytab"
    return text.format(who=service.who, spn=service.spn, keytab=keytab)


def _explain_no_ticket(keytab: str, words: str) -> Explanation:
    """Tell a keytab that is named and cannot be used from no ticket at all."""
    path = keytab.partition(":")[2] if ":" in keytab else keytab
    if Path(path).exists():
        cause = "there is no ticket, and the client keytab yields none"
        return _say(cause, words, f"Look into it with `klist -k {path}`.")
    cause = "there is no ticket, and the client keytab is not there"
    hint = f"Get a ticket with kinit, or put the keytab at {path}."
    return _say(cause, words, hint)


def _explain_service(found: str, service: Service, words: str) -> Explanation:
    cause = f"the KDC does not know the service {service.spn} ({service.who})"
    host = found.partition("@")[0].partition("/")[2]
    if _is_address(service.host):
        hint = "'idp_url' names the IdP by address: use its host name."
    elif host != service.spn.partition("/")[2] and not found.startswith("krbtgt/"):
        hint = (
            f"The name was changed to {host} on the way: set rdns = false and"
            " dns_canonicalize_hostname = false in krb5.conf, or set"
            " 'idp_auth_kwargs.target_name'."
        )
    else:
        hint = (
            "Check the host of 'idp_url', [domain_realm] in krb5.conf, or set"
            " 'idp_auth_kwargs.target_name' (HTTP@name) for a load balancer."
        )
    return _say(cause, words, hint)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def identify(request: SignInRequest) -> dict[str, str]:
    """Describe whose ticket a sign-in uses, without asking for a new one.

    With a client keytab it is the keytab that decides, and to look at the cache would
    already ask the KDC for a ticket. Without gssapi the sign-in says what is missing.
    """
    environ = request.environ
    told = {name: environ.get(name, "") for name in VARIABLES}
    keytab = environ.get(CLIENT_KEYTAB)
    if keytab:
        told["keytab"] = read_content(keytab.partition(":")[2] or keytab)
        return told
    try:
        from gssapi.raw.misc import GSSError  # of the extra [saml]

        told["principal"] = str(acquire(environ, conn_id=request.conn_id).name)
    except (ImportError, OSError):
        told["principal"] = ""
    except GSSError:
        told["principal"] = ""
    return told


def acquire(environ: Mapping[str, str], *, conn_id: str) -> gssapi.Credentials:
    """Return the credentials of the cache or client keytab that `environ` names.

    The Kerberos library reads the live environment of the process. So the two names
    that it can be handed are handed to it, and if another variable of its own has
    changed since the session was created, nothing is asked.

    Raises:
        GSSError: There are none to be had.
        IdpRequestError: The Kerberos variables of the process have changed.
    """
    import gssapi

    store: dict[bytes | str, bytes | str] = {
        key: environ[name].encode() for key, name in STORE.items() if environ.get(name)
    }
    _require_unchanged(environ, conn_id)
    credentials = gssapi.Credentials(usage="initiate", store=store or None)
    _require_unchanged(environ, conn_id)
    return credentials


def _require_unchanged(environ: Mapping[str, str], conn_id: str) -> None:
    live = current_environment()
    for name in VARIABLES:
        is_handed_over = name in STORE.values() and environ.get(name)
        if not is_handed_over and live.get(name) != environ.get(name):
            raise IdpRequestError(
                conn_id=conn_id,
                cause=f"the environment variable {name} has changed since this session"
                " was created, and the Kerberos library reads the new value.",
                hint="Set it before the session is created, or create another session.",
            )
