"""What the flows of all roles have in common: two steps, and how they are run.

A flow knows nothing of renewal, and keeps no assertion, token or client between two
runs. An STS client lives for one exchange, because a forked child must not share its
parent's open connection.

Thread safety: one renewal at a time runs a flow, but an attempt that was given up may
still go on beside it. So what `identify` hands to `prove` belongs to the thread.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError

from botocore_conn_provider.errors import ConnProviderError, CredentialFetchError
from botocore_conn_provider.redaction import show_error
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    import datetime as dt
    from typing import Protocol, TypeVar

    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.exchange.session_view import SessionView
    from botocore_conn_provider.exchange.unfitted_session import UnfittedSession
    from botocore_conn_provider.secret import KeyId, Secret

    Proof = TypeVar("Proof")

    # For the type checker alone: defining a protocol delays each start.
    class Flow(Protocol[Proof]):
        """One exchange in two steps. Blocks as its sources do; see each class."""

        @property
        def is_shared(self) -> bool:
            """Whether `identify` tells all of it, so that other sessions may share."""

        def check(self) -> None:
            """Judge all that can be judged without the network.

            Raises:
                InvalidConnectionError, MissingDependencyError: Something is wrong here.
            """

        def identify(self) -> dict[str, str]:
            """Describe who asks, by content: what else than the settings decides it.

            Two askers share credentials only if this is the same. Holds secrets: never
            show it. May ask where the identity is only known by asking; no exchange.

            Raises:
                ConnProviderError: There is no identity to be had.
            """

        def prove(self) -> Proof:
            """Get the proof of who we are, a new one at each call.

            Raises:
                ConnProviderError: There is none to be had.
            """

        def exchange(self, proof: Proof) -> TemporaryCredentials:
            """Exchange the proof at STS. Makes one call, which asks STS once.

            Raises:
                StsExchangeError: STS refused, could not be reached, or answered nonsense.
            """


Exchange = Callable[[], "TemporaryCredentials"]
# Makes an exchange as often as it is worth it.
Repeat = Callable[[Exchange], "TemporaryCredentials"]


class TemporaryCredentials(Value):
    """One set that STS issued. Immutable, so a reader never sees a mixed set."""

    access_key_id: KeyId
    secret_access_key: Secret
    session_token: Secret
    expires_at: dt.datetime
    """Aware, UTC."""
    account_id: str | None = None
    server_time: dt.datetime | None = None
    """When the server answered, by its own clock; aware. None if it did not say."""


def run_flow(flow: Flow[Proof], repeat: Repeat) -> TemporaryCredentials:
    """Run both steps; raises what they raise.

    The proof is kept for this run alone: `repeat` makes the exchange again with the
    same one, so that a busy STS costs no second sign-in.
    """
    proof = flow.prove()
    return repeat(lambda: flow.exchange(proof))


def create_session(settings: AwsSettings, view: SessionView) -> UnfittedSession:
    """Make the session of an exchange."""
    # Imported here: a start from the store loads no session of botocore's.
    from botocore_conn_provider.exchange.base_session import create_base_session

    return create_base_session(settings, view)


@contextlib.contextmanager
def files_explained(settings: AwsSettings) -> Iterator[None]:
    """Turn what botocore says of AWS's shared files into an error of ours."""
    try:
        yield
    except ConnProviderError:
        raise
    except BotoCoreError as error:
        raise CredentialFetchError(
            conn_id=settings.conn_id,
            cause=f"AWS's shared files have changed: {show_error(error)}",
            hint="Check AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE and the profile.",
        ) from None
