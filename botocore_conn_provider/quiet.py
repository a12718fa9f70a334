"""Drop the debug records of other libraries while they handle our secrets.

At DEBUG botocore logs requests with assertion or token, canonical requests with
session tokens, and the answer with the new keys; requests_gssapi logs the
Authorization header; google-auth the signed assertion. While one of *our own*
exchanges runs, such records reach no handler. What those libraries log about the user's
own calls is not changed.

Thread safety: the filter is on the loggers of the whole process. It reads a flag that
belongs to the thread that runs the exchange, so the records of other threads are kept.
The flag is a context variable, so that each coroutine has its own.
"""

from __future__ import annotations

import contextlib
import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# A logger's filter does not apply to its child loggers, so each name is listed.
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

# These also log at higher levels, with tracebacks and whole URLs. We raise the same
# faults as errors of our own, so nothing is lost.
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
