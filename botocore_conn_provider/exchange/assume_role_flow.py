"""AssumeRole: the base identity is found, then it signs the call."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from botocore_conn_provider.errors import CredentialFetchError, InvalidConnectionError
from botocore_conn_provider.exchange.flow import (
    create_session,
    files_explained,
)
from botocore_conn_provider.secret import Options
from botocore_conn_provider.tracebacks import scrubbed
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import AssumeRole, AwsSettings
    from botocore_conn_provider.exchange.base_identity import BaseIdentity
    from botocore_conn_provider.exchange.flow import TemporaryCredentials
    from botocore_conn_provider.exchange.session_view import SessionView
    from botocore_conn_provider.exchange.unfitted_session import UnfittedSession

# How long a base identity that was found tells whose the next exchange is.
PROOF_SECONDS = 5.0


class Proven(Value):
    """A base identity, and when it was found (seconds of the monotonic clock).

    `proof` has no session, which would hold botocore's models; `told` describes it.
    """

    proof: BaseIdentity
    at: float
    told: Options

    def __repr__(self) -> str:
        return f"Proven({self.proof!r})"


class AssumeRoleFlow:
    """AssumeRole from the connection's keys, its profile, or botocore's own chain."""

    is_shared = True

    def __init__(
        self, settings: AwsSettings, role: AssumeRole, view: SessionView
    ) -> None:
        self.settings = settings
        self.role = role
        self.view = view
        self._proven: Proven | None = None
        # Of the thread: an attempt that was given up may still go on beside the next.
        self._begun = threading.local()
        # Where the chain found the identity: what it finds elsewhere is another.
        self._method: str | None = None

    @scrubbed
    def check(self) -> None:
        """Nothing is left to judge: reading and `checks.judge` have judged it all."""

    @scrubbed
    def identify(self) -> dict[str, str]:
        """Describe the base identity, found now, and the STS that is asked."""
        asker = self.view.describe()
        if self.settings.keys is not None:  # they are part of the settings
            return asker
        proven, now = self._proven, time.monotonic()
        if proven is None or now - proven.at >= PROOF_SECONDS:
            proof = self._find_base()
            told = Options(proof.describe(self.view.snapshot))
            proven = Proven(proof._replace(session=None), now, told)
        self._proven = self._begun.proven = proven
        return asker | dict(proven.told)

    @scrubbed
    def prove(self) -> BaseIdentity:
        """Return the base identity; may ask the network, as botocore's chain does.

        The files and programs that the snapshot names are asked at each exchange. What
        `identify` has found serves the exchange that follows it: credentials are then
        shared among those that it told apart by this very identity.
        """
        self._proven = None
        proven: Proven | None = vars(self._begun).pop("proven", None)
        return self._find_base() if proven is None else proven.proof

    def _find_base(self) -> BaseIdentity:
        # Imported here, as the session: a start from the store needs neither.
        from botocore_conn_provider.exchange.base_identity import load_base_identity

        with files_explained(self.settings):
            session = create_session(self.settings, self.view)
        if self.settings.keys is not None:
            return load_base_identity(session, self.settings)
        return self._find_in_chain(session)

    def _find_in_chain(self, session: UnfittedSession) -> BaseIdentity:
        # Imported here: connections that name their keys ask no machine for them.
        from botocore_conn_provider.exchange.base_identity import load_base_identity
        from botocore_conn_provider.exchange.machine_sources import (
            INSTANCE_METHOD,
            explain_silent_instance,
        )

        try:
            found = load_base_identity(session, self.settings)
        except InvalidConnectionError:
            if self._method != INSTANCE_METHOD:
                raise
            conn_id = self.settings.conn_id
            raise explain_silent_instance(session, conn_id=conn_id) from None
        self._method = self._method or found.method
        if found.method != self._method:
            raise _explain_moved(self.settings, self._method, found.method)
        return found

    @scrubbed
    def exchange(self, proof: BaseIdentity) -> TemporaryCredentials:
        """Call AssumeRole, signed with this very identity."""
        # Imported here: a start from the store asks no STS.
        from botocore_conn_provider.exchange.sts import create_exchange

        sts = create_exchange(
            self.settings, self.view, session=proof.session, signed_with=proof
        )
        return sts.assume_role(self.role)


def _explain_moved(
    settings: AwsSettings, method: str, found: str
) -> CredentialFetchError:
    return CredentialFetchError(
        conn_id=settings.conn_id,
        cause=f"its base identity was found in '{method}' when the session was"
        f" created. There is none now, and what is found in '{found}' is another.",
        hint="Put it back, or create another session.",
    )
