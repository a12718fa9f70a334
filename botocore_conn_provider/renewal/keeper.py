"""Keep one connection's credentials fresh: one state machine for every flow.

Callers get the credentials from memory. From the advisory window on, a renewal runs in
the background while they get the old credentials. They wait only in the mandatory
window or while there are no credentials, and all of them for the same attempt. Each
waits for as long as he may himself: for the deadline at most, and never to the end of
credentials that can serve him. The credentials and their changes are in `state`, the
attempt and its lock in `shared_call`.

We do not use botocore's own state machine, because its callers wait for the whole
renewal and AWS is rewriting it (`docs/decisions.md`).
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

from botocore_conn_provider.fork import reset_in_children
from botocore_conn_provider.renewal.runtime import Runtime
from botocore_conn_provider.renewal.schedule import Patience, RenewalPolicy, plan_wait
from botocore_conn_provider.renewal.shared_call import SharedCall
from botocore_conn_provider.renewal.source import RenewalCall, Source
from botocore_conn_provider.renewal.state import KeeperState, Renewed, Telemetry

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable

    from botocore_conn_provider.exchange.flow import Repeat, TemporaryCredentials
    from botocore_conn_provider.renewal.attempt import Attempt
    from botocore_conn_provider.renewal.schedule import Held
    from botocore_conn_provider.renewal.source import Store


class Keeper:
    """The credentials of one connection, renewed in time.

    Args:
        fetch: Does the whole exchange; makes the call of STS by what it is given, which
            repeats it. Blocks; raises a `ConnProviderError`. Called by one thread at
            a time, except while one is stuck past its deadline.
        conn_id: For errors and events.
        policy: The windows, deadlines and pauses.
        store: The connection's entry in the machine's store; None without a store.
        runtime: Clocks, random numbers, threads, listeners.
        state: What a former keeper of the same identity held; None if there was none.

    Attributes:
        state: What it holds.
    """

    def __init__(
        self,
        fetch: Callable[[Repeat], TemporaryCredentials],
        *,
        conn_id: str,
        policy: RenewalPolicy = RenewalPolicy(),  # noqa: B008 - immutable
        store: Store | None = None,
        runtime: Runtime = Runtime(),  # noqa: B008 - immutable
        state: KeeperState | None = None,
    ) -> None:
        source = Source(
            fetch, conn_id=conn_id, policy=policy, store=store, runtime=runtime
        )
        self._elapsed = runtime.elapsed  # bound here: it is called for every request
        if state is None:
            state = KeeperState(policy, runtime, Telemetry(conn_id, runtime))
        self.state = state
        self._renewals: SharedCall[Renewed] = SharedCall(
            RenewalCall(source, state=state, elapsed=runtime.elapsed),
            owner=state,
            conn_id=conn_id,
            policy=policy,
            runtime=runtime,
        )
        reset_in_children(self)

    def current(self, patience: Patience | None = None) -> TemporaryCredentials:
        """Return credentials to sign with now.

        Blocks in the mandatory window and while there are no credentials, for the
        running renewal, and at most as `plan_wait()` says.

        Args:
            patience: The caller's, if he has waited before.

        Raises:
            ConnProviderError: The renewal failed, and there are no valid credentials.
        """
        held = self.state.held
        if held is not None and self._elapsed() < held.renew_at:
            return held.credentials
        while True:
            patience = self.plan_wait(patience)
            found = self._wait(patience)
            if found is not None:
                return found

    def _wait(self, patience: Patience) -> TemporaryCredentials | None:
        """Return credentials; None if the caller has to ask again."""
        serves = self.state.has_fallback()
        attempt = self._renewals.join(None if serves else patience.ends_at)
        held = self.state.held
        if held is not None and (attempt is None or self._elapsed() < held.wait_at):
            return held.credentials
        if attempt is None:  # they were dropped at this very moment
            return None
        failure = self._renewals.wait(
            attempt, patience.ends_at, pauses_at=patience.leaves_at if serves else None
        )
        if failure is None:
            return attempt.future.result().issued.credentials
        servable = self.state.find_servable()
        if servable is None and not failure.interrupted:
            raise failure.build()
        return servable

    def plan_wait(self, before: Patience | None = None) -> Patience:
        """Return how long a caller waits who comes now, or who waited `before`."""
        ends_at = self._renewals.end_patience()
        held = self.state.held
        return plan_wait(held, self._elapsed(), ends_at=ends_at, before=before)

    def limit_wait(self, patience: Patience) -> float:
        """Return the seconds that a caller may wait now before he asks again."""
        serves = self.state.has_fallback()
        until = patience.leaves_at if serves else patience.ends_at
        return max(0.0, until - self._elapsed())

    def current_nowait(
        self, patience: Patience | None = None
    ) -> TemporaryCredentials | None:
        """Return credentials to sign with now, or None where `current` would wait.

        After None, wait for `renewal()`, for `limit_wait` of the caller's `plan_wait`
        at most, and then call this again with it, even if the renewal failed:
        credentials that are still valid are served after a failure.

        Raises:
            ConnProviderError: A renewal has just failed, or the caller's patience has
                ended, and there are no valid credentials.
        """
        held = self.state.held
        if held is not None and self._elapsed() < held.renew_at:
            return held.credentials
        attempt = self._renewals.join()
        held = self.state.held
        if held is not None and (attempt is None or self._elapsed() < held.wait_at):
            return held.credentials
        if patience is None or self.limit_wait(patience):
            return None
        servable = self.state.find_servable()
        if servable is None:
            raise self._renewals.overdue().build()
        return servable

    def find_held(self) -> Held | None:
        """Return the credentials in memory that may be served; None without any.

        Begins no renewal.
        """
        held = self.state.held
        if held is None or self._elapsed() >= held.serve_until:
            return None
        return held

    def count_left(self, held: Held) -> float:
        """Return the seconds for which they are served, longer during an outage."""
        return max(held.ends_at, held.serve_until) - self._elapsed()

    def count_valid(self, held: Held) -> float:
        """Return the seconds until they expire; negative afterwards."""
        return held.ends_at - self._elapsed()

    def renew_ahead(
        self, within_seconds: float, *, least_age_seconds: float | None = None
    ) -> Future[Renewed] | None:
        """Return the running renewal, begun now where less than that is left.

        For those who hand credentials on to others that keep them. None where no
        renewal runs: more is left, or one failed and the next attempt is not due yet.

        Args:
            within_seconds: What is wanted.
            least_age_seconds: Younger credentials are kept all the same; by default
                those in the first half of their lifetime.

        Raises:
            ConnProviderError: A renewal has just failed, and there are no valid
                credentials.
        """
        attempt = self._join_ahead(within_seconds, least_age_seconds)
        return None if attempt is None else attempt.future

    def wait_ahead(
        self, within_seconds: float, *, least_age_seconds: float
    ) -> Patience:
        """Renew as `renew_ahead` does, and block as in the mandatory window.

        Returns, too, when the renewal fails or the caller's patience ends; at once
        where the last one failed: that is tried again in the background. What it
        returns is left of the patience, for `current`.

        Raises:
            ConnProviderError: A renewal has just failed, and there are no valid
                credentials.
        """
        patience = self.plan_wait()
        # Again after a success: the store may have had no more than a newer set.
        while self.is_renewal_due(within_seconds):
            attempt = self._join_ahead(within_seconds, least_age_seconds)
            if attempt is None or self.is_failing:
                break
            until, leaves_at = patience.ends_at, patience.leaves_at
            if self._renewals.wait(attempt, until, pauses_at=leaves_at) is not None:
                break
        return patience

    def _join_ahead(
        self, within_seconds: float, least_age_seconds: float | None
    ) -> Attempt[Renewed] | None:
        with self._renewals.lock:
            self.state.bring_forward(
                within_seconds, least_age_seconds=least_age_seconds
            )
        return self._renewals.join()

    def renewal(self) -> Future[Renewed]:
        """Return the running renewal; start one in the background if it is due.

        Cancelling it has no effect, because others wait for it too. Where none is due,
        it has ended.

        Raises:
            ConnProviderError: A renewal has just failed, and there are no valid
                credentials.
        """
        while (attempt := self._renewals.join()) is None:
            held = self.state.held
            if held is not None:
                return _create_ended(Renewed(held.issued, took_seconds=0.0))
        return attempt.future

    def reject(self, access_key_id: str) -> bool:
        """Drop the credentials with that id, which a service rejected as expired.

        Return whether the request is worth signing again. Credentials are never dropped
        while they are young, because some services never accept them and would not
        accept new ones either, and never twice.
        """
        with self._renewals.lock:
            worthwhile, dropped = self.state.reject(access_key_id)
        if dropped is not None:
            self.state.telemetry.rejected(dropped)
        return worthwhile

    @property
    def settled(self) -> Keeper:
        """The keeper itself: see `DeferredKeeper`."""
        return self

    @property
    def expires_at(self) -> datetime.datetime | None:
        """When the current credentials expire, aware; None if there are none."""
        held = self.state.held
        return None if held is None else held.credentials.expires_at

    @property
    def is_failing(self) -> bool:
        """Whether the last renewal failed."""
        return self.state.failure is not None

    def is_renewal_due(self, within_seconds: float | None = None) -> bool:
        """Return whether fewer than `within_seconds` are left until expiry.

        Without the argument, return whether the next call would start or join a
        renewal.
        """
        held = self.state.held
        if held is None or within_seconds is None:
            return self.state.is_due()
        return held.ends_at - self._elapsed() < within_seconds

    def reset_after_fork(self) -> None:
        """Choose another point for the renewal than the parent's.

        A back-off after a failure stays, because the child has the same source.
        """
        self.state.plan_again()


def _create_ended(renewed: Renewed) -> Future[Renewed]:
    ended: Future[Renewed] = Future()
    ended.set_result(renewed)
    return ended
