"""A forked child has its own locks, values and checks, whatever its process id is."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from botocore_conn_provider import fork
from botocore_conn_provider.connection.environment import Snapshot
from botocore_conn_provider.errors import InvalidConnectionError
from botocore_conn_provider.exchange import checks
from botocore_conn_provider.fork import (
    ProcessLock,
    could_start,
    reset_in_children,
)
from botocore_conn_provider.sessions.binding import Binding
from botocore_conn_provider.sessions.fitting import REMAKE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.child import Children

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")

HELD = 7
DEADLINE_SECONDS = 20


def ask_child(question: Callable[[], int], *, fork: Callable[[], int] = os.fork) -> int:
    """Return the answer of a forked child; -14 for one that hangs."""
    child = fork()
    if child == 0:
        import signal

        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(DEADLINE_SECONDS)
        code = 99
        try:
            code = question()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Holder:
    """A thread that runs `work`, which calls the holder once and waits there."""

    def __init__(self, work: Callable[[Holder], object]) -> None:
        self.inside, self._go_on = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=work, args=(self,))

    def __call__(self) -> None:
        self.inside.set()
        self._go_on.wait(60)

    def __enter__(self) -> None:
        self._thread.start()
        assert self.inside.wait(60)

    def __exit__(self, *raised: object) -> None:
        self._go_on.set()
        self._thread.join()


@pytest.fixture
def one_pid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every process the same id, as the first of each pid namespace has."""
    monkeypatch.setattr(os, "getpid", lambda: 1)


def hold(lock: ProcessLock) -> Callable[[Holder], None]:
    def work(wait: Holder) -> None:
        with lock.own:
            wait()

    return work


@pytest.mark.usefixtures("one_pid")
def test_lock_held_elsewhere_is_free_in_a_child_of_the_same_id() -> None:
    lock = ProcessLock()

    def take() -> int:
        with lock.own:
            return HELD

    with Holder(hold(lock)):
        assert ask_child(take) == HELD


@pytest.mark.usefixtures("one_pid")
def test_grandchild_has_a_lock_of_its_own_again() -> None:
    lock = ProcessLock()

    def take() -> int:
        with lock.own:
            return HELD

    def fork_while_held() -> int:
        with Holder(hold(lock)):
            return ask_child(take)

    assert ask_child(fork_while_held) == HELD


@pytest.mark.parametrize("pid", [1, None])
def test_child_forked_inside_the_block_leaves_it_and_takes_the_lock_again(
    pid: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if pid is not None:
        monkeypatch.setattr(os, "getpid", lambda: pid)
    lock = ProcessLock()

    def fork_inside() -> int:
        with lock.own:
            child = os.fork()
            with lock.own:
                pass
        with lock.own:
            pass
        if child == 0:
            os._exit(HELD)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert ask_child(fork_inside) == HELD


INTERRUPTED = """
    import faulthandler, signal, sys, threading
    from botocore_conn_provider.fork import ProcessLock

    class TimeLimit(Exception):
        pass

    def raise_limit(*_):
        raise TimeLimit

    signal.signal(signal.SIGALRM, raise_limit)
    lock, free = ProcessLock(), []

    def take():
        with lock.own:
            free.append(True)

    def take_in_a_thread():
        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        thread.join(20)

    # What the first thread imports (coverage does) shall not be interrupted: a module
    # whose import ended so stays locked in Python itself.
    take_in_a_thread()
    free.clear()
    for _ in range(300):
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.0003)
            while True:
                with lock.own:
                    pass
        except TimeLimit:
            pass
    take_in_a_thread()
    if not free:
        faulthandler.dump_traceback()
        sys.exit("the lock is held for ever")
"""


def test_signal_handler_that_raises_leaves_no_lock_held(run_python: Children) -> None:
    ended = run_python(INTERRUPTED)
    assert ended.returncode == 0, ended.stderr


def start(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    assert could_start(thread)
    return thread


def test_child_is_forked_when_our_threads_have_left_the_system() -> None:
    ended = threading.Event()

    def work() -> None:
        time.sleep(0.3)
        ended.set()

    thread = start(work)
    task = f"/proc/self/task/{thread.native_id}"

    def see() -> int:
        return HELD if ended.is_set() and not os.path.exists(task) else 1  # noqa: PTH110

    assert ask_child(see) == HELD


def test_thread_that_hangs_delays_one_fork_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    go_on = threading.Event()
    thread = start(go_on.wait)
    for _ in range(3):
        assert ask_child(lambda: HELD) == HELD
    go_on.set()
    thread.join()
    assert len(pauses) == fork.MOST_PAUSES


def test_thread_of_ours_that_forks_waits_for_no_other() -> None:
    answers: list[int] = []
    asked = threading.Event()
    waiting = start(asked.wait)
    forking = start(lambda: answers.append(ask_child(lambda: HELD)))
    forking.join(DEADLINE_SECONDS)
    still_waits = waiting.is_alive()
    asked.set()
    waiting.join()
    assert answers == [HELD]
    assert still_waits


class Resetting:
    """Something to be reset in a child; the harness sees what an error says."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error
        self.is_reset = False
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        self.is_reset = True
        if self._error is not None:
            raise self._error


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_reset_that_fails_leaves_no_other_undone() -> None:
    everything = [Resetting(), Resetting(OSError("closed already")), Resetting()]
    answer = ask_child(lambda: HELD if all(each.is_reset for each in everything) else 1)
    assert answer == HELD


IN_A_NAMESPACE = """
    import ctypes, os, signal, sys, threading, warnings
    from botocore_conn_provider.fork import ProcessLock
    warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads
    libc = ctypes.CDLL(None, use_errno=True)

    def fork_into_namespace():
        if libc.unshare(0x20000000) != 0:  # CLONE_NEWPID
            print("not allowed")
            sys.exit()
        return os.fork()

    def end(child):
        if child:
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            go_on.set()
            thread.join()
            sys.exit()

    # The first process of a namespace, whose child is the first of another.
    if (outer := fork_into_namespace()):
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(outer, 0)[1]))
    assert os.getpid() == 1
    lock = ProcessLock()
    inside, go_on = threading.Event(), threading.Event()
    def hold():
        with lock.own:
            inside.set()
            go_on.wait(60)
    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(60)
    end(fork_into_namespace())
    assert os.getpid() == 1
    signal.signal(signal.SIGALRM, lambda *_: os._exit(14))
    signal.alarm(20)
    with lock.own:
        os._exit(7)
