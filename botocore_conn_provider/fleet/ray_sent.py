"""A hook for Ray's workers that brings the connection's text.

Ray pickles a function that is given as the hook into its control store (GCS), and shows
only its name. This is the one way there that leads past the runtime environment.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from botocore_conn_provider.connection.environment import ConnectionName
from botocore_conn_provider.fleet.ray_worker import set_up
from botocore_conn_provider.secret import Secret
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    from collections.abc import Callable


class SentConnection:
    """A hook that brings the connection's text. It is pickled into Ray's control store.

    Its repr shows no text.
    """

    __name__ = "connection_sent_by_the_driver"  # what Ray lists

    def __init__(self, conn_id: str, text: Secret) -> None:
        self._conn_id = conn_id
        self._text = text

    def __call__(self) -> None:
        """Set up the worker with it."""
        os.environ[ConnectionName(self._conn_id).variable] = self._text.reveal()
        set_up()

    def __reduce__(
        self,
    ) -> tuple[Callable[[str, str], SentConnection], tuple[str, str]]:
        return _receive, (self._conn_id, self._text.reveal())

    def __repr__(self) -> str:
        return f"SentConnection({self._conn_id!r})"


@scrubbed
def _receive(conn_id: str, text: str) -> SentConnection:
    return SentConnection(conn_id, Secret(text))
