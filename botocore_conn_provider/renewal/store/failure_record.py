"""Tell the other processes of a machine what AWS or an IdP has just answered.

Else each of them asks a busy STS for itself, and each signs in where the IdP refuses.
The record stands beside the identity's entry, sealed like it, and says what was
answered and when it may be asked again: never later than a process alone would ask.

Only an answer is recorded, and only for those who ask by the same way: a proxy answers
for a server, or is what a policy refuses. No connection, a certificate that is not trusted or a file
that is missing may be the fault of one process: the others find out for themselves. Nor
is it recorded that a proof or keys have expired: the next process may have others.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.errors import (
    ConnProviderError,
    IdpRequestError,
    SamlResponseError,
    StsExchangeError,
)
from botocore_conn_provider.renewal.repeats import OUTLIVED
from botocore_conn_provider.renewal.store.directory import read_private, write_private
from botocore_conn_provider.renewal.store.entry import (
    is_age_known,
    open_sealed,
    seal_content,
)
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from botocore_conn_provider.renewal.runtime import Runtime

logger = logging.getLogger(__name__)

FORMAT = 1
DOMAIN = b"failure\n"
SUFFIX = "-failure"
KINDS = {
    kind.__name__: kind
    for kind in (StsExchangeError, IdpRequestError, SamlResponseError)
}
# The longest pause of a process by itself (RenewalPolicy.longest_pause_seconds).
LONGEST_SECONDS = 16.0
# What botocore calls an answer that names no error: a proxy's page, mostly.
UNNAMED = "Unknown"


class KnownFailure(Value):
    """What was answered to a process of this machine (times by the steady clock)."""

    kind: str
    parts: dict[str, Any]
    told_at: float
    again_at: float
    """From then on it may be asked again."""
    failed: int
    """How many pauses were made since the last success."""

    @property
    def is_transient(self) -> bool:
        """Whether it is worth waiting for the next time."""
        return self.kind == StsExchangeError.__name__ and bool(
            self.parts.get("retryable")
        )

    def build(self, now: float) -> ConnProviderError:
        """Return the error, which says whom it was told and when."""
        ago = max(0.0, now - self.told_at)
        cause = str(self.parts["cause"])
        told = f"{cause} Another process of this machine was told so {ago:.0f} s ago."
        return KINDS[self.kind](**{**self.parts, "cause": told})


def is_answer(error: BaseException) -> bool:
    """Return whether others of this identity would be answered the same."""
    if type(error) is StsExchangeError:
        code = error.code
        # A status without a word of STS may be that of one process's own proxy.
        is_named = bool(code) and code != UNNAMED and not code.isdigit()
        return is_named and code not in OUTLIVED
    if type(error) is IdpRequestError:
        return error.answered
    return type(error) is SamlResponseError


def describe_way() -> str:
    """Describe by which way this process asks; may hold a proxy's password."""
    names = sorted(name for name in os.environ if name.lower().endswith("_proxy"))
    proxies = [f"{name}={os.environ.get(name)!a}" for name in names]
    network = 0
    with contextlib.suppress(OSError):  # not on every system
        network = os.stat("/proc/self/ns/net").st_ino  # noqa: PTH116
    return "\n".join([str(network), *proxies])


class FailureRecord:
    """The record of one identity in an opened directory.

    A record that cannot be read counts as none, and one that cannot be written is left
    out: the store saves work, and its faults never make a renewal fail.

    Args:
        directory: Its descriptor.
        name: Of the identity's entry.
        key: The store's.
        fingerprint: Of the identity. It is a secret.
        clocks: Both.
    """

    def __init__(
        self,
        directory: int,
        name: str,
        *,
        key: bytes,
        fingerprint: str,
        clocks: Runtime,
    ) -> None:
        self._directory = directory
        self._name = name + SUFFIX
        self._key = key
        self._fingerprint = fingerprint
        self._clocks = clocks

    def read(self) -> KnownFailure | None:
        """Return what is recorded, even if it may be asked again by now."""
        try:
            content = read_private(self._directory, self._name)
            return None if content is None else self._parse(content)
        except FileNotFoundError:
            return None
        except Exception as error:  # noqa: BLE001 - any bad record counts as none
            logger.debug("A record is not used: %s", type(error).__name__)
            return None

    def _parse(self, content: bytes) -> KnownFailure | None:
        text = open_sealed(content, self._key, self._fingerprint, domain=DOMAIN)
        if text is None:
            return None
        body = json.loads(text)
        if body["format"] != FORMAT or not is_age_known(
            body["wall_told_at"], body["told_at"], self._clocks
        ):
            return None
        known = KnownFailure(*(body[field] for field in KnownFailure._fields))
        latest = known.told_at + LONGEST_SECONDS
        known = known._replace(again_at=min(known.again_at, latest))
        known.build(self._clocks.elapsed())  # of another version, it may not do
        return known

    def write(self, error: ConnProviderError, *, seconds: float, failed: int) -> None:
        """Record that it was answered now, and may be asked again after `seconds`."""
        told_at = self._clocks.elapsed()
        now = self._clocks.now()
        parts = dict(vars(error)["kwargs"])
        known = KnownFailure(
            type(error).__name__, parts, told_at, told_at + seconds, failed
        )
        body = {"format": FORMAT, "wall_told_at": now, **known._asdict()}
        text = json.dumps(body).encode()
        seal = seal_content(text, self._key, self._fingerprint, domain=DOMAIN)
        with contextlib.suppress(OSError):
            content = seal + b"\n" + text
            write_private(self._directory, self._name, content, keep_until=now)

    def forget(self) -> None:
        """Delete it, after a success."""
        with contextlib.suppress(OSError):
            os.unlink(self._name, dir_fd=self._directory)
