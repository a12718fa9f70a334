"""A process that has loaded boto3 and forks a child for each program it is handed.

Most of what a child process costs is loading boto3. Where a test is about processes
and not about how one starts, its children begin here: boto3 is loaded, nothing of
ours is. Run as `python -m`, with a socket's number.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
import threading
import types
from typing import NamedTuple, NoReturn

import boto3
import responses  # noqa: F401 - moto is built on it; moto itself changes botocore
import werkzeug.routing  # noqa: F401 - the same
import xmltodict  # noqa: F401 - the same

from tests import botocores_data


class Job(NamedTuple):
    """One program: its text, its arguments, its environment and directory."""

    code: str
    arguments: list[str]
    environment: dict[str, str]
    directory: str


def main() -> None:
    """Load what a client needs, then fork; a child leaves the loop with its job."""
    botocores_data.share(setattr)
    boto3.Session("A", "S", region_name="eu-west-1").client("sts")
    gc.collect()
    gc.freeze()  # or each child copies all of it when it collects
    start(serve(socket.socket(fileno=int(sys.argv[1]))))


def serve(jobs: socket.socket) -> Job:
    """Return a job, in the child that is to do it."""
    running: dict[int, socket.socket] = {}
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    selector = selectors.DefaultSelector()
    selector.register(jobs, selectors.EVENT_READ)
    selector.register(woken, selectors.EVENT_READ)
    while True:
        ready = [key.fileobj for key, _ in selector.select()]
        if woken in ready:
            woken.recv(4096)
            tell_ends(running)
        if jobs in ready:
            _, handed, _, _ = socket.recv_fds(jobs, 1, 4)
            child = os.fork()
            if child == 0:
                forget(selector, jobs, woken, waker, *running.values())
                return take(*handed)
            for number in handed[:3]:
                os.close(number)
            running[child] = socket.socket(fileno=handed[3])


def tell_ends(running: dict[int, socket.socket]) -> None:
    """Tell those who asked how their children ended."""
    for child in list(running):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            with running.pop(child) as asker, contextlib.suppress(OSError):
                asker.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def forget(selector: selectors.BaseSelector, *sockets: socket.socket) -> None:
    """Leave nothing of this process to the child."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    selector.close()
    for each in sockets:
        each.close()


def take(job: int, stdout: int, stderr: int, asker: int) -> Job:
    """Read the job, and write to its streams from here on."""
    os.close(asker)
    for stream, number in ((stdout, 1), (stderr, 2)):
        os.dup2(stream, number)
        os.close(stream)
    with open(job, encoding="utf-8") as text:
        text.seek(0)
        return Job(**json.load(text))


def start(job: Job) -> NoReturn:
    """Run the program as `python -c` does: as `__main__`, in its directory."""
    os.environ.clear()
    os.environ.update(job.environment)
    os.chdir(job.directory)
    sys.argv = ["-c", *job.arguments]
    sys.path[0] = ""
    program = sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        exec(compile(job.code, "<string>", "exec"), program.__dict__)  # noqa: S102 - a test's
        end(0)
    except SystemExit as error:
        end(error.code)
    except BaseException:  # noqa: BLE001 - as an interpreter does
        sys.excepthook(*sys.exc_info())
        end(1)


def end(code: str | int | None) -> NoReturn:
    """End as an interpreter does, but do not free what boto3 loaded: it takes long."""
    if isinstance(code, str):
        sys.stderr.write(f"{code}\n")
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1 if isinstance(code, str) else code or 0)


if __name__ == "__main__":
    main()
