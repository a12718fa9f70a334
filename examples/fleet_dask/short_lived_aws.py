"""An AWS on loopback whose credentials live for seconds, and whose S3 refuses old ones."""

from __future__ import annotations

import datetime
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.test import Client

sys.path.append(str(Path(__file__).parents[1] / "demo"))
from embedded_aws import SIGNATURE, EmbeddedAws

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

REFUSED = b"<Error><Code>AccessDenied</Code><Message>not of STS</Message></Error>"
ADMIN = "AKIAADMINADMINADMIN0"


class ShortLivedAws(EmbeddedAws):
    """The AWS of the other demonstration, with credentials that live shortly.

    Attributes:
        asked_at: When STS was asked, on the clock of `time.monotonic`.
        refused: How many requests S3 has refused.
    """

    def __init__(self, life_seconds: float) -> None:
        super().__init__()
        self.life_seconds = life_seconds
        self.asked_at: list[float] = []
        self.refused = 0
        self._ends_at: dict[str, float] = {}

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Shorten what STS issues; take from S3's callers that alone, while it lives."""
        signature = SIGNATURE.search(environ.get("HTTP_AUTHORIZATION", ""))
        if signature is not None and signature[3] == "sts":
            return self._issue(environ, start_response)
        key_id = "" if signature is None else signature[1]
        if key_id == ADMIN or time.time() < self._ends_at.get(key_id, 0):
            return super().__call__(environ, start_response)
        self.refused += 1
        start_response("403 Forbidden", [("Content-Length", str(len(REFUSED)))])
        return [REFUSED]

    def _issue(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        self.asked_at.append(time.monotonic())
        given = Client(super().__call__).open(environ_overrides=environ)
        ends_at = time.time() + self.life_seconds
        shown = datetime.datetime.fromtimestamp(ends_at, datetime.timezone.utc)
        said = re.sub(
            "<Expiration>.*?</Expiration>",
            f"<Expiration>{shown:%Y-%m-%dT%H:%M:%SZ}</Expiration>",
            given.get_data(as_text=True),
        )
        for key_id in re.findall("<AccessKeyId>(.*?)</AccessKeyId>", said):
            self._ends_at[key_id] = ends_at
        start_response(f"{given.status_code} Said", [("Content-Type", "text/xml")])
        return [said.encode()]
