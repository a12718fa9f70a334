"""Take turns at asking, so that the processes of a machine ask as one does.

The lock is held while something is asked, and not during the pauses between the
retries: so who is stuck (a process whose proxy is wrong, say) keeps nobody from asking.
After an answer that is no success, everyone waits until it may be asked again
(`failure_record`), or is raised what was answered.

While valid credentials are served nobody waits, and what was answered to one process
counts longer for the others: as long as that process would have let pass itself.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from botocore_conn_provider.connection.settings import LOCK_SHARE
from botocore_conn_provider.errors import ConnProviderError, CredentialFetchError
from botocore_conn_provider.renewal.schedule import Found
from botocore_conn_provider.renewal.store.failure_record import is_answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from typing_extensions import Self

    from botocore_conn_provider.renewal.repeats import Repeats
    from botocore_conn_provider.renewal.runtime import Runtime
    from botocore_conn_provider.renewal.schedule import Issued
    from botocore_conn_provider.renewal.store.failure_record import (
        FailureRecord,
        KnownFailure,
    )
    from botocore_conn_provider.renewal.store.lock import StoreLock

    # For the type checker alone: defining a protocol delays each start.
    class SharedPlace(Protocol):
        """What is shared: see `machine_store.Place`."""

        @property
        def failures(self) -> FailureRecord: ...
        def look(self, accept: Callable[[Issued], bool]) -> Issued | None: ...
        def open_lock(self) -> StoreLock: ...
        def wait(
            self, poll_seconds: tuple[float, float], most_seconds: float
        ) -> None: ...


logger = logging.getLogger(__name__)

# Between two looks for what the holder of the lock stores, and until the next ask.
POLL_SECONDS, LONG_POLL_SECONDS = (0.005, 0.05), (0.05, 0.2)
# Who was answered last lets the others go first: the answer may be his own fault.
YIELD_SECONDS = 0.5
# While valid credentials are served, one failure answers for all for that long at most:
# the shortest time after which a process by itself would try again.
SPARE_SECONDS = 300.0


class StoredMeanwhileError(BaseException):
    """Ends a fetch during one of its pauses: another process has stored credentials.

    It is no fault, so no handler of faults on its way may take it for one.
    """

    def __init__(self, issued: Issued) -> None:
        super().__init__()
        self.issued = issued


class Turn:
    """One process's turns during one attempt.

    Args:
        place: The identity's entry.
        accept: Which stored credentials end the attempt.
        repeats: Of the attempt; None for a caller that asks nobody.
        lock_seconds: How long to wait at most for a holder of the lock that does nothing.
        on_no_lock: Told that there are no locks here.
        clocks: The steady clock.

    Attributes:
        waited: The seconds spent waiting for others.
    """

    def __init__(
        self,
        place: SharedPlace,
        *,
        accept: Callable[[Issued], bool],
        repeats: Repeats | None,
        lock_seconds: float,
        on_no_lock: Callable[[OSError], None],
        clocks: Runtime,
    ) -> None:
        self._place = place
        self._accept = accept
        self._repeats = repeats
        self._lock_seconds = lock_seconds
        if repeats is not None:
            # The rest of the attempt is for an exchange of one's own.
            left = repeats.leaves_at - clocks.elapsed()
            self._lock_seconds = min(lock_seconds, LOCK_SHARE * left)
        self._on_no_lock = on_no_lock
        self._elapsed = clocks.elapsed
        self._lock: StoreLock | None = None
        self._not_before = 0.0 if repeats is None else repeats.starts_at
        self._told_at: float | None = None
        self._raised: BaseException | None = None
        self.waited = 0.0

    def run(self, fetch: Callable[[], Issued]) -> Found:
        """Return stored credentials, else what `fetch` returns at our turn.

        What it raises instead is told to the others. The lock is held until the end of
        the `with` block, so that what was fetched is stored first.
        """
        self._say_put_off()
        try:
            stored = self.take()
            if stored is None:
                issued = self._ask(fetch)
                return Found(issued, from_store=False, waited_seconds=self.waited)
        except StoredMeanwhileError as found:
            stored = found.issued
        except ConnProviderError as error:
            self._fail(error)
            raise
        return Found(stored, from_store=True, waited_seconds=self.waited)

    def _say_put_off(self) -> None:
        left = self._not_before - self._elapsed()
        if left > 0:
            logger.info(
                "The first exchange on this machine is put off by %.0f s, as"
                " start_spread_seconds says.",
                left,
            )

    def _ask(self, fetch: Callable[[], Issued]) -> Issued:
        if self._repeats is None:
            return fetch()
        self._repeats.turn = self
        try:
            return fetch()
        finally:
            self._repeats.turn = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def take(self) -> Issued | None:
        """Wait for the turn; return credentials if some were stored meanwhile.

        Raises:
            ConnProviderError: What was answered to another process, if it may not be
                asked again in time.
        """
        while True:
            stored = self._look_while_not_due()
            if stored is not None:
                return stored
            if not self._acquire():
                continue
            stored = self._place.look(self._accept)
            if stored is None and self._find_due() <= self._elapsed():
                return None
            self.release()
            if stored is not None:
                return stored

    def _look_while_not_due(self) -> Issued | None:
        """Return what is stored; None when it is time to ask and nothing was."""
        while True:
            stored = self._place.look(self._accept)
            left = self._find_due() - self._elapsed()
            if stored is not None or left <= 0:
                return stored
            self._wait(LONG_POLL_SECONDS, left)

    def _wait(self, poll_seconds: tuple[float, float], most_seconds: float) -> None:
        began = self._elapsed()
        self._place.wait(poll_seconds, most_seconds)
        self.waited += self._elapsed() - began

    def _find_due(self) -> float:
        """Return when it may be asked.

        Raises:
            ConnProviderError: Not in time.
        """
        if self._repeats is None:
            return 0.0
        known = self._place.failures.read()
        if known is None:
            return self._not_before
        self._repeats.pauses.catch_up(known.failed)
        now = self._elapsed()
        again_at = min(known.again_at, self._repeats.find_latest(known.told_at))
        if self._told_at == known.told_at:
            yields_until = again_at + YIELD_SECONDS
            # Not past the end: who waits for this attempt is told what was answered.
            again_at = (
                yields_until if yields_until < self._repeats.leaves_at else again_at
            )
        elif self._repeats.is_spared(now - known.told_at, SPARE_SECONDS) or (
            now < again_at
            and not (known.is_transient and again_at < self._repeats.leaves_at)
        ):
            raise self._tell(known)
        return max(self._not_before, again_at)

    def _tell(self, known: KnownFailure) -> ConnProviderError:
        self._raised = error = known.build(self._elapsed())
        if self._repeats is not None:
            self._repeats.stop()
        return error

    def _acquire(self) -> bool:
        """Take the lock, or go on without it; False if there is something new.

        Raises:
            ConnProviderError: Others held it in turn until the end of the attempt.
        """
        try:
            lock = self._lock = self._lock or self._place.open_lock()
            began, pulse = self._elapsed(), lock.read_pulse()
            while not lock.try_acquire():
                self._wait(POLL_SECONDS, self._lock_seconds)
                if lock.read_pulse() != pulse:
                    began, pulse = self._elapsed(), lock.read_pulse()
                if self._is_news():
                    return False
                if self._elapsed() - began >= self._lock_seconds:
                    return True
            lock.beat()
        except OSError as error:
            self._on_no_lock(error)
        return True

    def _is_news(self) -> bool:
        if self._place.look(self._accept) is not None:
            return True
        if self._repeats is None:
            return False
        if self._elapsed() >= self._repeats.leaves_at:
            raise self._give_up(self._repeats.conn_id)
        return self._find_due() > self._elapsed()

    def _give_up(self, conn_id: str) -> ConnProviderError:
        self._raised = error = CredentialFetchError(
            conn_id=conn_id,
            cause="other processes of this machine asked for the same credentials"
            " until the deadline, and got none.",
            hint="Check the network to STS and to the IdP.",
            retryable=True,
        )
        return error

    def pause(self, seconds: float, error: ConnProviderError) -> None:
        """Let the others go first for so long, and come back.

        Raises:
            StoredMeanwhileError: Credentials were stored.
            ConnProviderError: As `take`.
        """
        self._note(error, seconds)
        self.release()
        self._not_before = self._elapsed() + seconds
        stored = self.take()
        if stored is not None:
            raise StoredMeanwhileError(stored)

    def _fail(self, error: ConnProviderError) -> None:
        if self._repeats is not None and error is not self._raised:
            self._note(error, None)

    def _note(self, error: ConnProviderError, seconds: float | None) -> None:
        if self._repeats is None or not is_answer(error):
            return
        if seconds is None:
            seconds = self._repeats.choose_rest(error)
        failed = self._repeats.pauses.failed
        self._place.failures.write(error, seconds=seconds, failed=failed)
        known = self._place.failures.read()
        self._told_at = None if known is None else known.told_at

    def release(self) -> None:
        """Let go of the lock."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None
