"""How often one attempt asks again: by growing pauses, within its deadline.

A busy STS is asked again with the proof that is there: a sign-in is a burden for the
IdP and may lock an account. The proof lives in the attempt's frames and nowhere else.
Only if STS says that it has expired in the meantime is another one fetched, once.

With the first pause between half a second and one, and each twice as long up to 16 s,
an attempt of 30 s asks at most seven times, and the next one goes on with long pauses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.errors import (
    ConnProviderError,
    CredentialFetchError,
    StsExchangeError,
    WebIdentityTokenError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol, TypeVar

    from botocore_conn_provider.exchange.flow import Exchange, TemporaryCredentials
    from botocore_conn_provider.renewal.runtime import Runtime
    from botocore_conn_provider.renewal.schedule import RenewalPolicy

    T = TypeVar("T")

    # For the type checker alone: defining a protocol delays each start.
    class SharedTurn(Protocol):
        """What is shared with the other processes of the machine."""

        def pause(self, seconds: float, error: ConnProviderError) -> None:
            """Tell the others what failed, and block until it may be asked again."""


# The part of the time that is left for an error to reach those who wait, and its bound.
TOLD_IN_TIME, LONGEST_TOLD_SECONDS = 0.1, 0.5
# A mandatory window in which the longest pause fits twice. In shorter ones a pause is at
# most that part of what valid credentials have left.
LONG_WINDOW_SECONDS = 32.0
PAUSE_PART, SHORTEST_PART_SECONDS = 1 / 2, 1.0
# What STS says of a proof, or of base keys, that it would have taken before.
OUTLIVED = (
    "ExpiredToken",
    "ExpiredTokenException",
    "IDPRejectedClaim",
    "InvalidClientTokenId",
    "InvalidIdentityToken",
)


class Pauses:
    """The pauses of one source, which grow until it gives credentials.

    Thread safety: one attempt at a time uses it; one that was given up may at most
    make a pause longer.
    """

    def __init__(self, policy: RenewalPolicy, runtime: Runtime) -> None:
        self._policy = policy
        self._runtime = runtime
        self._failed = 0

    def choose(self) -> float:
        """Return the next one: random, so that processes do not ask together."""
        policy = self._policy
        # The exponent is limited, because a float overflows after a thousand.
        longest = policy.first_pause_seconds * 2.0 ** min(self._failed, 30)
        longest = min(longest, policy.longest_pause_seconds)
        self._failed += 1
        return self._runtime.uniform(longest / 2, longest)

    def choose_rest(self) -> float:
        """Return how long what cannot succeed soon is not asked again."""
        return self._runtime.uniform(*self._policy.remember_error_seconds)

    @property
    def failed(self) -> int:
        """How many were chosen since the last success."""
        return self._failed

    def catch_up(self, failed: int) -> None:
        """Go on from where another process of this machine is, if it is further."""
        self._failed = max(self._failed, failed)

    def reset(self) -> None:
        """Begin with the shortest again."""
        self._failed = 0


class Repeats:
    """The repeats of one attempt.

    Args:
        pauses: Those of the source.
        deadline: The end of the attempt, on the runtime's `elapsed` clock.
        most: How often it may ask again.
        runtime: Clocks and pauses.
        spare_until: Until when valid credentials are served without a wait; None for an
            attempt that somebody waits for.
        valid_until: When the credentials that are there expire; None if there are none.

    Attributes:
        pauses: Those of the source.
        leaves_at: A little before the deadline: what is told then still reaches those
            who wait.
        conn_id: For errors.
        starts_at: Before that nobody is asked, where there is a turn to wait for.
        turn: Taken with the other processes of the machine; None without a store.
    """

    def __init__(
        self,
        pauses: Pauses,
        deadline: float,
        *,
        most: float,
        runtime: Runtime,
        spare_until: float | None = None,
        valid_until: float | None = None,
    ) -> None:
        self.pauses = pauses
        self._valid_until = valid_until
        self._deadline = deadline
        left = deadline - runtime.elapsed()
        self.leaves_at = deadline - min(left * TOLD_IN_TIME, LONGEST_TOLD_SECONDS)
        self._spare_until = spare_until
        self.conn_id = ""
        self.starts_at = 0.0
        self.turn: SharedTurn | None = None
        self._failed: CredentialFetchError | None = None
        self._left = most
        self._next_pause = 0.0
        self._runtime = runtime
        self._proof_was_used = False
        self._may_renew_proof = True

    def run(self, work: Callable[[], T]) -> T:
        """Run all of an attempt's work, again after a transient fault.

        Raises:
            ConnProviderError: Of the last time.
        """
        while True:
            try:
                return work()
            except CredentialFetchError as error:
                if not self._may_start_over(error):
                    raise
            self._pause()

    def repeat(self, exchange: Exchange) -> TemporaryCredentials:
        """Make the exchange, again after a transient fault of STS.

        Raises:
            StsExchangeError: Of the last one.
        """
        self._proof_was_used = False
        while True:
            try:
                return exchange()
            except StsExchangeError as error:
                if not self._may_repeat(error):
                    raise
            self._pause()
            self._proof_was_used = True

    def _may_start_over(self, error: CredentialFetchError) -> bool:
        """Return whether to begin again, with another proof, after a pause."""
        if self._is_outlived(error):
            self._next_pause, self._failed = 0.0, None
            return True
        return self._may_repeat(error)

    def stop(self) -> None:
        """Ask no more: another process of this machine has, and knows the answer."""
        self._left = 0

    def is_spared(self, age_seconds: float, most_seconds: float) -> bool:
        """Return whether what another process was told so long ago will do.

        While credentials are served without a wait, it does for a while, which shrinks
        as their end comes near: there is always one more ask before somebody waits.
        """
        if self._spare_until is None:
            return False
        gap = self._spare_until - self._runtime.elapsed()
        return age_seconds < min(most_seconds, gap / 2)

    def find_latest(self, told_at: float) -> float:
        """Return when to ask again at the latest after an answer that is no success.

        Credentials for whose renewal callers wait a short time only would end in one of
        the long pauses. So a pause is then at most a part of what they had left.
        """
        if self._valid_until is None or self._spare_until is None:
            return float("inf")
        if self._valid_until - self._spare_until >= LONG_WINDOW_SECONDS:
            return float("inf")
        left = self._valid_until - told_at
        return told_at + max(left * PAUSE_PART, SHORTEST_PART_SECONDS)

    def _choose_pause(self) -> float:
        now = self._runtime.elapsed()
        return min(self.pauses.choose(), self.find_latest(now) - now)

    def choose_rest(self, error: ConnProviderError) -> float:
        """Return for how long nobody need ask again after the end of the attempt."""
        if error is self._failed:
            return self._next_pause
        if isinstance(error, CredentialFetchError) and is_worth_retrying(error):
            return self._choose_pause()
        return self.pauses.choose_rest()

    def _pause(self) -> None:
        """Pause before what was allowed last."""
        failed, self._failed = self._failed, None
        if self.turn is not None and failed is not None:
            self.turn.pause(self._next_pause, failed)
        elif self._next_pause:
            self._runtime.pause(self._next_pause)

    def _may_repeat(self, error: CredentialFetchError) -> bool:
        if self._left < 1 or not is_worth_retrying(error):
            return False
        self._next_pause, self._failed = self._choose_pause(), error
        in_time = self._runtime.elapsed() + self._next_pause < self._deadline
        self._left = self._left - 1 if in_time else 0
        return in_time

    def _is_outlived(self, error: CredentialFetchError) -> bool:
        """Return whether the proof was good until a busy STS let it expire."""
        if not isinstance(error, StsExchangeError) or error.code not in OUTLIVED:
            return False
        outlived = self._proof_was_used and self._may_renew_proof
        self._may_renew_proof = False
        return outlived


def is_worth_retrying(error: CredentialFetchError) -> bool:
    """Return whether to ask again at once for a caller without credentials.

    It is False for faults of the IdP: the connection's `idp_request_retry_kwargs`
    decide how often the IdP is asked, and repeated sign-ins may lock an account. A file
    that is not there is told at once: a wait would only hide it.
    """
    if isinstance(error, WebIdentityTokenError):
        return error.retryable and not error.local
    return error.retryable and isinstance(error, StsExchangeError)
