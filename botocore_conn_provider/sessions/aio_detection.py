"""Tell aiobotocore's sessions from botocore's, without importing aiobotocore."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import botocore.session


def find_aio_session_class() -> type[botocore.session.Session] | None:
    """Return `AioSession` if this process has imported it."""
    module = sys.modules.get("aiobotocore.session")
    kind: type[botocore.session.Session] | None = getattr(module, "AioSession", None)
    return kind


def is_aio(session: botocore.session.Session) -> bool:
    """Return whether it is aiobotocore's, which awaits what it asks for."""
    kind = find_aio_session_class()
    return kind is not None and isinstance(session, kind)
