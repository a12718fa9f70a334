"""The credentials of a rehearsed job: which sets there are, and since when they are dead.

Thread safety: a set is an immutable value; the tables are dictionaries whose single
steps are atomic.
"""

from __future__ import annotations

import datetime
import time
from typing import TYPE_CHECKING

from botocore_conn_provider.rehearsal.notes import name_set, read_notes, show_key_id
from botocore_conn_provider.renewal.runtime import find_steady_clock
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from botocore_conn_provider.exchange.flow import TemporaryCredentials
    from botocore_conn_provider.rehearsal.notes import Notes

# Between reading keys and sending: a scheduler's pause, not a network's. A set's last
# quarter is given to nobody whose renewal works, so nothing that renews comes near it.
GRACE_SECONDS, GRACE_PART = 2.0, 0.5
# How often the notes of other processes are looked at for a key id of theirs.
LOOK_SECONDS = 0.5
FOREVER = float("inf")
# What all ids of temporary credentials begin with. Source: IAM User Guide, identifiers.
TEMPORARY = "ASIA"


class RehearsedSet(Value):
    """One set of credentials. `dead_at` is on the clock that nobody sets."""

    name: str
    dead_at: float


class Sets:
    """The sets that this process has issued, and those of the job's other processes.

    Args:
        seconds: How long a set lives.
        notes: Of this process.
    """

    def __init__(self, seconds: float, notes: Notes) -> None:
        self._seconds = seconds
        self._notes = notes
        self._elapsed = find_steady_clock()
        self._known: dict[str, RehearsedSet] = {}
        self._others: dict[str, RehearsedSet] = {}
        self._offsets: dict[str, int] = {}
        self._looked_at = -FOREVER

    def shorten(
        self, credentials: TemporaryCredentials, conn_id: str
    ) -> TemporaryCredentials:
        """Return new credentials with an earlier end; note them."""
        key_id = str(credentials.access_key_id)
        name = name_set(self._notes.directory, key_id)
        if not credentials.session_token or key_id in self._known:
            # Keys without an end, or a source that gives the same set again.
            self._know(key_id, conn_id, RehearsedSet(name, FOREVER), ends=None)
            return credentials
        began = credentials.server_time
        if began is None:
            began = datetime.datetime.now(datetime.timezone.utc)
        ends = began + datetime.timedelta(seconds=self._seconds)
        ends = min(credentials.expires_at, ends)
        lives = max(0.0, (ends - began).total_seconds())
        dead_at = self._elapsed() + lives + min(GRACE_SECONDS, lives * GRACE_PART)
        new = RehearsedSet(name, dead_at)
        self._know(key_id, conn_id, new, ends=time.time() + lives)
        return credentials._replace(expires_at=ends)

    def _know(
        self, key_id: str, conn_id: str, new: RehearsedSet, *, ends: float | None
    ) -> None:
        self._known[key_id] = new
        self._notes.write(
            "issued",
            set=new.name,
            shown=show_key_id(key_id),
            conn_id=conn_id,
            dead_at=None if ends is None else new.dead_at,
            ends=ends,
        )

    def find(self, key_id: str) -> RehearsedSet | None:
        """Return the set of that key id; None if the job has issued none such."""
        found = self._known.get(key_id)
        if found is not None or not key_id.startswith(TEMPORARY):
            return found
        name = name_set(self._notes.directory, key_id)
        if name not in self._others:
            self._look()
        return self._others.get(name)

    def _look(self) -> None:
        now = self._elapsed()
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        for note in read_notes(self._notes.directory, self._offsets):
            if note.get("kind") == "issued":
                dead_at = note["dead_at"]
                lasts = FOREVER if dead_at is None else float(dead_at)
                self._others[note["set"]] = RehearsedSet(note["set"], lasts)

    def is_dead(self, known: RehearsedSet) -> bool:
        """Return whether AWS would no longer accept it."""
        return self._elapsed() >= known.dead_at
