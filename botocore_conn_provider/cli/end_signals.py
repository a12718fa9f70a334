"""End a long-running command when the system or the user says so.

A signal ends a wait, and nothing between two waits: what was opened or written in
between is always closed and removed again. The first process of a container gets no
signal that it has no handler for, so these are handled from the command's start.
"""

from __future__ import annotations

import contextlib
import select
import signal
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

# Windows has no SIGHUP.
NAMES = ("SIGTERM", "SIGINT", "SIGHUP")


class EndedError(BaseException):
    """The command was told to end. Like `KeyboardInterrupt`, it is nobody's to handle."""


class EndSignals:
    """Handles the signals that end a process, while it is entered.

    One that is ignored, as by `nohup`, stays ignored.
    """

    def __init__(self) -> None:
        self._is_told = False
        self._waits = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._woken_before = signal.set_wakeup_fd(
            self._waker.fileno(), warn_on_full_buffer=False
        )
        for name in NAMES:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        signal.set_wakeup_fd(self._woken_before)
        self._woken.close()
        self._waker.close()

    def sleep(self, seconds: float) -> None:
        """Wait; a signal ends it.

        `time.sleep` would sleep through one that comes just before it begins.

        Raises:
            EndedError: There was one, or is one now.
        """
        with self.waiting():
            select.select([self._woken], [], [], seconds)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Have signals end what is done here.

        Raises:
            EndedError: There was one, or is one now.
        """
        self._waits = True
        try:
            if self._is_told:
                raise EndedError
            yield
        finally:
            self._waits = False

    def _note(self, *_: object) -> None:
        self._is_told = True
        if self._waits:
            self._waits = False  # a second one does not disturb the end
            raise EndedError
