"""A profile that has a role, SSO or a program: its own credentials, renewed by us.

There is no exchange of ours: botocore's chain does what the profile says. It is asked
on a session of its own each time, so it never renews anything in a caller's thread.
"""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.exchange.flow import create_session, files_explained
from botocore_conn_provider.secret import Secret
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.exchange.base_identity import BaseIdentity
    from botocore_conn_provider.exchange.flow import TemporaryCredentials
    from botocore_conn_provider.exchange.session_view import SessionView
    from botocore_conn_provider.exchange.unfitted_session import UnfittedSession

# Keys without an end, which a program may print, are asked for once.
FOR_EVER = dt.timedelta(days=3650)
ASKING_FIELDS = (
    "web_identity_token_file",
    "sso_account_id",
    "sso_role_name",
    "login_session",
    "credential_process",
)
KEY_FIELD, MFA_FIELD = "aws_access_key_id", "mfa_serial"
# With one of these, something else than the files decides whose credentials come.
UNTOLD = (*ASKING_FIELDS, "credential_source", MFA_FIELD)


Profiles = Mapping[str, Mapping[str, Any]]


def is_renewed(profiles: Profiles, name: str | None) -> bool:
    """Return whether a profile's credentials are asked for, and no person is.

    A code of an MFA device is asked for at a terminal: no renewal in the background can
    do that. Keys beside a program are left to botocore: the file that they stand in
    decides.
    """
    leading = list_leading(profiles, name)
    if not leading or any(MFA_FIELD in each for each in leading):
        return False
    first = leading[0]
    if "role_arn" in first:
        sources = ("source_profile", "credential_source", "web_identity_token_file")
        return any(field in first for field in sources)
    return KEY_FIELD not in first and any(field in first for field in ASKING_FIELDS)


def asks_a_person(profiles: Profiles, name: str | None) -> bool:
    """Return whether a profile's role takes the code of an MFA device."""
    leading = list_leading(profiles, name)
    return any("role_arn" in each and MFA_FIELD in each for each in leading)


def list_leading(profiles: Profiles, name: str | None) -> list[Mapping[str, Any]]:
    """List a profile and the source profiles that its role starts from."""
    seen: list[str] = []
    while name is not None and name in profiles and name not in seen:
        seen.append(name)
        name = profiles[name].get("source_profile")
    return [profiles[each] for each in seen]


class ProfileFlow:
    """The credentials of a profile, as botocore's chain finds them."""

    def __init__(self, settings: AwsSettings, view: SessionView) -> None:
        self.settings = settings
        self.view = view
        self._own = uuid.uuid4().hex
        # Of the thread: an attempt that was given up may still go on beside the next.
        self._begun = threading.local()

    @scrubbed
    def check(self) -> None:
        """Nothing is left to judge: reading and `checks.judge` have judged it all."""

    @scrubbed
    def identify(self) -> dict[str, str]:
        """Describe what the profile's credentials depend on. Asks nothing.

        A role that starts from keys in the files is told whole by the files and the
        variables. What a program, SSO or the machine answers is told by nothing that
        we can see, so each session has credentials of its own then.
        """
        session = self._begun.read = self._create_session()
        if not self._is_told_by_files(session):
            return {"session": self._own}
        with files_explained(self.settings):
            read = session.describe_files()
        environ = self.view.snapshot.environ
        return {
            **self.view.describe(),
            **{f"${name}": value for name, value in environ.items()},
            **read,
        }

    @property
    def is_shared(self) -> bool:
        """Whether sessions may share the credentials: all of the source is in files."""
        return self._is_told_by_files(self._create_session())

    def _is_told_by_files(self, session: UnfittedSession) -> bool:
        profiles = session.full_config.get("profiles", {})
        leading = list_leading(profiles, self.settings.profile_name)
        if not leading or any(field in each for field in UNTOLD for each in leading):
            return False
        return KEY_FIELD in leading[-1] and "role_arn" not in leading[-1]

    def _create_session(self) -> UnfittedSession:
        with files_explained(self.settings):
            session = create_session(self.settings, self.view)
            session.full_config  # noqa: B018 - read here, where faults are explained
        return session

    @scrubbed
    def prove(self) -> BaseIdentity:
        """Have the chain get new credentials; blocks as the profile's source does.

        It has the files as `identify` read them, whatever they say by now: credentials
        are shared among those that it told apart by this very content.

        Raises:
            CredentialFetchError: There are none.
        """
        # Imported here: a start from the store needs neither.
        from botocore_conn_provider.exchange.base_identity import load_base_identity

        read = vars(self._begun).pop("read", None)
        return load_base_identity(read or self._create_session(), self.settings)

    @scrubbed
    def exchange(self, proof: BaseIdentity) -> TemporaryCredentials:
        """Return what was found: it is what signs."""
        from botocore_conn_provider.exchange.flow import TemporaryCredentials

        ends = proof.expires_at or dt.datetime.now(dt.timezone.utc) + FOR_EVER
        return TemporaryCredentials(
            proof.access_key_id,
            proof.secret_access_key,
            proof.session_token or Secret(""),
            ends.astimezone(dt.timezone.utc),
            proof.account_id,
        )
