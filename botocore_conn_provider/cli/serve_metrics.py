"""What `serve` tells of itself and of the machine's store, in Prometheus's text format.

No library writes it: each figure is one line, and a test reads them with Prometheus's
own parser.

Source: Prometheus, "Exposition formats", text format 0.0.4.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Literal

from botocore_conn_provider.cli.top.rows import look
from botocore_conn_provider.events import add_listener, remove_listener
from botocore_conn_provider.renewal.store.directory import UnsafeStoreError
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from botocore_conn_provider.cli.top.rows import Row
    from botocore_conn_provider.endpoint.endpoint import Answered
    from botocore_conn_provider.endpoint.supply import Supply
    from botocore_conn_provider.events import Event

PREFIX = "botocore_conn_"
# The kinds of event that end a renewal.
OUTCOMES = {"renewal_succeeded": "succeeded", "renewal_failed": "failed"}
ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

Labels = dict[str, str]
Samples = list[tuple[Labels, float]]


class Metric(Value):
    """A kind of figure; `name` is without the prefix."""

    name: str
    kind: Literal["counter", "gauge"]
    meaning: str


EXPIRY = Metric(
    "credentials_expiry_timestamp_seconds",
    "gauge",
    "When the served credentials expire; absent if there are none.",
)
RENEWALS = Metric(
    "renewals_total",
    "counter",
    "Renewals of this process, from the source or from the store.",
)
ANSWERS = Metric(
    "answers_total",
    "counter",
    "Answers of this endpoint to programs that asked for credentials.",
)
STORE_EXPIRY = Metric(
    "store_expiry_timestamp_seconds",
    "gauge",
    "When the credentials expire that this machine's processes share.",
)
STORE_RENEWED = Metric(
    "store_last_renewal_timestamp_seconds",
    "gauge",
    "When a process of this machine last got new credentials.",
)
STORE_FAILING = Metric(
    "store_failing", "gauge", "Whether the last exchange failed: 1 or 0."
)
STORE_ASKS = Metric(
    "store_asks_total",
    "counter",
    "Exchanges of all processes of this machine with the source.",
)


class ServeMetrics:
    """Counts what happens from now on, and writes it.

    Thread safety: a lock protects the counts, which several threads change.

    Args:
        supply: Has the credentials that are served.
        conn_id: The connection.
        store_path: The machine's store; None if there is none.
    """

    def __init__(
        self, supply: Supply, *, conn_id: str, store_path: Path | None
    ) -> None:
        self._supply = supply
        self._connection = {"connection": conn_id}
        self._store_path = store_path
        self._lock = threading.Lock()
        self._answers: Counter[str] = Counter()
        self._renewals = Counter(dict.fromkeys(OUTCOMES.values(), 0))

    @contextlib.contextmanager
    def counting(self) -> Iterator[None]:
        """Count this process's renewals inside the block."""
        add_listener(self._listen)
        try:
            yield
        finally:
            remove_listener(self._listen)

    def count_answer(self, answered: Answered) -> None:
        """Count an answer of the endpoint."""
        with self._lock:
            self._answers[answered.code] += 1

    def _listen(self, event: Event) -> None:
        if event.kind in OUTCOMES:
            with self._lock:
                self._renewals[OUTCOMES[event.kind]] += 1

    def write(self) -> bytes:
        """Return all figures as they are now."""
        with self._lock:
            answers, renewals = dict(self._answers), dict(self._renewals)
        lines = [
            *_write(EXPIRY, self._find_expiry()),
            *_write(RENEWALS, self._label("outcome", renewals)),
            *_write(ANSWERS, self._label("code", answers)),
            *self._write_store(),
        ]
        return ("\n".join(lines) + "\n").encode("utf-8", "replace")

    def _label(self, name: str, counts: dict[str, int]) -> Samples:
        return [({**self._connection, name: kind}, n) for kind, n in counts.items()]

    def _find_expiry(self) -> Samples:
        left = self._supply.find_seconds_left()
        return [] if left is None else [(self._connection, time.time() + left)]

    def _write_store(self) -> list[str]:
        if self._store_path is None:
            return []
        try:
            rows = look(self._store_path).rows
        except UnsafeStoreError:
            return []
        return list(_write_rows(rows))


def _write_rows(rows: Sequence[Row]) -> Iterator[str]:
    """Write the store's figures, each for all identities."""
    wall = time.time()
    expiries, renewed, failing, asks = [], [], [], []
    for row in rows:
        labels, log, renewal = _label(row), row.log, row.log.renewal
        if row.seconds_left is not None:
            expiries.append((labels, wall + row.seconds_left))
        if renewal is not None:
            renewed.append((labels, wall - row.now + renewal.at))
        failing.append((labels, float(log.is_failing)))
        succeeded = log.total - log.failed
        asks.append(({**labels, "outcome": "succeeded"}, float(succeeded)))
        asks.append(({**labels, "outcome": "failed"}, float(log.failed)))
    yield from _write(STORE_EXPIRY, expiries)
    yield from _write(STORE_RENEWED, renewed)
    yield from _write(STORE_FAILING, failing)
    yield from _write(STORE_ASKS, asks)


def _label(row: Row) -> Labels:
    return {
        "connection": row.log.subject.conn_id,
        "role_arn": row.log.subject.role_arn or "",
        "identity": row.identity,
    }


def _write(metric: Metric, samples: Samples) -> Iterator[str]:
    """Write what the metric means, and its value for each set of labels."""
    name = f"{PREFIX}{metric.name}"
    yield f"# HELP {name} {metric.meaning}"
    yield f"# TYPE {name} {metric.kind}"
    for labels, value in samples:
        inner = ",".join(f'{k}="{v.translate(ESCAPES)}"' for k, v in labels.items())
        yield f"{name}{{{inner}}} {value:.17g}"
