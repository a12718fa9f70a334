"""Open an endpoint for a connection's credentials, and close it.

The token stands in a file that only this user can read, and in a variable of the
programs that are to ask: some AWS SDKs read the one, some the other.
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING

from botocore_conn_provider.endpoint.request_rules import (
    HEALTH_PATH,
    LOOPBACK,
    METRICS_PATH,
    Denial,
    Rules,
)
from botocore_conn_provider.endpoint.server import BACKLOG, Server
from botocore_conn_provider.endpoint.supply import Awaited, Handed
from botocore_conn_provider.endpoint.token_place import draw, make_token_file
from botocore_conn_provider.errors import ConnProviderError, describe_error
from botocore_conn_provider.secret import Secret
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore_conn_provider.endpoint.conversation import Conversation
    from botocore_conn_provider.endpoint.supply import Supply
    from botocore_conn_provider.endpoint.token_place import TokenPlace

PATH_BYTES = 16
# botocore and the JavaScript SDK sign with such; all others send AWS an empty token,
# and it refuses them.
LONG_LIVED = Denial(
    403,
    "LongLivedKeys",
    "The connection's keys have no session token: give them in variables, as"
    " `botocore-conn exec` does.",
)


class Answered(Value):
    """One request and its answer: what a log of them shows. `status` is HTTP's.

    `message` says why a client that showed the token got nothing.
    """

    status: int
    code: str
    message: str = ""


class Endpoint:
    """Hands out what `supply` has, at `url`, to who shows the token.

    Args:
        supply: Has the credentials; asked by one thread.
        listener: Of `open_port`; None for any port that is free.
        token_file: Has the token; None for a new one in a directory of our own.
        path: Of the URL; None for a random one.
        on_answer: Called with each answer, in the endpoint's thread.
        write_metrics: Returns what is told at `/metrics`; None for nothing there.

    Raises:
        OSError: No port is free, or the token's file cannot be made.
    """

    def __init__(
        self,
        supply: Supply,
        *,
        listener: socket.socket | None = None,
        token_file: TokenPlace | None = None,
        path: str | None = None,
        on_answer: Callable[[Answered], None] = lambda _: None,
        write_metrics: Callable[[], bytes] | None = None,
    ) -> None:
        self._supply = supply
        self._on_answer = on_answer
        self._write_metrics = write_metrics
        self._owner = os.getpid()
        self._token_file = token_file or make_token_file()
        self.token, self.token_path = self._token_file.token, self._token_file.path
        try:
            listener = listener or open_port(0)
            self.port: int = listener.getsockname()[1]
            secret_path = Secret(path or f"/{draw(PATH_BYTES)}")
            has_metrics = write_metrics is not None
            self._rules = Rules(self.port, secret_path, self.token, has_metrics)
            self._server = Server(listener, self._answer)
            self._server.start()
        except BaseException:
            if listener is not None:
                listener.close()
            self._token_file.remove()
            raise

    @property
    def url(self) -> str:
        """What the SDKs are told to ask."""
        return f"http://{LOOPBACK}:{self.port}{self._rules.path.reveal()}"

    def close(self) -> None:
        """Close the port and remove the token's file; in a forked child nothing.

        A token's file that was given stays.
        """
        self._server.stop()
        if os.getpid() == self._owner:
            self._token_file.remove()

    def _answer(self, client: Conversation, now: float) -> None:
        """Answer the client's request, or say what it waits for."""
        asked = client.asked
        if asked is None:
            return
        denial = self._rules.judge(asked.method, asked.target, asked.headers)
        if denial is not None:
            client.deny(denial, now)
            self._tell(Answered(denial.status, denial.code))
        elif asked.target == HEALTH_PATH.encode():
            # Imported here, like below: the first client comes later.
            from botocore_conn_provider.endpoint.documents import write_health

            client.answer(200, write_health(self._supply.find_seconds_left()), now)
        elif asked.target == METRICS_PATH.encode():
            self._tell_metrics(client, now)
        else:
            self._hand(client, now)

    def _tell_metrics(self, client: Conversation, now: float) -> None:
        from botocore_conn_provider.endpoint.conversation import PLAIN_TEXT

        try:
            body = b"" if self._write_metrics is None else self._write_metrics()
        except Exception as error:  # noqa: BLE001 - the thread serves others too
            cause = f"Unexpected {type(error).__name__}."
            client.deny(Denial(500, "Unexpected", cause), now)
        else:
            client.answer(200, body, now, content_type=PLAIN_TEXT)

    def _hand(self, client: Conversation, now: float) -> None:
        """Hand out credentials, say why there are none, or have the client wait."""
        from botocore_conn_provider.endpoint.documents import write_credentials

        found = self._take(client)
        if isinstance(found, Denial):
            client.deny(found, now)
            self._tell(Answered(*found))
        elif isinstance(found, Awaited):
            client.wait(found, now)
            found.renewal.add_done_callback(lambda _: self._server.wake())
        else:
            client.answer(200, write_credentials(found), now)
            self._tell(Answered(200, "Success"))

    def _tell(self, answered: Answered) -> None:
        # A filter or handler of a log that fails must not end the endpoint.
        with contextlib.suppress(Exception):
            self._on_answer(answered)

    def _take(self, client: Conversation) -> Handed | Awaited | Denial:
        try:
            found = self._supply.take(client.awaited)
        except ConnProviderError as error:
            # Not a 5xx: clients repeat those, up to 18 times.
            return Denial(403, type(error).__name__, describe_error(error))
        except Exception as error:  # noqa: BLE001 - the thread serves others too
            return Denial(403, "Unexpected", f"Unexpected {type(error).__name__}.")
        if isinstance(found, Handed) and not found.keys.session_token:
            return LONG_LIVED
        return found


def open_port(port: int) -> socket.socket:
    """Return a listening socket of 127.0.0.1, which no program that we start gets.

    Who connects waits until an endpoint answers.

    Args:
        port: The number; 0 for any that is free.

    Raises:
        OSError: The port is in use, or is the system's.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if port and os.name == "posix":
            # A port whose last owner has just ended is free; Windows would share it.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener
