"""The store of a simulated node: the real one's rules, on memory instead of files."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.fleet.simulated_time import Bell
from botocore_conn_provider.renewal.store.failure_record import KnownFailure
from botocore_conn_provider.renewal.store.machine_store import MachineStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.fleet.simulated_time import SimulatedTime
    from botocore_conn_provider.errors import ConnProviderError
    from botocore_conn_provider.renewal.runtime import Runtime
    from botocore_conn_provider.renewal.schedule import Issued

# The setting's default: 0.8 of 30 s.
LOCK_SECONDS = 24.0


class SimulatedNode:
    """What the workers of a node share: an entry, a record, a lock.

    `delay` is by how much its first exchange is put off. It has the methods of `machine_store.Place`, of its lock and of its record. Nothing
    here decides when anybody asks: that is `MachineStore` and `Turn`.
    """

    def __init__(
        self,
        time: SimulatedTime,
        uniform: Callable[[float, float], float],
        *,
        delay: float = 0.0,
    ) -> None:
        self.delay = delay
        self._time = time
        self._bell = Bell(time, uniform)
        self._entry: Issued | None = None
        self._failure: KnownFailure | None = None
        self.holder: object | None = None
        self.pulse = 0
        self.wait = self._bell.wait

    @property
    def failures(self) -> SimulatedNode:
        """The record."""
        return self

    def look(self, accept: Callable[[Issued], bool]) -> Issued | None:
        """Return the entry if it is accepted."""
        entry = self._entry
        return entry if entry is not None and accept(entry) else None

    def put(self, issued: Issued) -> None:
        """Store an entry."""
        self._entry = issued
        self._bell.ring()

    def read(self) -> KnownFailure | None:
        """Return the record."""
        return self._failure

    def write(self, error: ConnProviderError, *, seconds: float, failed: int) -> None:
        """Record a failure."""
        now = self._time.now
        self._failure = KnownFailure(
            type(error).__name__, vars(error)["kwargs"], now, now + seconds, failed
        )
        self._bell.ring()

    def forget(self) -> None:
        """Delete the record."""
        self._failure = None

    def note(self, *_: object, **__: object) -> None:
        """Do without a note for people."""

    def open_lock(self) -> SimulatedLock:
        """Return the lock, not yet acquired."""
        return SimulatedLock(self, self._bell)


class SimulatedLock:
    """A `StoreLock` of the node."""

    def __init__(self, node: SimulatedNode, bell: Bell) -> None:
        self._node = node
        self._bell = bell

    def try_acquire(self) -> bool:
        """Take it if it is free."""
        if self._node.holder is not None:
            return False
        self._node.holder = self
        return True

    def beat(self) -> None:
        """Count a new holder."""
        self._node.pulse += 1

    def read_pulse(self) -> int:
        """Return the count."""
        return self._node.pulse

    def close(self) -> None:
        """Release it."""
        if self._node.holder is self:
            self._node.holder = None
            self._bell.ring()


class SimulatedStore(MachineStore):
    """The real store, on a simulated node."""

    def __init__(self, node: SimulatedNode, runtime: Runtime) -> None:
        super().__init__(
            Path("/nowhere"), "", lock_seconds=LOCK_SECONDS, runtime=runtime
        )
        self._node = node

    def _open(self) -> contextlib.AbstractContextManager[Any]:
        return contextlib.nullcontext(self._node)
