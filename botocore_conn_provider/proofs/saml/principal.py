"""Find whose ticket a sign-in would use, without asking anyone for a new one.

Two processes may share credentials only if they are the same principal, and
`kinit` may put another one into the same cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIENT_KEYTAB = "KRB5_CLIENT_KTNAME"


def find_principal(environ: Mapping[str, str]) -> str:
    """Return the principal of the ticket cache; empty if there is none to see.

    With a client keytab it is the keytab that decides, and to look would already
    ask the KDC for a ticket. Without gssapi the sign-in says what is missing.
    """
    if environ.get(CLIENT_KEYTAB):
        return ""
    try:
        import gssapi  # of the extra [saml]
        from gssapi.raw.misc import GSSError
    except (ImportError, OSError):
        return ""
    try:
        return str(gssapi.Credentials(usage="initiate").name)
    except GSSError:
        return ""
