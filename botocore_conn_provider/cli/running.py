"""Run a program as if it had been started itself: signals, terminal, exit status.

The program stays in our process group, so a terminal's Ctrl-C and Ctrl-Z reach it
by themselves; what another process sent to us is passed on. Which of both it was, the
system says with each signal, so these are taken one by one instead of by handlers.

Source: sigwaitinfo(2), siginfo_t; posix_spawn(3).
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from typing import TYPE_CHECKING

from botocore_conn_provider.fork import wait_for_connections

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CAN_WAIT = hasattr(signal, "sigwaitinfo")
# What Python ignores for itself, and a program expects to have.
PYTHONS = ("SIGPIPE", "SIGXFSZ")
# They end or stop a process at once, and come back from the program as its status.
NOT_PASSED_ON = ("SIGKILL", "SIGSTOP", "SIGCHLD")
FAULTS = ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGTRAP", "SIGSYS")
# The stops of a shell's job. By another one somebody holds the program alone.
JOB_STOPS = ("SIGTSTP", "SIGTTIN", "SIGTTOU")
BY_SIGNAL = 128
SHELL = "/bin/sh"


class NotRunError(Exception):
    """The program cannot be started. `is_missing` says whether it is not there."""

    def __init__(self, error: OSError) -> None:
        super().__init__(os.strerror(error.errno or 0))
        self.is_missing = isinstance(error, FileNotFoundError)


@contextlib.contextmanager
def hold_signals() -> Iterator[set[int | signal.Signals]]:
    """Keep signals for `run_program`; return those that were kept before.

    Threads that are started meanwhile keep them, too: one that did not would be the
    one that the system gives them to.
    """
    if not CAN_WAIT:  # pragma: no cover - Windows and macOS
        yield set()
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _list_signals())
    try:
        yield before
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run_program(
    program: Sequence[str], environ: Mapping[str, str], mask: set[int | signal.Signals]
) -> int:
    """Run the program to its end, with signals held; return its exit status.

    Args:
        program: The command and its arguments.
        environ: Its environment.
        mask: The signals that it is to keep, from `hold_signals`.

    Returns:
        The status; that of one which a signal ended is the signal's number, negative.

    Raises:
        NotRunError: It cannot be started.
    """
    if not CAN_WAIT:  # pragma: no cover - Windows and macOS
        return _run_simply(program, environ)
    # A thread of the exchange that is ending yet does not keep signals: it would be
    # given that of the program's end, and nobody would hear of it.
    wait_for_connections()
    # Our parent may ignore the end of its children; then nobody would tell us of ours.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = _attend(_start(program, environ, mask), _list_signals())
    return os.waitstatus_to_exitcode(status)


def end_as(status: int) -> int:
    """Return the exit status; end by the signal if one has ended the program.

    So our parent, a shell for instance, sees what it would have seen.
    """
    if status >= 0:
        return status
    if CAN_WAIT:
        # Imported here: it is not there on Windows.
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # its core was dumped already
        with contextlib.suppress(OSError, ValueError, AttributeError):  # it is closed
            sys.stderr.flush()
        with contextlib.suppress(OSError, ValueError):  # of one that cannot be caught
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return BY_SIGNAL - status  # the first process of a container ignores its own


def _list_signals() -> set[int]:
    """List the signals that are for the program, and that of a child's end."""
    kept = {getattr(signal, name) for name in (*NOT_PASSED_ON, *FAULTS)}
    return (set(signal.valid_signals()) - kept) | {signal.SIGCHLD}


def _start(
    program: Sequence[str], environ: Mapping[str, str], mask: set[int | signal.Signals]
) -> int:
    try:
        return _spawn(program, environ, mask)
    except OSError as error:
        if error.errno != errno.ENOEXEC or program[0] == SHELL:
            raise NotRunError(error) from None
    # A script that names no interpreter is the shell's, as with env(1).
    import shutil  # for this only

    path = shutil.which(program[0]) or program[0]
    return _start([SHELL, path, *program[1:]], environ, mask)


def _spawn(
    program: Sequence[str], environ: Mapping[str, str], mask: set[int | signal.Signals]
) -> int:
    return os.posix_spawnp(
        program[0],
        list(program),
        dict(environ),
        setsigmask=mask,
        setsigdef=[getattr(signal, name) for name in PYTHONS],
    )


def _attend(pid: int, taken: set[int]) -> int:
    """Pass signals on until the program has ended; return how it did."""
    while True:
        info = signal.sigwaitinfo(taken)
        if info.si_signo != signal.SIGCHLD:
            if _is_for_program(info, pid):
                _send(pid, info.si_signo)
            continue
        status = _reap(pid)
        if status is not None:
            return status


def _is_for_program(info: signal.struct_siginfo, pid: int) -> bool:
    """Return whether a signal has not reached the program by itself.

    What the program sends its parent is not for the program. What the system sends, the
    terminal's signals above all, reaches our whole group, but for two: that the
    terminal is gone is told to the first process of its session only, and an alarm that
    was set before we were started to us.
    """
    if info.si_code <= 0:  # of a process
        return info.si_pid != pid
    if info.si_signo == signal.SIGALRM:
        return True
    return info.si_signo == signal.SIGHUP and os.getsid(0) == os.getpid()


def _reap(pid: int) -> int | None:
    """Return how the program ended; None while it runs, or is stopped.

    The first process of a container gets orphans, and sees them off, too.
    """
    whose = -1 if os.getpid() == 1 else pid
    while True:
        each, status = os.waitpid(whose, os.WNOHANG | os.WUNTRACED)
        if each == 0:
            return None
        if each == pid and not os.WIFSTOPPED(status):
            return status
        if each == pid and signal.Signals(os.WSTOPSIG(status)).name in JOB_STOPS:
            os.kill(os.getpid(), signal.SIGSTOP)  # until the shell goes on with both


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:  # it ends at this moment
        return


def _run_simply(program: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run it where the system does not say where a signal comes from."""
    # Imported here: elsewhere it is not needed.
    import subprocess

    try:
        return subprocess.call(list(program), env=dict(environ))  # noqa: S603 - the user's own command
    except OSError as error:
        raise NotRunError(error) from None
