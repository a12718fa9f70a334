"""A profile that signs in by `aws login`, and a botocore that cannot do it here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore_conn_provider.cli.neighbours.neighbour import LOGIN, Neighbour
from botocore_conn_provider.redaction import shorten
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore_conn_provider.connection.environment import Environ
    from botocore_conn_provider.exchange.profile_flow import Profiles

FIELD = "login_session"
# botocore takes one of these before it looks at the session of a login.
BEFORE_IT = ("role_arn", "web_identity_token_file", "sso_account_id", "sso_role_name")
KEY_FIELD = "aws_access_key_id"
DISABLES_CRT = "BOTO_DISABLE_CRT"
# The one leaves botocore as it is, which other packages pin.
INSTALL_CRT = "Run: pip install 'botocore[crt]'"
UPDATE = "Run: pip install --upgrade boto3 'botocore[crt]'"


class LoginSupport(Value):
    """What the installed botocore can do. `crt_version` is that of awscrt, if any."""

    botocore_version: str
    is_known: bool
    is_usable: bool
    crt_version: str | None = None

    @classmethod
    def look(cls, crt_version: str | None) -> LoginSupport:
        """Look at botocore, which has tried to import awscrt itself."""
        import botocore
        from botocore import credentials

        # None stands for an awscrt that is missing, too old or switched off; a botocore
        # without the name has another way to make the keys of a login.
        is_usable = getattr(credentials, "EC", credentials) is not None
        is_known = hasattr(credentials, "LoginProvider")
        return cls(botocore.__version__, is_known, is_usable, crt_version)


def find_login(
    profiles: Profiles, begun: str, support: LoginSupport, *, environ: Environ
) -> Iterator[Neighbour]:
    """Yield a finding for a profile whose login cannot be used.

    Args:
        profiles: Of AWS's files.
        begun: The profile that the connection uses or starts from.
        support: What the installed botocore can do.
        environ: The environment.
    """
    name = follow_sources(profiles, begun)
    if name is None or not is_login(profiles[name]):
        return
    if support.is_known and support.is_usable:
        return
    place = f"the profile '{shorten(name)}'"
    if name != begun:
        place += f", a source of the profile '{shorten(begun)}',"
    seen, fix = _explain(support, environ)
    text = f"{place} signs in by `aws login` ({FIELD}), and {seen}."
    yield Neighbour(LOGIN, shorten(name), text[0].upper() + text[1:], fix)


def follow_sources(profiles: Profiles, begun: str) -> str | None:
    """Return the last source profile of a role; None if one is missing or in a circle."""
    name, seen = begun, set[str]()
    while name in profiles and name not in seen:
        profile = profiles[name]
        source = profile.get("source_profile")
        if not isinstance(source, str) or "role_arn" not in profile:
            return name
        seen.add(name)
        name = source
    return None


def is_login(profile: Mapping[str, Any]) -> bool:
    """Return whether a profile's credentials come from a login."""
    return FIELD in profile and not any(
        field in profile for field in (*BEFORE_IT, KEY_FIELD)
    )


def _explain(support: LoginSupport, environ: Environ) -> tuple[str, str]:
    botocore = f"botocore {support.botocore_version}"
    if not support.is_known:
        return f"{botocore} does not know that yet (1.41.0 does)", UPDATE
    if support.crt_version is None:
        return (
            f"{botocore} needs awscrt for it, which is not installed",
            INSTALL_CRT,
        )
    if environ.get(DISABLES_CRT, "").lower() == "true":
        seen = f"{DISABLES_CRT} has {botocore} leave out awscrt, which that needs"
        return seen, f"Unset {DISABLES_CRT}."
    crt = f"awscrt {support.crt_version}".rstrip()
    seen = f"{botocore} cannot use {crt} for it"
    return seen, INSTALL_CRT
