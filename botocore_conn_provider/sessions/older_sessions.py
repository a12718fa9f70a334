"""Reach the sessions that were made before `install()`.

No initializer was called for them, so `create_client` and `get_credentials` of their
classes fit them on the way.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from botocore.session import Session

from botocore_conn_provider.sessions.client_creation import find_aio_session_class
from botocore_conn_provider.sessions.fitting import find_fitted

if TYPE_CHECKING:
    from collections.abc import Callable

    Fit = Callable[[Session], None]

WRAPPED = ("create_client", "get_credentials")


class WrappedMethods:
    """The methods of botocore's session, and of aiobotocore's if it is there, wrapped.

    Args:
        fit: Fits a session to the installed connection, if one is installed.
    """

    def __init__(self, fit: Fit) -> None:
        self._replaced: list[tuple[type, str, Any, Any]] = []
        # A class that is imported later has no session older than this.
        aio = find_aio_session_class()
        for kind in (Session,) if aio is None else (Session, aio):
            for name in WRAPPED:
                original = vars(kind)[name]
                ours = _fit_first(name, original, fit)
                self._replaced.append((kind, name, original, ours))
                setattr(kind, name, ours)

    def restore(self) -> None:
        """Put the originals back, unless somebody wrapped ours meanwhile."""
        for kind, name, original, ours in self._replaced:
            if vars(kind)[name] is ours:
                setattr(kind, name, original)


def _fit_first(name: str, original: Any, fit: Fit) -> Any:
    """Wrap a method of `Session` so that an older session is fitted first."""

    @functools.wraps(original)
    def method(self: Session, *args: Any, **kwargs: Any) -> Any:
        try:
            if find_fitted(self) is None:
                fit(self)
                if find_fitted(self) is not None:
                    return getattr(self, name)(*args, **kwargs)
            return original(self, *args, **kwargs)
        finally:
            del args, kwargs  # keys, maybe, and a traceback shows this frame

    return method
