"""Run the probe of each engine that is here, and find out whose key it signed with."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from botocore_conn_provider.cli.engine_table import ENGINES, NOT_HERE
from botocore_conn_provider.cli.whoami.child_environment import (
    World,
    lead_abroad,
    signs_in,
    surround,
)
from botocore_conn_provider.cli.whoami.loopback_aws import LoopbackMachine, LoopbackS3
from botocore_conn_provider.cli.whoami.loopback_server import serve
from botocore_conn_provider.cli.whoami.marker_keys import MarkerKeys
from botocore_conn_provider.redaction import show_system_error, show_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from botocore_conn_provider.cli.engine_table import Engine, Runnable
    from botocore_conn_provider.cli.whoami.child_environment import Surroundings
    from botocore_conn_provider.connection.environment import ConnectionName, Environ

LONGEST_DETAIL = 240
COLOURS = r"\x1b\[[0-9;]*m"
NOT_TRIED = "not tried: the profile signs in at a portal, which it would ask directly"
LAST_BYTES = 8192
SHOWN_CHARACTERS = 4


class Sighting(NamedTuple):
    """As whom an engine would sign. `key_ends` are the last four of a foreign key id."""

    name: str
    version: str | None
    identity: str
    key_ends: str | None = None
    detail: str | None = None


def try_engines(
    live: Environ, name: ConnectionName, *, timeout_seconds: float
) -> list[Sighting]:
    """Try every engine that is here, as many at a time as there are cores.

    `live` is the environment as programs that are started now would have it.
    """
    machine, role = MarkerKeys.make(), MarkerKeys.make()
    with serve(LoopbackMachine(machine, role)) as url:
        surroundings = surround(live, name, World(url, machine, role))
        trial = Trial(surroundings, timeout_seconds)
        found = [
            (engine, place)
            for engine in ENGINES
            if (place := engine.find(live)) is not None
        ]
        with ThreadPoolExecutor(os.cpu_count()) as pool, trial.ending_children():
            sightings = list(pool.map(lambda pair: trial.run(*pair), found))
    return [sighting for sighting in sightings if sighting is not None]


class Trial:
    """Runs probes. Thread safety: each run has a server, a child and a file of its own."""

    def __init__(self, surroundings: Surroundings, timeout_seconds: float) -> None:
        self._identities = surroundings.identities
        self._environ = surroundings.environ
        self._timeout_seconds = timeout_seconds
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_over = False

    def run(self, engine: Engine, found: Runnable) -> Sighting | None:
        """Return as whom the engine signs; None if its probe did not find it."""
        if engine.asks_portals and signs_in(self._environ):
            return Sighting(engine.name, found.version, "error", detail=NOT_TRIED)
        try:
            return self._run_probe(engine, found)
        except OSError as error:
            words = f"its probe cannot be started ({show_system_error(error)})"
            return Sighting(engine.name, found.version, "error", detail=words)

    def _run_probe(self, engine: Engine, found: Runnable) -> Sighting | None:
        s3 = LoopbackS3()
        with serve(s3) as url, tempfile.TemporaryFile() as said:
            environ = {**self._environ, **lead_abroad(url), **engine.variables}
            ended = self._run_child([*found.command, url], environ, said.fileno())
            if ended == NOT_HERE:
                return None
            said.seek(max(0, said.seek(0, os.SEEK_END) - LAST_BYTES))
            text = re.sub(COLOURS, "", said.read().decode(errors="replace"))
        sighting = Sighting(engine.name, found.version or s3.version, "error")
        identity, key_ends, detail = self._judge(s3, ended, text)
        note = "" if identity in ("connection", "endpoint") else engine.note
        details = [part for part in (detail, note) if part]
        return sighting._replace(
            identity=identity, key_ends=key_ends, detail="; ".join(details) or None
        )

    def _run_child(
        self, command: Iterable[str], environ: Mapping[str, str], said: int
    ) -> int | None:
        """Return the exit status; None if the child had to be ended."""
        if self._is_over:
            return None
        child = subprocess.Popen(  # noqa: S603 - of the table
            [*command],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        self._running.add(child)
        try:
            return child.wait(self._timeout_seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _end(child)
            self._running.discard(child)

    @contextlib.contextmanager
    def ending_children(self) -> Iterator[None]:
        """End what still runs at the end of the context, as after Ctrl-C."""
        try:
            yield
        finally:
            self._is_over = True
            for child in list(self._running):
                _end(child)

    def _judge(
        self, s3: LoopbackS3, ended: int | None, text: str
    ) -> tuple[str, str | None, str]:
        """Return the identity, the last four of a key that is not ours, and words."""
        key_id = s3.find_signer()
        if key_id is not None:
            identity, words = self._identities.get(key_id, ("other", ""))
            is_ours = identity in ("connection", "machine")
            return identity, None if is_ours else key_id[-SHOWN_CHARACTERS:], words
        if s3.key_ids:
            return "unsigned", None, ""
        if s3.wanted:
            words = f"it would first ask {s3.wanted[-1]}, which is not done here"
            return "error", None, words
        if ended is None:
            return "error", None, f"no request within {self._timeout_seconds:g} s"
        lines = [line for line in text.splitlines() if line.strip()]
        words = show_words(lines[-1], LONGEST_DETAIL) if lines else "it said nothing"
        return "error", None, words


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill a child with all that it started, and wait for it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
