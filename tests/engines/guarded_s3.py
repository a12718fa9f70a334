"""An S3 that takes sets of STS while they live, and nothing else."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from tests.aws import answer, read_request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from tests.aws import Aws

UNSIGNED, FOREIGN, EXPIRED = "AccessDenied", "InvalidAccessKeyId", "ExpiredToken"


class Judged(NamedTuple):
    """One request: who signed it, and with which code it was refused, None for not."""

    key_id: str | None
    refused: str | None


class GuardedS3:
    """The embedded AWS's S3, behind a guard that keeps a record.

    Thread safety: one lock for the record.
    """

    url: str

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._lock = threading.Lock()
        self.start_anew()

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        key_id = read_request(environ).access_key_id
        refused = self._judge(key_id)
        with self._lock:
            self._judged.append(Judged(key_id, refused))
        if refused is None:
            return self._aws(environ, start_response)
        body = f"<Error><Code>{refused}</Code><Message>by a test</Message></Error>"
        return answer(403, body, start_response)

    def start_anew(self) -> None:
        """Forget who has signed."""
        with self._lock:
            self._judged: list[Judged] = []

    def _judge(self, key_id: str | None) -> str | None:
        if key_id is None:
            return UNSIGNED
        ends_at = self._aws.issued.get(key_id)
        if ends_at is None:
            return FOREIGN
        return None if time.time() < ends_at else EXPIRED

    @property
    def judged(self) -> list[Judged]:
        with self._lock:
            return list(self._judged)

    @property
    def key_ids(self) -> list[str | None]:
        """Who has signed, each once, in the order of their first requests."""
        return list(dict.fromkeys(each.key_id for each in self.judged))

    @property
    def refusals(self) -> set[str]:
        return {each.refused for each in self.judged if each.refused is not None}
