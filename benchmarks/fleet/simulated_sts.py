"""An STS that counts who asks, with its quota and its outages."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.fleet.simulated_time import SimulatedTime

LIFETIME_SECONDS = 3600.0
ANSWER_SECONDS = (0.15, 0.35)
# Source: "IAM and AWS STS quotas" of the IAM user guide: requests a second, for each
# account and Region, of AssumeRole and five other calls together.
QUOTA = 600

Kind = Literal["busy", "unreachable"]


class Outage(NamedTuple):
    """STS answers 503, or nothing at all."""

    kind: Kind
    begins: float
    ends: float


class BusyError(Exception):
    """STS answered that it is busy: its quota, or an outage."""


class NoAnswerError(Exception):
    """No connection came about."""


class SimulatedSts:
    """Where all workers ask.

    Args:
        time: The clock.
        uniform: For how long an answer takes.
        quota: Requests a second.
        outage: When it is down.

    Attributes:
        asked: How often it was asked, by the second. What was not reached does not count.
        refused: How many of these were answered with an error.
        tried: How many connections did not come about.
    """

    def __init__(
        self,
        time: SimulatedTime,
        uniform: Callable[[float, float], float],
        *,
        quota: float = QUOTA,
        outage: Outage | None = None,
    ) -> None:
        self._time = time
        self._uniform = uniform
        self._quota = quota
        self._outage = outage
        self._tokens, self._filled_at = quota, 0.0
        self.asked: Counter[int] = Counter()
        self.refused: Counter[int] = Counter()
        self.tried: Counter[int] = Counter()

    def ask(self, connect_seconds: float) -> float:
        """Return when new credentials end; waits as an exchange does.

        Raises:
            BusyError: STS said so.
            NoAnswerError: No connection within `connect_seconds`.
        """
        outage = self._outage
        is_down = outage is not None and outage.begins <= self._time.now < outage.ends
        if is_down and outage is not None and outage.kind == "unreachable":
            self.tried[int(self._time.now)] += 1
            self._time.sleep(connect_seconds)
            raise NoAnswerError
        second = int(self._time.now)
        self.asked[second] += 1
        is_busy = is_down or not self._has_token()
        self._time.sleep(self._uniform(*ANSWER_SECONDS))
        if is_busy:
            self.refused[second] += 1
            raise BusyError
        return self._time.now + LIFETIME_SECONDS

    def _has_token(self) -> bool:
        """Take one of the bucket, which is refilled all the time."""
        now = self._time.now
        filled = self._tokens + (now - self._filled_at) * self._quota
        self._tokens, self._filled_at = min(self._quota, filled), now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
