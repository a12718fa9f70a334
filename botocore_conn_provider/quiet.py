"""Keep the debug records of other libraries quiet while secrets pass through them.

At DEBUG botocore logs requests with assertion or token, canonical requests with
session tokens, and the answer with the new keys; requests_gssapi logs the
Authorization header; google-auth the signed assertion. While one of *our own*
exchanges runs, such records reach no handler. What those libraries log of the
user's own calls is the user's.

Thread safety: the filter is on the loggers of the whole process, the flag it
reads belongs to the thread that runs the exchange (a context variable, so that a
coroutine has its own), so other threads keep their records.
"""

from __future__ import annotations

import contextlib
import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# A logger's filter does not see the records of its children: each name is listed.
TALKATIVE = (
    "botocore.auth",
    "botocore.awsrequest",
    "botocore.client",
    "botocore.endpoint",
    "botocore.handlers",
    "botocore.hooks",
    "botocore.httpsession",
    "botocore.parsers",
    "botocore.regions",
    "botocore.retries.standard",
    "botocore.retryhandler",
    "botocore.utils",
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.util.retry",
)

# These tell at higher levels too, with tracebacks and whole URLs, what is raised
# as an error of ours anyway.
SILENT = ("requests_gssapi.gssapi_", "urllib3.connection", "urllib3.connectionpool")

_exchanging: ContextVar[bool] = ContextVar("exchanging", default=False)


def _keep(record: logging.LogRecord) -> bool:
    loud = record.levelno > logging.DEBUG and record.name not in SILENT
    return loud or not _exchanging.get()


@contextlib.contextmanager
def quiet_exchange(*more_loggers: str) -> Iterator[None]:
    """Drop the debug records of `TALKATIVE` and `more_loggers` in this context.

    Adding a filter to a logger again has no effect, so none is taken off: it costs
    one function call for each debug record that passes.
    """
    for name in (*TALKATIVE, *more_loggers):
        logging.getLogger(name).addFilter(_keep)
    token = _exchanging.set(True)
    try:
        yield
    finally:
        _exchanging.reset(token)
