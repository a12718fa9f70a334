"""Find out who asks when credentials are first needed, and wait for that no longer.

Who asks decides which keeper is shared, and finding it out may ask a KDC, a program or
the network. To make a client needs none of it. So a session's credentials start from
this stand-in for the keeper, which has the keeper's methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.renewal.repeats import Pauses, Repeats
from botocore_conn_provider.renewal.runtime import Runtime
from botocore_conn_provider.renewal.schedule import Patience
from botocore_conn_provider.renewal.shared_call import SharedCall

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable
    from concurrent.futures import Future
    from typing import Any

    from botocore_conn_provider.exchange.flow import TemporaryCredentials
    from botocore_conn_provider.renewal.attempt import Failure, RememberedFailure
    from botocore_conn_provider.renewal.keeper import Keeper
    from botocore_conn_provider.renewal.schedule import Held, RenewalPolicy


class DeferredKeeper:
    """A keeper that is found at the first use, in the background, for all callers.

    A caller waits for that and for the first exchange together no longer than the
    deadline.

    Args:
        find: Finds out who asks and returns the identity's keeper. Blocks; raises a
            `ConnProviderError`.
        conn_id: For errors.
        policy: The deadline, and how long a failure is remembered.
        prepare: Loads what an exchange takes from the disk. Called by a caller who has
            to wait for one: what another thread allocates is memory that later ones do
            not use, 0.7 MiB for STS's model.
        runtime: Clocks, random numbers, threads.
    """

    def __init__(
        self,
        find: Callable[[], Keeper],
        *,
        conn_id: str,
        policy: RenewalPolicy,
        prepare: Callable[[], None] = lambda: None,
        runtime: Runtime = Runtime(),  # noqa: B008 - immutable
    ) -> None:
        self._found = FoundKeeper(policy.start_delay_seconds)
        self._prepare = prepare
        self._elapsed = runtime.elapsed
        pauses = Pauses(policy, runtime)

        def search(deadline: float) -> Keeper:
            repeats = Repeats(pauses, deadline, most=float("inf"), runtime=runtime)
            return repeats.run(find)

        self._search: SharedCall[Keeper] = SharedCall(
            search,
            owner=self._found,
            conn_id=conn_id,
            policy=policy,
            runtime=runtime,
        )

    @property
    def settled(self) -> Keeper | DeferredKeeper:
        """The keeper once it is found: it answers without the way through here."""
        return self._found.keeper or self

    def current(self, patience: Patience | None = None) -> TemporaryCredentials:
        """Return credentials to sign with now, as `Keeper.current` does.

        Raises:
            ConnProviderError: Who asks cannot be found out, or the renewal failed.
        """
        keeper = self._found.keeper
        if keeper is not None:
            return keeper.current(patience)
        patience = self.plan_wait(patience)
        while (keeper := self._found.keeper) is None:
            self._wait(patience)
        if keeper.expires_at is None:
            self._prepare()
        return keeper.current(patience)

    def _wait(self, patience: Patience) -> None:
        attempt = self._search.join()
        if attempt is None:
            return
        failure = self._search.wait(attempt, patience.ends_at)
        if failure is not None and not failure.interrupted:
            raise failure.build()

    def plan_wait(self, before: Patience | None = None) -> Patience:
        """Return how long a caller waits who comes now, or who waited `before`."""
        keeper = self._found.keeper
        if keeper is not None:
            return keeper.plan_wait(before)
        ends_at = self._search.end_patience()
        return Patience(ends_at, ends_at) if before is None else before

    def limit_wait(self, patience: Patience) -> float:
        """Return the seconds that a caller may wait now before he asks again."""
        keeper = self._found.keeper
        if keeper is not None:
            return keeper.limit_wait(patience)
        return max(0.0, patience.ends_at - self._elapsed())

    def current_nowait(
        self, patience: Patience | None = None
    ) -> TemporaryCredentials | None:
        """Return credentials, or None where `current` would wait; see `Keeper`.

        Raises:
            ConnProviderError: Who asks cannot be found out, or the renewal failed.
        """
        keeper = self._found.keeper
        if keeper is not None:
            return keeper.current_nowait(patience)
        self._search.join()
        if patience is not None and not self.limit_wait(patience):
            raise self._search.overdue().build()
        return None

    def renewal(self) -> Future[Any]:
        """Return what to wait for: the search, then the renewal.

        Raises:
            ConnProviderError: Who asks cannot be found out, or the renewal failed.
        """
        while (keeper := self._found.keeper) is None:
            attempt = self._search.join()
            if attempt is not None:
                return attempt.future
        return keeper.renewal()

    def find_held(self) -> Held | None:
        """Return the credentials in memory; None before the keeper is found."""
        keeper = self._found.keeper
        return None if keeper is None else keeper.find_held()

    def count_left(self, held: Held) -> float:
        """Return the seconds for which they are served; see `Keeper`."""
        return max(held.ends_at, held.serve_until) - self._elapsed()

    def count_valid(self, held: Held) -> float:
        """Return the seconds until they expire; see `Keeper`."""
        return held.ends_at - self._elapsed()

    def wait_ahead(self, within_seconds: float, *, least_age_seconds: float) -> None:
        """Renew early and block; see `Keeper`. Before the keeper is found: nothing."""
        keeper = self._found.keeper
        if keeper is not None:
            keeper.wait_ahead(within_seconds, least_age_seconds=least_age_seconds)

    def renew_ahead(
        self, within_seconds: float, *, least_age_seconds: float | None = None
    ) -> Future[Any] | None:
        """Return the running renewal, begun early; see `Keeper`.

        Raises:
            ConnProviderError: A renewal has just failed, and there are no valid
                credentials.
        """
        keeper = self._found.keeper
        if keeper is None:
            return None
        return keeper.renew_ahead(within_seconds, least_age_seconds=least_age_seconds)

    @property
    def expires_at(self) -> datetime.datetime | None:
        """When the current credentials expire, aware; None if there are none."""
        keeper = self._found.keeper
        return None if keeper is None else keeper.expires_at

    @property
    def is_failing(self) -> bool:
        """Whether the last renewal failed; see `Keeper`."""
        keeper = self._found.keeper
        return keeper is not None and keeper.is_failing

    def is_renewal_due(self, within_seconds: float | None = None) -> bool:
        """Return whether fewer than `within_seconds` are left; see `Keeper`."""
        keeper = self._found.keeper
        return keeper is None or keeper.is_renewal_due(within_seconds)


class FoundKeeper:
    """What the search found: the `Owner` of it."""

    def __init__(self, delay: float = 0.0) -> None:
        self.keeper: Keeper | None = None
        self.failure: RememberedFailure | None = None
        self._delay = delay

    def is_due(self) -> bool:
        """Return whether it is still to be found."""
        return self.keeper is None

    def find_delay(self) -> float:
        """Return by how much the first exchange is put off: callers wait for both."""
        return self._delay

    def has_fallback(self) -> bool:
        """Return False: without a keeper there is nothing to serve."""
        return False

    def accept(
        self,
        value: Keeper,
        *,
        on_time: bool,  # noqa: ARG002 - of the protocol
    ) -> Callable[[], None]:
        """Keep the first one that is found, on time or not."""
        self.keeper = self.keeper or value
        return _report_nothing

    def lament(
        self,
        failure: Failure,  # noqa: ARG002 - of the protocol
    ) -> Callable[[], None]:
        """Do nothing: the search itself remembers the failure."""
        return _report_nothing


def _report_nothing() -> None:
    """Report nothing: the renewal has events of its own."""
