"""Get credentials from the machine's store, else from their source, with retries.

Blocks; run by one renewal at a time. Retries are for callers without credentials
only: while credentials are valid, the keeper's own back-off is the retry.
"""

from __future__ import annotations

import datetime
import itertools
from typing import TYPE_CHECKING

from botocore_conn_provider.errors import (
    CredentialFetchError,
    StsExchangeError,
    WebIdentityTokenError,
)
from botocore_conn_provider.renewal.schedule import Found, Issued, Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore_conn_provider.exchange.sts import TemporaryCredentials
    from botocore_conn_provider.renewal.runtime import Runtime
    from botocore_conn_provider.renewal.schedule import RenewalPolicy


class Source:
    """Where a connection's credentials come from."""

    def __init__(
        self,
        fetch: Callable[[], TemporaryCredentials],
        *,
        conn_id: str,
        policy: RenewalPolicy,
        store: Store | None,
        runtime: Runtime,
    ) -> None:
        self._fetch = fetch
        self._conn_id = conn_id
        self._policy = policy
        self._store = store
        self._runtime = runtime

    def obtain(self, *, accept: Callable[[Issued], bool]) -> Found:
        """Return stored credentials that `accept` allows, else new ones.

        Raises:
            ConnProviderError: The exchange failed, or its answer has expired.
        """
        if self._store is None:
            return Found(self._ask(), from_store=False, waited_seconds=0.0)
        return self._store.obtain(self._ask, accept=accept)

    def obtain_patiently(
        self, deadline: float, *, accept: Callable[[Issued], bool]
    ) -> Found:
        """Do as `obtain`, and retry after transient faults.

        Each pause is random between zero and a limit that grows exponentially (full
        jitter). It ends before `deadline`, which is on the runtime's `elapsed` clock.
        """
        for tries in itertools.count():
            try:
                return self.obtain(accept=accept)
            except CredentialFetchError as error:
                pause = self._choose_pause(tries)
                ends = self._runtime.elapsed() + pause
                if not is_worth_retrying(error) or ends >= deadline:
                    raise
            self._runtime.pause(pause)
        raise AssertionError  # pragma: no cover - count() does not end

    def _choose_pause(self, tries: int) -> float:
        policy = self._policy
        # The exponent is limited, because a float overflows after a thousand retries.
        longest = policy.first_pause_seconds * 2.0 ** min(tries, 30)
        return self._runtime.uniform(0.0, min(longest, policy.longest_pause_seconds))

    def _ask(self) -> Issued:
        credentials = self._fetch()
        now = self._runtime.now()
        issued = Issued(credentials, obtained_at=now)
        if issued.expires_at <= now:
            raise self._already_expired(credentials, now)
        return issued

    def _already_expired(
        self, credentials: TemporaryCredentials, now: float
    ) -> StsExchangeError:
        clock = datetime.datetime.fromtimestamp(now, tz=datetime.timezone.utc)
        server = credentials.server_date or "missing"
        return StsExchangeError(
            conn_id=self._conn_id,
            cause=(
                "the new credentials have already expired: they end at"
                f" {credentials.expires_at:%Y-%m-%d %H:%M:%S} UTC, this machine's"
                f" clock shows {clock:%Y-%m-%d %H:%M:%S} UTC, the server's Date was"
                f" {server}."
            ),
            hint="Check the clock and its synchronisation (timedatectl).",
        )


def is_worth_retrying(error: Exception) -> bool:
    """Return whether to ask again at once for a caller without credentials.

    It is False for faults of the IdP: the connection's `idp_request_retry_kwargs`
    decide how often the IdP is asked, and repeated sign-ins may lock an account.
    """
    return is_transient(error) and isinstance(
        error, StsExchangeError | WebIdentityTokenError
    )


def is_transient(error: BaseException) -> bool:
    """Return whether the same attempt may succeed later."""
    return isinstance(error, CredentialFetchError) and error.retryable
