"""Keep the facts of an error, and build an error of its own for each caller.

An error object is mutable: raising it adds the raising caller's frames, and what he
was handling becomes its context. Were one object raised to several callers, each
would see the others' frames, and the error would keep their objects alive. So what is
remembered, and what waiters share, is a `Failure`.
"""

from __future__ import annotations

import logging
import traceback
from typing import Any

from botocore_conn_provider.errors import (
    ConnProviderError,
    CredentialFetchError,
    describe_error,
)
from botocore_conn_provider.redaction import shorten
from botocore_conn_provider.value import Value

logger = logging.getLogger(__name__)


class Failure(Value):
    """One of our errors, taken apart: its class and its keyword arguments."""

    kind: type[ConnProviderError]
    parts: dict[str, Any]
    interrupted: bool = False
    """Whether the attempt says nothing about the source, so that a waiter asks again."""

    @classmethod
    def from_error(cls, error: BaseException, *, conn_id: str) -> Failure:
        """Return the facts of an error; a foreign one becomes one of ours."""
        if isinstance(error, ConnProviderError):
            failure = cls(type(error), dict(vars(error).get("kwargs", {})))
            if failure._is_faithful(error):
                return failure
            cause, hint = describe_error(error), ""
        else:
            _log_frames(error)
            name = shorten(type(error).__name__)
            cause = f"its source failed unexpectedly ({name}): {describe_error(error)}"
            hint = "Report it to the authors, with the log at level DEBUG."
        retryable = bool(getattr(error, "retryable", False))
        parts = {"conn_id": conn_id, "cause": cause, "hint": hint}
        return cls(CredentialFetchError, {**parts, "retryable": retryable})

    def _is_faithful(self, error: ConnProviderError) -> bool:
        """Return whether the error can be built again: a plug-in's class may differ."""
        try:
            return str(self.build()) == str(error)
        except Exception:  # noqa: BLE001 - a constructor of others
            return False

    def build(self) -> ConnProviderError:
        """Return a new error, which no one else has."""
        return self.kind(**self.parts)

    @property
    def is_transient(self) -> bool:
        """Whether the same attempt may succeed later."""
        return bool(self.parts.get("retryable"))


INTERRUPTED = Failure(
    CredentialFetchError,
    {"conn_id": "", "cause": "the renewal was interrupted.", "retryable": True},
    interrupted=True,
)


def _log_frames(error: BaseException) -> None:
    """Log where a foreign error came from: lines of code, none of their values."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger.debug("Unexpected %s:\n%s", type(error).__name__, frames)
