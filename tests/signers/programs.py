"""What the programs of the tests share; it runs in them, not in the tests."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
from botocore.credentials import ReadOnlyCredentials

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


class RenewedAtEachLook:
    """Credentials that are another set each time that anything of them is read.

    So a program that reads a set in pieces signs with pieces of several.
    """

    def __init__(self) -> None:
        self._sts = boto3.Session(region_name="eu-west-1").client("sts")

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        answer = self._sts.assume_role(
            RoleArn="arn:aws:iam::123456789012:role/reader", RoleSessionName="look"
        )
        keys = answer["Credentials"]
        return ReadOnlyCredentials(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], None
        )

    @property
    def access_key(self) -> str | None:
        return self.get_frozen_credentials().access_key

    @property
    def secret_key(self) -> str | None:
        return self.get_frozen_credentials().secret_key

    @property
    def token(self) -> str | None:
        return self.get_frozen_credentials().token


def renew_at_each_look() -> None:
    """Give every session of boto3 such credentials from here on."""
    looked_at: Any = RenewedAtEachLook()
    boto3.Session.get_credentials = lambda _: looked_at  # type: ignore[assignment,method-assign]


def crowd(call: Callable[[], Any], session: Any) -> None:
    """Have many threads make requests with the same objects until after a renewal."""
    first = session.get_credentials().get_frozen_credentials()

    def work(_: int) -> None:
        while session.get_credentials().get_frozen_credentials() == first:
            call()
        call()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))


def call_in_a_child_too(call: Callable[[], Any]) -> None:
    """Make a request in a forked child, and then one here."""
    child = os.fork()
    if child == 0:
        call()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    call()
