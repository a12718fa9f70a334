"""Note what each identity's source was asked, for people to look at.

There is one file for each identity, beside its entry: which connection it is, until
when its credentials are good, which programs asked when, and what came of it. No key,
token or fingerprint is in it, and nothing about credentials is decided by it.

Concurrency: who asks mostly has the lock of the identity. Of two that ask without it,
one may overwrite the other's note.
"""

from __future__ import annotations

import json
import math
import os
import sys
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.events import describe
from botocore_conn_provider.redaction import shorten, show_conn_id
from botocore_conn_provider.renewal.store.directory import read_private, write_private
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.renewal.runtime import Runtime

FORMAT = 1
PREFIX, SHOWN_NAME = "asks-", 8
# Enough for an hour of a source that is asked five times a minute.
REMEMBERED_ASKS = 300
LONGEST_ERROR = 400
KEPT_SECONDS = 24 * 3600


class Subject(Value):
    """Whose credentials are asked for, as people know them."""

    conn_id: str
    role_arn: str | None = None


class NotedAsk(Value):
    """One exchange with a source. `at` is when it ended, on the clock that nobody sets."""

    at: float
    took_seconds: float
    succeeded: bool
    pid: int
    program: str
    host: str


class Fault(Value):
    """Why the last failed exchange failed; the text has no secret."""

    at: float
    text: str


class AskLog(Value):
    """What is known of one identity.

    Attributes:
        subject: Whose credentials they are.
        asks: The last ones, oldest first.
        total: How many there were since the first.
        failed: How many of these failed.
        ends_at: When the last credentials expire; None before the first success.
        lifetime_seconds: Of these.
        fault: Of the last failure; None if there was none.
    """

    subject: Subject
    asks: tuple[NotedAsk, ...] = ()
    total: int = 0
    failed: int = 0
    ends_at: float | None = None
    lifetime_seconds: float | None = None
    fault: Fault | None = None

    @property
    def renewal(self) -> NotedAsk | None:
        """The last ask that brought credentials, if it is still remembered."""
        return next((each for each in reversed(self.asks) if each.succeeded), None)

    @property
    def is_failing(self) -> bool:
        """Whether the last ask failed."""
        return bool(self.asks) and not self.asks[-1].succeeded

    def count_since(self, moment: float) -> int:
        """Return how many of the asks ended after that moment."""
        return sum(each.at > moment for each in self.asks)

    def add(
        self, ask: NotedAsk, *, ends_at: float | None, error: BaseException | None
    ) -> AskLog:
        """Return the log with one ask more; `ends_at` is that of new credentials."""
        added = self._replace(
            asks=(*self.asks, ask)[-REMEMBERED_ASKS:],
            total=self.total + 1,
            failed=self.failed + (not ask.succeeded),
        )
        if error is not None:
            fault = Fault(ask.at, shorten(describe(error), LONGEST_ERROR))
            return added._replace(fault=fault)
        lifetime = None if ends_at is None else ends_at - ask.at
        return added._replace(ends_at=ends_at, lifetime_seconds=lifetime)


class AskNotes:
    """The file of one identity in an opened directory."""

    def __init__(
        self, directory: int, entry_name: str, *, subject: Subject, clocks: Runtime
    ) -> None:
        self._directory = directory
        self._name = PREFIX + entry_name
        self._subject = subject
        self._clocks = clocks

    def add(
        self,
        *,
        began: float,
        ends_at: float | None = None,
        error: BaseException | None = None,
    ) -> None:
        """Add an ask that has just ended, with the end of what it brought or its error.

        Raises:
            OSError: It cannot be written.
        """
        at = self._clocks.elapsed()
        ask = NotedAsk(
            at=round(at, 1),
            took_seconds=round(at - began, 3),
            succeeded=error is None,
            pid=os.getpid(),
            program=name_program(),
            host=os.uname().nodename,
        )
        former = read_log(self._directory, self._name)
        if former is None or former.subject != self._subject:
            former = AskLog(self._subject)
        content = _write(former.add(ask, ends_at=ends_at, error=error))
        keep_until = self._clocks.now() + KEPT_SECONDS
        write_private(self._directory, self._name, content, keep_until=keep_until)


def name_program() -> str:
    """Return the name of the running program, without its arguments.

    Of `python -m package` that is the package.
    """
    path = sys.argv[0] if getattr(sys, "argv", None) else ""
    directory, name = os.path.split(path)
    if name in ("__main__.py", "-c", "-m", ""):
        name = os.path.basename(directory) if name == "__main__.py" else "python"  # noqa: PTH119 - any text
    return shorten(show_conn_id(name))


def read_logs(directory: int) -> Iterator[tuple[str, AskLog]]:
    """Yield the logs of all identities, in no order.

    The text with each tells it from others of the same connection and role; it is a
    piece of an HMAC, so it tells no more.
    """
    for name in os.listdir(directory):
        if name.startswith(PREFIX):
            log = read_log(directory, name)
            if log is not None:
                yield name[len(PREFIX) :][:SHOWN_NAME], log


def read_log(directory: int, name: str) -> AskLog | None:
    """Return one log; None if there is none that can be read."""
    try:
        content = read_private(directory, name)
        return None if content is None else _read(json.loads(content))
    except Exception:  # noqa: BLE001 - a file that is broken, or of another version
        return None


def _write(log: AskLog) -> bytes:
    body = {
        "format": FORMAT,
        **log._asdict(),
        "subject": log.subject._asdict(),
        # Many: they are kept without their names.
        "asks": [list(ask._asdict().values()) for ask in log.asks],
        "fault": None if log.fault is None else log.fault._asdict(),
    }
    written = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return written.encode("utf-8", "replace")


def _read(body: dict[str, Any]) -> AskLog | None:
    if body["format"] != FORMAT:
        return None
    subject, fault = body["subject"], body["fault"]
    return AskLog(
        subject=Subject(str(subject["conn_id"]), _text(subject["role_arn"])),
        asks=tuple(_read_ask(each) for each in body["asks"]),
        total=int(_number(body["total"])),
        failed=int(_number(body["failed"])),
        ends_at=_maybe_number(body["ends_at"]),
        lifetime_seconds=_maybe_number(body["lifetime_seconds"]),
        fault=None if fault is None else _read_fault(fault),
    )


def _read_ask(parts: list[Any]) -> NotedAsk:
    named = dict(zip(NotedAsk._fields, parts, strict=True))
    return NotedAsk(
        at=_number(named["at"]),
        took_seconds=_number(named["took_seconds"]),
        succeeded=named["succeeded"] is True,
        pid=int(named["pid"]),
        program=str(named["program"]),
        host=str(named["host"]),
    )


def _read_fault(parts: dict[str, Any]) -> Fault:
    return Fault(_number(parts["at"]), str(parts["text"]))


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):  # Python's JSON has such numbers
        raise ValueError
    return number


def _maybe_number(value: Any) -> float | None:
    return None if value is None else _number(value)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
