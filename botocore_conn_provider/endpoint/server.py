"""Serve one connection's credentials over HTTP on loopback, in one thread.

One thread and no more, whatever comes: each client costs a socket and a bounded buffer,
never a thread, and what it asks for is in memory. A client that is slow, half open or
silent is closed in time. At the limit of clients the one that has waited longest
without a whole request goes, so a flood does not keep others out.

Thread safety: all but `stop` and `wake` belongs to the server's thread. A forked child
has no such thread: it closes its copies of the sockets, so that nobody waits at a port
where no one answers.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from typing import TYPE_CHECKING

from botocore_conn_provider.fork import reset_in_children

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore_conn_provider.endpoint.conversation import Conversation
    from botocore_conn_provider.endpoint.request import Asked
    from botocore_conn_provider.endpoint.request_rules import Denial

    Answer = Callable[[Conversation, float], None]

MOST_CLIENTS = 256
BACKLOG = 128
# How often clients that are late are looked for, and how long `stop` waits.
TURN_SECONDS, STOP_SECONDS = 0.2, 1.0
SHORT_PAUSE_SECONDS = 0.01


class Server:
    """The sockets of one endpoint, and the thread that serves them.

    Args:
        listener: Bound and listening.
        answer: Answers the conversation's request, or says what it waits for.
    """

    def __init__(self, listener: socket.socket, answer: Answer) -> None:
        self._listener = listener
        self._answer = answer
        self._clients: dict[socket.socket, Conversation] = {}
        self._waker, self._woken = socket.socketpair()
        for each in (listener, self._waker, self._woken):
            each.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._sweeps_at = 0.0
        self._stopping = False
        self._is_ours = True
        self._thread = threading.Thread(
            target=self._run, name="botocore-conn-endpoint", daemon=True
        )
        reset_in_children(self)

    def start(self) -> None:
        """Start to answer.

        Raises:
            RuntimeError: No thread can be started.
        """
        self._thread.start()

    def stop(self) -> None:
        """Close the port and every connection. Calling it again has no effect."""
        self._stopping = True
        if not self._is_ours:
            return
        self.wake()
        if self._thread.ident is not None and self._thread.is_alive():
            self._thread.join(STOP_SECONDS)
        else:
            self._close()

    def wake(self) -> None:
        """Have the thread look at once at what is awaited."""
        with contextlib.suppress(OSError):  # full: it is about to wake; or closed
            self._waker.send(b"\0")

    def reset_after_fork(self) -> None:
        """Close the child's copies of the sockets: it serves nobody."""
        self._is_ours = False
        self._close()

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._turn()
        finally:
            self._close()

    def _turn(self) -> None:
        for key, events in self._selector.select(self._find_pause()):
            if key.fileobj is self._listener:
                self._accept()
            elif key.fileobj is self._woken:
                self._drain()
            else:
                self._serve(key.data, events)
        if time.monotonic() >= self._sweeps_at:
            self._sweep()

    def _find_pause(self) -> float | None:
        """Return for how long nothing has to be done; None for ever."""
        if not self._clients:
            return None
        return max(0.0, self._sweeps_at - time.monotonic())

    def _sweep(self) -> None:
        """See to those whose time is over, and to those whose wait is."""
        now = time.monotonic()
        self._sweeps_at = now + TURN_SECONDS
        for client in list(self._clients.values()):
            if client.awaited is not None and client.awaited.renewal.done():
                self._go_on(client)
            elif now >= client.ends_at:
                self._go_on(client) if client.is_busy else self._drop(client)

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        self._sweeps_at = 0.0

    def _accept(self) -> None:
        try:
            # Imported here: the first client comes after the program's own imports. It
            # needs a file descriptor, too.
            from botocore_conn_provider.endpoint.conversation import Conversation

            sock, _ = self._listener.accept()
        except OSError:  # it has gone again, or there are no file descriptors left
            self._make_room()
            time.sleep(SHORT_PAUSE_SECONDS)
            return
        sock.setblocking(False)
        if len(self._clients) >= MOST_CLIENTS:
            self._make_room()
        client = Conversation(sock, time.monotonic())
        self._clients[sock] = client
        self._selector.register(sock, client.wanted, client)

    def _make_room(self) -> None:
        """Close who has been there longest without a request that counts."""
        idle = [each for each in self._clients.values() if not each.is_busy]
        if idle:
            self._drop(min(idle, key=lambda each: each.ends_at))

    def _serve(self, client: Conversation, events: int) -> None:
        if client.sock not in self._clients:  # closed in this same turn
            return
        try:
            if events & selectors.EVENT_READ:
                self._take(client, client.read())
        except BlockingIOError:
            return
        except OSError:
            self._drop(client)
            return
        self._settle(client)

    def _take(self, client: Conversation, found: Asked | Denial | None) -> bool:
        """See to a request; return whether there was one."""
        # Imported here: with the first client.
        from botocore_conn_provider.endpoint.request_rules import Denial

        if isinstance(found, Denial):
            client.deny(found, time.monotonic())
        elif found is not None:
            self._answer(client, time.monotonic())
        return found is not None

    def _go_on(self, client: Conversation) -> None:
        """Answer a client that waited, or have it wait for the next thing."""
        self._answer(client, time.monotonic())
        self._settle(client)

    def _settle(self, client: Conversation) -> None:
        """Write what can be written, and see to requests that were read ahead.

        Not before the client has taken the answers: they would pile up.
        """
        try:
            client.write()
            while not client.has_output and self._take(client, client.find_next()):
                client.write()
        except OSError:
            self._drop(client)
            return
        if client.is_over:
            client.hang_up(time.monotonic())
        wanted = selectors.EVENT_WRITE if client.has_output else selectors.EVENT_READ
        if wanted != client.wanted:
            client.wanted = wanted
            self._selector.modify(client.sock, wanted, client)

    def _drop(self, client: Conversation) -> None:
        self._clients.pop(client.sock, None)
        with contextlib.suppress(KeyError, ValueError, OSError):
            self._selector.unregister(client.sock)
        client.sock.close()

    def _close(self) -> None:
        # The selector is only closed: to unregister would change the parent's, too.
        self._selector.close()
        for each in (self._listener, self._waker, self._woken, *list(self._clients)):
            each.close()
        self._clients.clear()
