"""A keeper in virtual time, with a source that does as it is told, and its callers."""

from __future__ import annotations

import datetime
import random
from typing import TYPE_CHECKING

from botocore_conn_provider.exchange.flow import TemporaryCredentials
from botocore_conn_provider.renewal.keeper import Keeper
from botocore_conn_provider.renewal.runtime import Runtime
from botocore_conn_provider.renewal.schedule import RenewalPolicy
from botocore_conn_provider.secret import KeyId, Secret
from botocore_conn_provider.sessions.presigned_urls import find_least_age
from tests.renewal.simulation import EPOCH
from tests.renewal.virtual_time import VirtualTime

if TYPE_CHECKING:
    from botocore_conn_provider.events import Event
    from botocore_conn_provider.renewal.deferred_keeper import DeferredKeeper
    from tests.renewal.virtual_time import Actor

DEADLINE = 30.0
HANGS = 1e9


class Caller:
    """One call, from the caller's coming to his leaving.

    With `url_seconds` it is for a presigned URL that has to live for so long.
    """

    def __init__(self, world: WaitingWorld, url_seconds: float | None = None) -> None:
        held = world.keeper.state.held
        self.came = world.time.now
        self.left: float | None = None
        self.got: TemporaryCredentials | None = None
        self.error: BaseException | None = None
        self.could_be_served = held is not None and (
            held.serve_until > world.read_steady_clock()
        )
        self._world = world
        self._url_seconds = url_seconds
        self.actor: Actor = world.time.spawn(self._call)

    def _call(self) -> None:
        try:
            if self._url_seconds is not None:
                self._prepare_url(self._url_seconds)
            self.got = self._world.asks.current()
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - looked at
            self.error = error
        self.left = self._world.time.now

    def _prepare_url(self, seconds: float) -> None:
        held = self._world.keeper.find_held()
        if held is not None:
            age = find_least_age(held)
            self._world.keeper.wait_ahead(seconds, least_age_seconds=age)

    @property
    def waited(self) -> float:
        """How long, until now if he still waits."""
        return (self._world.time.now if self.left is None else self.left) - self.came


class WaitingWorld:
    """Clocks that can be wrong, a source, and a keeper.

    Attributes:
        answer_seconds: How long the source takes.
        fault: What it raises then; None for credentials.
        wall_is_off: By how much our wall clock is wrong, in seconds.
        server_is_off: By how much the server's is.
        ends: When each set really ends, by its access key id, in virtual time.
        asked: When the source was asked.
        asks: Whom callers ask for credentials.
    """

    def __init__(self, *, lifetime: float = 3600, seed: int = 1) -> None:
        self.time = VirtualTime()
        self.lifetime = lifetime
        self.answer_seconds = 1.0
        self.fault: Exception | None = None
        self.wall_is_off = self.server_is_off = 0.0
        self.ends: dict[str, float] = {}
        self.asked: list[float] = []
        self.events: list[tuple[float, Event]] = []
        self.callers: list[Caller] = []
        self.keeper = Keeper(
            lambda _: self._fetch(),
            conn_id="x",
            policy=RenewalPolicy(deadline_seconds=DEADLINE),
            runtime=Runtime(
                now=lambda: EPOCH + self.time.now + self.wall_is_off,
                elapsed=self.read_steady_clock,
                pause=self.time.sleep,
                uniform=random.Random(seed).uniform,  # noqa: S311 - repeats itself
                start_thread=self._start,
                wait=self.time.wait,
                announce=lambda event: self.events.append((self.time.now, event)),
            ),
        )

        self.asks: Keeper | DeferredKeeper = self.keeper

    def read_steady_clock(self) -> float:
        """Return the keeper's steady clock."""
        return self.time.now

    def call(self, url_seconds: float | None = None) -> Caller:
        """Have a new caller ask for credentials, and act until all wait."""
        caller = Caller(self, url_seconds)
        self.callers.append(caller)
        self.time.run()
        return caller

    def _start(self, work: object) -> None:
        self.time.spawn(work)  # type: ignore[arg-type]

    def _fetch(self) -> TemporaryCredentials:
        self.asked.append(self.time.now)
        name = f"ASIA{len(self.asked):016d}"
        fault = self.fault
        self.time.sleep(self.answer_seconds)
        if fault is not None:
            raise fault
        self.ends[name] = self.time.now + self.lifetime
        server_now = EPOCH + self.time.now + self.server_is_off
        date = datetime.datetime.fromtimestamp(server_now, datetime.timezone.utc)
        return TemporaryCredentials(
            KeyId(name),
            Secret(f"secret-{name}"),
            Secret(f"token-{name}"),
            # STS writes whole seconds, and so does the header.
            date.replace(microsecond=0) + datetime.timedelta(seconds=self.lifetime),
            # The header has whole seconds, too.
            server_time=date.replace(microsecond=0),
        )
