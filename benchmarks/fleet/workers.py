"""Workers that sign a request every second: ours, and botocore's."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import logging
import math
from typing import TYPE_CHECKING, Any

from botocore.credentials import DeferredRefreshableCredentials

from benchmarks.fleet.simulated_node import SimulatedStore
from benchmarks.fleet.simulated_sts import BusyError, NoAnswerError, SimulatedSts
from botocore_conn_provider.errors import ConnProviderError, StsExchangeError
from botocore_conn_provider.exchange.flow import TemporaryCredentials
from botocore_conn_provider.exchange.sts_config import CONNECT_TIMEOUT_SECONDS
from botocore_conn_provider.renewal.keeper import Keeper
from botocore_conn_provider.renewal.runtime import Runtime
from botocore_conn_provider.renewal.schedule import RenewalPolicy
from botocore_conn_provider.secret import KeyId, Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.fleet.simulated_node import SimulatedNode
    from benchmarks.fleet.simulated_time import SimulatedTime
    from botocore_conn_provider.exchange.flow import Repeat
    from botocore_conn_provider.renewal.schedule import Patience

    Uniform = Callable[[float, float], float]

EPOCH = 1_800_000_000.0
# A worker signs once a second. What only reads memory is not simulated.
USE_SECONDS = 1.0
FIRST_BREATH = 1e-3
# botocore's own: connect_timeout, and _retry.json with retryhandler.delay_exponential.
BOTOCORE_CONNECT_SECONDS, BOTOCORE_ATTEMPTS = 60.0, 5


class Worker:
    """A process that uses credentials from the first moment on.

    Args:
        time: The clock.
        phase: Which part of each second it signs in.
    """

    def __init__(self, time: SimulatedTime, phase: float) -> None:
        self._time = time
        self._phase = phase
        time.call_at(0.0, self.use)

    def use(self) -> None:
        """Sign a request."""
        raise NotImplementedError

    def _use_from(self, moment: float) -> None:
        """Sign next at the first second that begins then or later."""
        moment = max(moment, self._time.now + FIRST_BREATH)
        seconds = math.ceil((moment - self._phase) / USE_SECONDS)
        self._time.call_at(self._phase + seconds * USE_SECONDS, self.use)


class OurWorker(Worker):
    """One with a keeper, and the store of its node.

    It asks as an event loop does (`current_nowait`), with the caller's own patience.

    Attributes:
        failed: How many seconds it had no credentials to sign with, and was told so.
    """

    numbers = itertools.count()

    def __init__(
        self,
        time: SimulatedTime,
        sts: SimulatedSts,
        *,
        node: SimulatedNode,
        uniform: Uniform,
    ) -> None:
        runtime = Runtime(
            now=lambda: EPOCH + time.now,
            elapsed=lambda: time.now,
            pause=time.sleep,
            uniform=uniform,
            start_thread=time.start,
            announce=lambda _: None,
        )
        self._sts = sts
        self._keeper = Keeper(
            self._fetch,
            conn_id="fleet",
            policy=RenewalPolicy(start_delay_seconds=node.delay),
            store=SimulatedStore(node, runtime),
            runtime=runtime,
        )
        self._patience: Patience | None = None
        self.failures = 0
        super().__init__(time, uniform(0.0, USE_SECONDS))

    def _fetch(self, repeat: Repeat) -> TemporaryCredentials:
        return repeat(self._exchange)

    def _exchange(self) -> TemporaryCredentials:
        try:
            ends = self._sts.ask(CONNECT_TIMEOUT_SECONDS)
        except BusyError:
            raise StsExchangeError(
                conn_id="fleet", cause="busy.", retryable=True, code="Unavailable"
            ) from None
        except NoAnswerError:
            raise StsExchangeError(
                conn_id="fleet", cause="no answer.", retryable=True
            ) from None
        ends_at = datetime.datetime.fromtimestamp(EPOCH + ends, datetime.timezone.utc)
        number = f"ASIA{next(self.numbers):016d}"
        return TemporaryCredentials(KeyId(number), Secret("s"), Secret("t"), ends_at)

    def use(self) -> None:
        """Sign, or wait for the renewal as a caller does."""
        keeper = self._keeper
        try:
            if keeper.current_nowait(self._patience) is None:
                self._patience = keeper.plan_wait(self._patience)
                self._come_back(keeper.limit_wait(self._patience))
                return
            self._patience = None
            if keeper.is_renewal_due():
                self._come_back(USE_SECONDS)
                return
        except ConnProviderError:
            self.failures += 1
            known = keeper.state.failure
            self._patience = None
            self._use_from(self._time.now if known is None else known.ends)
            return
        held = keeper.state.held
        self._use_from(self._time.now if held is None else held.renew_at)

    def _come_back(self, seconds: float) -> None:
        """Sign again when the renewal ends, or after so long."""
        renewal = self._keeper.renewal()
        is_back: list[bool] = []

        def come_back(*_: Any) -> None:
            if not is_back:
                is_back.append(True)
                self.use()

        def end_wait(*_: Any) -> None:
            self._time.call_at(self._time.now, come_back)

        renewal.add_done_callback(end_wait)
        self._time.call_at(self._time.now + max(seconds, FIRST_BREATH), come_back)


class BotocoreWorker(Worker):
    """One with botocore's credentials of a role, in a process of its own.

    They are the real `DeferredRefreshableCredentials`, as its provider of a profile's
    role makes them; its fetcher's cache is a dictionary of the process, with the same
    window of 15 minutes, so it never has anything. The retries are those of its legacy
    mode, which is the default: five attempts, the pause before the next one a random
    part of 1, 2, 4 and 8 s.
    """

    def __init__(
        self, time: SimulatedTime, sts: SimulatedSts, *, uniform: Uniform
    ) -> None:
        self._sts = sts
        self._uniform = uniform
        self.failures = 0
        self._credentials: Any = DeferredRefreshableCredentials(
            self._fetch, "assume-role", time_fetcher=lambda: _show_time(time.now)
        )
        super().__init__(time, uniform(0.0, USE_SECONDS))

    def use(self) -> None:
        """Sign; a caller that has to fetch waits as long as the client does."""
        self._time.start(self._sign)

    def _sign(self) -> None:
        credentials = self._credentials
        try:
            credentials.get_frozen_credentials()
        except (BusyError, NoAnswerError):
            self.failures += 1
        due = self._time.now
        if not credentials.refresh_needed():
            ends = credentials._expiry_time.timestamp() - EPOCH
            due = ends - credentials._advisory_refresh_timeout
        self._use_from(due + FIRST_BREATH)

    def _fetch(self) -> dict[str, str]:
        for attempt in range(BOTOCORE_ATTEMPTS - 1):
            with contextlib.suppress(BusyError, NoAnswerError):
                return self._exchange()
            self._time.sleep(self._uniform(0.0, 1.0) * 2**attempt)
        return self._exchange()

    def _exchange(self) -> dict[str, str]:
        ends = _show_time(self._sts.ask(BOTOCORE_CONNECT_SECONDS)).isoformat()
        return {
            "access_key": "A",
            "secret_key": "s",
            "token": "t",
            "expiry_time": ends,
        }


def _show_time(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(EPOCH + seconds, datetime.timezone.utc)


# A warning with a traceback for each of a thousand failed renewals.
logging.getLogger("botocore.credentials").disabled = True
