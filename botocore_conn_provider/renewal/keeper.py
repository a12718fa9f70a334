"""Keep one connection's credentials fresh: one state machine for every flow.

Callers are served from memory. From the advisory window on a renewal runs in the
background while they are served the old set; they wait only in the mandatory
window or while there are no credentials, and all for the same attempt. What may change when
and under which lock is in `custody`.

We own this machine rather than lean on botocore's, whose callers wait for the
whole renewal and which AWS is rewriting (`docs/decisions.md`).
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
            by one thread at a time, but for one that is stuck past its deadline.
        conn_id: For errors and events.
        policy: Every number.
        store: The connection's place in the machine's store; None without one.
        runtime: Clocks, chance, threads, listeners.
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
        self._now = runtime.now  # bound here: it is called for every request
        self._telemetry = Telemetry(conn_id, runtime)
        self._state = KeeperState(policy, runtime, self._telemetry)

    def current(self) -> TemporaryCredentials:
        """Return a set to sign with now.

        Blocks in the mandatory window and without credentials, for the running
        renewal and at most until its deadline. The first caller with nothing in
        hand runs it in its own thread, for as long as the exchange's own timeouts
        allow.

        Raises:
            ConnProviderError: The renewal failed and there is no set to serve.
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
        """Return a set to sign with now, or None where `current` would wait.

        Then wait for `renewal()`, and ask again whether it failed or not: a set
        that is still valid is served after a failure.

        Raises:
            ConnProviderError: A renewal has just failed, with no set to serve.
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
        """Return the running renewal, begun in the background if one is due.

        Cancelling it has no effect: others wait for it too.

        Raises:
            ConnProviderError: A renewal has just failed, with no set to serve.
        """
        return self._join(may_block=False).future

    def reject(self, access_key_id: str) -> bool:
        """Drop the set of that id, because a service answered that it has expired.

        Returns whether the request is worth signing again. Never drops young credentials
        (some services never accept it, and a new one would fare no better), nor
        the same set twice.
        """
        return self._state.reject(access_key_id)

    @property
    def expires_at(self) -> datetime.datetime | None:
        """When the current credentials expire, aware; None if there are none."""
        held = self._state.held
        return None if held is None else held.credentials.expires_at

    def is_renewal_due(self, within_seconds: float | None = None) -> bool:
        """Return whether fewer than `within_seconds` are left until expiry.

        Without it: whether the next call would begin or join a renewal.
        """
        held = self._state.held
        if held is None:
            return True
        if within_seconds is None:
            return self._now() >= held.renew_at
        return held.credentials.expires_at.timestamp() - self._now() < within_seconds

    def _join(self, *, may_block: bool) -> Attempt:
        """Return the running attempt, begun if there is none.

        Without credentials to serve, a caller that may block runs it in its own thread:
        no thread is started, and tracebacks and interrupts reach that caller.
        """
        self._give_up_overdue()
        attempt, is_new = self._state.join()
        if is_new:
            servable = self._state.find_servable() is not None
            self._launch(attempt, in_line=may_block and not servable)
        return attempt

    def _give_up_overdue(self) -> None:
        """End an attempt that hangs past its deadline, so that another may begin."""
        running = self._state.running
        if running is not None and self._runtime.elapsed() >= running.deadline:
            self._state.fail(running, self._overdue())

    def _launch(self, attempt: Attempt, *, in_line: bool) -> None:
        if not in_line:
            try:
                self._runtime.start_thread(lambda: self._run(attempt))
            except RuntimeError:  # no threads here, or none any more at shutdown
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
        except Exception as error:  # noqa: BLE001 - handed to everyone who waits
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
