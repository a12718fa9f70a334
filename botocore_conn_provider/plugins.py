"""What a token source is: the interface that plug-ins implement.

An entry point of the group `botocore_conn_provider.token_sources` names a
callable that takes a `TokenRequest` and returns a `TokenSource`; a class whose
constructor takes the request is the usual form. The built-in sources have the
same shape, so nothing they can do is denied to a plug-in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore_conn_provider.secret import Secret


class TokenRequest(NamedTuple):
    """What a source may know of the connection that asks.

    `environ` stands for the process environment. `deadline_seconds` bounds the
    whole fetch; the caller holds it, so a source need not.
    """

    conn_id: str
    role_arn: str
    audience: str | None
    token_file: str | None
    deadline_seconds: float
    environ: Mapping[str, str]


class TokenSource(Protocol):
    """One issuer of identity tokens. Threads may share it; it keeps no token."""

    def check(self) -> None:
        """Judge what can be judged offline. Sends nothing, runs nothing.

        Raises:
            ConnProviderError: This source can never give a token as it stands.
        """

    def fetch(self) -> Secret:
        """Return a new token, never one kept from an earlier call.

        Raises:
            WebIdentityTokenError: There is none now; `retryable` says whether
                there may be one a little later.
        """


class TokenSourceFactory(Protocol):
    """What the name in the connection stands for."""

    def __call__(self, request: TokenRequest, /) -> TokenSource: ...