"""


def test_child_in_a_new_pid_namespace_has_its_own_lock(run_python: Children) -> None:
    ended = run_python(IN_A_NAMESPACE)
    assert ended.stderr == ""
    # Without the privilege the same is tested by the process id above.
    assert ended.stdout in ("7\n", "not allowed\n")


BROKEN = {"AIRFLOW_CONN_AWS_DEFAULT": '{"extra": {"config_kwargs": {"nonsense": 1}}}'}


def read_fields(binding: Binding) -> list[str]:
    import botocore.session

    try:
        binding.read(botocore.session.Session())
    except InvalidConnectionError as error:
        return [problem.field for problem in error.problems]
    return []


@pytest.mark.parametrize("same_pid", [False, True])
def test_child_forked_while_the_connection_is_checked_checks_it_itself(
    same_pid: bool,  # noqa: FBT001 - a case
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if same_pid:
        monkeypatch.setattr(os, "getpid", lambda: 1)
    binding = Binding(Snapshot(BROKEN, "/"), remake=REMAKE)
    judge = checks.judge

    def check(wait: Holder) -> None:
        def slow(*args: Any, **kwargs: Any) -> None:
            if threading.current_thread() is not threading.main_thread():
                wait()
            judge(*args, **kwargs)

        monkeypatch.setattr(checks, "judge", slow)
        read_fields(binding)

    with Holder(check):
        answer = ask_child(lambda: HELD if read_fields(binding) else 1)
    assert answer == HELD


def test_other_thread_waits_until_the_connection_is_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    binding = Binding(Snapshot(BROKEN, "/"), remake=REMAKE)
    judge = checks.judge
    seen: list[list[str]] = []
    other = threading.Thread(target=lambda: seen.append(read_fields(binding)))

    def slow(*args: Any, **kwargs: Any) -> None:
        if threading.current_thread() is not other:
            other.start()
            other.join(0.3)
            assert seen == []
        judge(*args, **kwargs)

    monkeypatch.setattr(checks, "judge", slow)
    refused = read_fields(binding)
    other.join(60)
    assert refused
    assert seen == [refused]


INSTALLED_BY_HALF = """
    import os, threading, warnings
    import botocore.session, botocore_conn_provider
    from botocore_conn_provider.sessions.installation import Installation, fit_at_start
    warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads
    inside, go_on = threading.Event(), threading.Event()
    put = Installation.put
    def slow(self):
        if threading.current_thread() is thread:
            inside.set()
            go_on.wait(60)
        put(self)
    Installation.put = slow
    thread = threading.Thread(target=botocore_conn_provider.install)
    thread.start()
    inside.wait(60)
    child = os.fork()
    if child == 0:
        %s
        found = session.get_credentials()
        os._exit(7 if found and found.access_key == "AKIAEXAMPLE" else 1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    go_on.set()
    thread.join()
"""


@pytest.mark.parametrize(
    "how",
    [
        "botocore_conn_provider.install(); session = botocore.session.Session()",
        "session = botocore.session.Session(); fit_at_start(session)",
    ],
)
def test_child_forked_while_a_thread_installs_can_install(
    how: str, run_python: Children
) -> None:
    ended = run_python(
        INSTALLED_BY_HALF % how,
        env={"AIRFLOW_CONN_AWS_DEFAULT": "aws://AKIAEXAMPLE:not-secret@"},
    )
    assert ended.stdout == "7\n", ended.stderr
