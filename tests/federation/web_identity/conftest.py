from __future__ import annotations

import logging
import os
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from tests.federation.web_identity.amazon import Amazon
from tests.federation.web_identity.google_cloud import ISSUER, Google, write_pem

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def google_server() -> Iterator[Google]:
    server = Google()
    # Where sessions of other tests find it, too.
    os.environ["GCE_METADATA_HOST"] = server.host
    yield server
    del os.environ["GCE_METADATA_HOST"]
    server.close()


@pytest.fixture
def google(google_server: Google, monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    google_server.reset()
    google_server.keep(write_pem(google_server.robot_key)[60:120])
    yield google_server
    google_server.reset()


@pytest.fixture(scope="session")
def aws_server(google_server: Google) -> Iterator[Amazon]:
    server = Amazon({ISSUER: google_server.signing_key.public_key()})
    yield server
    server.close()


@pytest.fixture
def aws(aws_server: Amazon) -> Amazon:
    aws_server.reset()
    return aws_server


class Ear(logging.Handler):
    """Hears everything that is logged, with extras and tracebacks."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard += [record.getMessage(), repr(vars(record))]
        if record.exc_info:
            self.heard += traceback.format_exception(*record.exc_info)


@pytest.fixture(autouse=True)
def ear(google: Google, capfd: pytest.CaptureFixture[str]) -> Iterator[Ear]:
    """Fail the test in which a secret of Google's reaches a log or the output."""
    ear, root = Ear(), logging.getLogger()
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    # werkzeug's access log belongs to the test's own server.
    logging.getLogger("werkzeug").propagate = False
    yield ear
    root.removeHandler(ear)
    root.setLevel(level)
    logging.getLogger("werkzeug").propagate = True
    out, err = capfd.readouterr()
    require_no_secret(google, [*ear.heard, out, err])


def require_no_secret(google: Google, texts: list[str]) -> None:
    whole = "\n".join(texts)
    assert [secret for secret in google.secrets if secret in whole] == []


def show(error: BaseException) -> str:
    """Everything a log could show of an error."""
    told: Any = traceback.format_exception(type(error), error, error.__traceback__)
    return "".join(told) + repr(error) + repr(vars(error))
