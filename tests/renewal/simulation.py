"""A world for a keeper: a clock that a test moves, and a source that it spoils."""

from __future__ import annotations

import datetime
import random
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.errors import StsExchangeError
from botocore_conn_provider.exchange.flow import TemporaryCredentials
from botocore_conn_provider.renewal.keeper import Keeper
from botocore_conn_provider.renewal.runtime import NoThreadError, Runtime, start_daemon
from botocore_conn_provider.renewal.schedule import RenewalPolicy
from botocore_conn_provider.secret import KeyId, Secret

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from botocore_conn_provider.events import Event
    from botocore_conn_provider.renewal.state import KeeperState

EPOCH = 1_800_000_000.0
MINUTE, HOUR = 60, 3600


def issue(number: int, expires_at: float, **more: Any) -> TemporaryCredentials:
    """Return the set of that number: all three parts carry it."""
    return TemporaryCredentials(
        access_key_id=KeyId(f"ASIA{number:016d}"),
        secret_access_key=Secret(f"secret-{number}"),
        session_token=Secret(f"token-{number}"),
        expires_at=datetime.datetime.fromtimestamp(expires_at, datetime.timezone.utc),
        **more,
    )


def build_fault(*, retryable: bool = True) -> StsExchangeError:
    return StsExchangeError(conn_id="x", cause="down.", retryable=retryable)


class Simulation:
    """Time stands still but for `pass_time`, pauses and slow exchanges.

    `in_threads` runs renewals in real threads; else they run at once, so that what
    follows from what is the same every time.
    """

    def __init__(
        self, *, lifetime: float = HOUR, seed: int = 1, in_threads: bool = False
    ) -> None:
        self.now = EPOCH
        self.lifetime = lifetime
        self.exchange_seconds = 0.0
        self.fault: BaseException | None = None
        self.asked: list[float] = []
        self.events: list[Event] = []
        self.pauses: list[float] = []
        self.threads_started = 0
        self.threads_allowed = True
        self.threads_interrupted = False
        self.gate: threading.Event | None = None
        self._in_threads = in_threads
        self._chance = random.Random(seed)  # noqa: S311 - a test repeats itself

    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    def fetch(self) -> TemporaryCredentials:
        self.asked.append(self.now)
        number = len(self.asked)
        if self.gate:
            assert self.gate.wait(60)
        self.now += self.exchange_seconds
        if self.fault is not None:
            raise self.fault
        return issue(number, self.now + self.lifetime)

    def build_keeper(
        self,
        policy: RenewalPolicy = RenewalPolicy(),  # noqa: B008 - immutable
        fetch: Callable[[], TemporaryCredentials] | None = None,
        **more: Any,
    ) -> Keeper:
        ask = fetch or self.fetch
        return Keeper(
            lambda _: ask(),
            conn_id="x",
            policy=policy,
            runtime=self.runtime(),
            **more,
        )

    def remake_keeper(self, state: KeeperState | None) -> Keeper:
        """Build one as the registry has it built."""
        return self.build_keeper(state=state)

    def runtime(self) -> Runtime:
        return Runtime(
            now=lambda: self.now,
            elapsed=lambda: self.now,
            pause=self._pause,
            uniform=self._chance.uniform,
            start_thread=self._start,
            announce=self.events.append,
        )

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def _start(self, work: Callable[[], None]) -> None:
        if not self.threads_allowed:
            raise NoThreadError
        if self.threads_interrupted:
            raise KeyboardInterrupt
        self.threads_started += 1
        if self._in_threads:
            start_daemon(work)
        else:
            work()
