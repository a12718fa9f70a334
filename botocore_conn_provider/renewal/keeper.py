"""Keep one connection's credentials fresh: one state machine for every flow.

Callers get the credentials from memory. From the advisory window on, a renewal runs in
the background while they get the old credentials. They wait only in the mandatory
window or while there are no credentials, and all of them for the same attempt. The
state, its changes and its lock are in `state`.

We do not use botocore's own state machine, because its callers wait for the whole
renewal and AWS is rewriting it (`docs/decisions.md`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.errors import CredentialFetchError
from botocore_conn_provider.renewal.attempt import (
    Attempt,
    InterruptedRenewalError,
    Renewal,
)
from botocore_conn_provider.renewal.runtime import Runtime
from botocore_conn_provider.renewal.schedule import RenewalPolicy
from botocore_conn_provider.renewal.source import Source
from botocore_conn_provider.renewal.state import KeeperState
from botocore_conn_provider.renewal.telemetry import Telemetry

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable

    from botocore_conn_provider.exchange.sts import TemporaryCredentials
    from botocore_conn_provider.renewal.schedule import Found, Store


class Keeper:
    """The credentials of one connection, renewed in time.

    Args:
        fetch: Does the whole exchange. Blocks; raises a `ConnProviderError`. Called
            by one thread at a time, except while one is stuck past its deadline.
        conn_id: For errors and events.
        policy: The windows, deadlines and pauses.
        store: The connection's entry in the machine's store; None without a store.
        runtime: Clocks, random numbers, threads, listeners.
    """

    def __init__(
        self,
        fetch: Callable[[], TemporaryCredentials],
        *,
        conn_id: str,
        policy: RenewalPolicy = RenewalPolicy(),  # noqa: B008 - immutable
        store: Store | None = None,
        runtime: Runtime = Runtime(),  # noqa: B008 - immutable
    ) -> None:
        self._source = Source(
            fetch, conn_id=conn_id, policy=policy, store=store, runtime=runtime
        )
        self._conn_id = conn_id
        self._runtime = runtime
        self._now = runtime.now  # bound here because it is called for every request
        self._telemetry = Telemetry(conn_id, runtime)
        self._state = KeeperState(policy, runtime, self._telemetry)

    def current(self) -> TemporaryCredentials:
        """Return credentials to sign with now.

        Blocks in the mandatory window and while there are no credentials, for the
        running renewal and at most until its deadline. If there are no credentials, the
        first caller runs it in its own thread, for as long as the exchange's own
        timeouts allow.

        Raises:
            ConnProviderError: The renewal failed, and there are no valid credentials.
        """
        held = self._state.held
        if held is not None and self._now() < held.renew_at:
            return held.credentials
        attempt = self._join(may_block=True)
        held = self._state.held
        if held is not None and self._now() < held.wait_at:
            return held.credentials
        return self._await(attempt)

    def current_nowait(self) -> TemporaryCredentials | None:
        """Return credentials to sign with now, or None where `current` would wait.

        After None, wait for `renewal()` and then call this again, even if the renewal
        failed: credentials that are still valid are served after a failure.

        Raises:
            ConnProviderError: A renewal has just failed, and there are no valid
                credentials.
        """
        held = self._state.held
        if held is not None and self._now() < held.renew_at:
            return held.credentials
        self._join(may_block=False)
        held = self._state.held
        if held is not None and self._now() < held.wait_at:
            return held.credentials
        return None

    def renewal(self) -> Renewal:
        """Return the running renewal; start one in the background if it is due.

        Cancelling it has no effect, because others wait for it too.

        Raises:
            ConnProviderError: A renewal has just failed, and there are no valid
                credentials.
        """
        return self._join(may_block=False).future

    def reject(self, access_key_id: str) -> bool:
        """Drop the credentials with that id, which a service rejected as expired.

        Return whether the request is worth signing again. Credentials are never dropped
        while they are young, because some services never accept them and would not
        accept new ones either, and never twice.
        """
        return self._state.reject(access_key_id)

    @property
    def expires_at(self) -> datetime.datetime | None:
        """When the current credentials expire, aware; None if there are none."""
        held = self._state.held
        return None if held is None else held.credentials.expires_at

    def is_renewal_due(self, within_seconds: float | None = None) -> bool:
        """Return whether fewer than `within_seconds` are left until expiry.

        Without the argument, return whether the next call would start or join a
        renewal.
        """
        held = self._state.held
        if held is None:
            return True
        if within_seconds is None:
            return self._now() >= held.renew_at
        return held.credentials.expires_at.timestamp() - self._now() < within_seconds

    def _join(self, *, may_block: bool) -> Attempt:
        """Return the running attempt; start one if there is none.

        Without valid credentials, a caller that may block runs it in its own thread: no
        thread has to be started, and tracebacks and interrupts reach that caller.
        """
        self._give_up_overdue()
        attempt, is_new = self._state.join()
        if is_new:
            servable = self._state.find_servable() is not None
            self._launch(attempt, in_line=may_block and not servable)
        return attempt

    def _give_up_overdue(self) -> None:
        """Abandon an attempt that is past its deadline, so that another can start."""
        running = self._state.running
        if running is not None and self._runtime.elapsed() >= running.deadline:
            self._state.fail(running, self._overdue())

    def _launch(self, attempt: Attempt, *, in_line: bool) -> None:
        if not in_line:
            try:
                self._runtime.start_thread(lambda: self._run(attempt))
            except (
                RuntimeError
            ):  # the platform has no threads, or Python is shutting down
                in_line = True
        if in_line:
            self._run(attempt)

    def _await(self, attempt: Attempt) -> TemporaryCredentials:
        error = self._wait_for(attempt)
        if error is None:
            return attempt.future.result()
        servable = self._state.find_servable()
        if servable is not None:
            return servable
        if isinstance(error, InterruptedRenewalError):
            return self.current()
        raise error.with_traceback(None)

    def _wait_for(self, attempt: Attempt) -> BaseException | None:
        if attempt.is_running_here:
            return self._asked_by_itself()
        try:
            return attempt.wait(attempt.deadline - self._runtime.elapsed())
        except TimeoutError:
            error = self._overdue()
            self._state.fail(attempt, error)
            return error

    def _run(self, attempt: Attempt) -> None:
        attempt.begin()
        began = self._runtime.elapsed()
        try:
            self._telemetry.started(self._state.held)
            found = self._obtain(attempt)
            self._telemetry.found(found, self._state.held)
        except Exception as error:  # noqa: BLE001 - passed on to all waiters
            self._state.fail(attempt, error)
        except BaseException:
            self._state.fail(attempt, InterruptedRenewalError())
            raise
        else:
            took = self._runtime.elapsed() - began
            self._state.publish(attempt, found.issued, took_seconds=took)

    def _obtain(self, attempt: Attempt) -> Found:
        accept = self._state.is_news
        if self._state.find_servable() is not None:
            return self._source.obtain(accept=accept)
        return self._source.obtain_patiently(attempt.deadline, accept=accept)

    def _overdue(self) -> CredentialFetchError:
        return CredentialFetchError(
            conn_id=self._conn_id,
            cause="the source of the credentials did not answer within the deadline.",
            hint="Check the network to the IdP and to STS, or raise"
            " sign_in_deadline_seconds.",
            retryable=True,
        )

    def _asked_by_itself(self) -> CredentialFetchError:
        return CredentialFetchError(
            conn_id=self._conn_id,
            cause="its base credentials come from the connection itself.",
            hint="Give it keys, a profile or a base identity of its own.",
        )
