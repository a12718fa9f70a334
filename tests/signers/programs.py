"""What the programs of the tests share; it runs in them, not in the tests."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from collections.abc import Callable


def wait_for_renewal(session: Any, first: Any) -> None:
    """Wait until the session's credentials are others than `first`."""
    credentials = session.get_credentials()
    while credentials.get_frozen_credentials() == first:
        time.sleep(0.05)


def look(call: Callable[[], Any], session: Any = None) -> None:
    """Make a request, wait until the credentials have been renewed, make another."""
    session = session or boto3.Session()
    first = session.get_credentials().get_frozen_credentials()
    call()
    wait_for_renewal(session, first)
    call()
