"""A profile that has a role, SSO or a program: its own credentials, renewed by us.

There is no exchange of ours: botocore's chain does what the profile says. It is asked
on a session of its own each time, so it never renews anything in a caller's thread.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.exchange.flow import create_session, files_explained
from botocore_conn_provider.secret import Secret
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.exchange.base_identity import BaseIdentity
    from botocore_conn_provider.exchange.session_view import SessionView
    from botocore_conn_provider.exchange.sts import TemporaryCredentials

# Keys without an end, which a program may print, are asked for once.
FOR_EVER = dt.timedelta(days=3650)
ASKING_FIELDS = (
    "web_identity_token_file",
    "sso_account_id",
    "sso_role_name",
    "login_session",
    "credential_process",
)
KEY_FIELD = "aws_access_key_id"


def is_renewed(profile: Mapping[str, Any]) -> bool:
    """Return whether a profile's credentials are asked for, and end.

    Keys beside a program are left to botocore: the file that they stand in decides.
    """
    if "role_arn" in profile:
        sources = ("source_profile", "credential_source", "web_identity_token_file")
        return any(field in profile for field in sources)
    return KEY_FIELD not in profile and any(f in profile for f in ASKING_FIELDS)


class ProfileFlow:
    """The credentials of a profile, as botocore's chain finds them."""

    def __init__(self, settings: AwsSettings, view: SessionView) -> None:
        self.settings = settings
        self.view = view
        self._own = uuid.uuid4().hex

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
        # Imported here: other kinds of connection need no content of files.
        from botocore_conn_provider.federation.file_content import read_content

        if not self.is_shared:
            return {"session": self._own}
        with files_explained(self.settings):
            session = create_session(self.settings, self.view)
            path = str(session.get_config_variable("credentials_file"))
        variables = self.view.snapshot.environ
        return {
            **self.view.describe(),
            **{f"${name}": value for name, value in variables.items()},
            "credentials file": read_content(path),
        }

    @property
    def is_shared(self) -> bool:
        """Whether sessions may share the credentials: all of the source is in files."""
        with files_explained(self.settings):
            session = create_session(self.settings, self.view)
            profiles = session.full_config.get("profiles", {})
        seen: set[str] = set()
        name = self.settings.profile_name
        while name is not None and name not in seen:
            seen.add(name)
            profile = profiles.get(name, {})
            if "role_arn" not in profile:
                return KEY_FIELD in profile and not is_renewed(profile)
            name = profile.get("source_profile")
        return False

    @scrubbed
    def prove(self) -> BaseIdentity:
        """Have the chain get new credentials; blocks as the profile's source does."""
        # Imported here: a start from the store needs neither.
        from botocore_conn_provider.exchange.base_identity import load_base_identity

        with files_explained(self.settings):
            session = create_session(self.settings, self.view)
        return load_base_identity(session, self.settings)

    @scrubbed
    def exchange(self, proof: BaseIdentity) -> TemporaryCredentials:
        """Return what was found: it is what signs."""
        from botocore_conn_provider.exchange.sts import TemporaryCredentials

        ends = proof.expires_at or dt.datetime.now(dt.timezone.utc) + FOR_EVER
        return TemporaryCredentials(
            proof.access_key_id,
            proof.secret_access_key,
            proof.session_token or Secret(""),
            ends.astimezone(dt.timezone.utc),
            proof.account_id,
        )
