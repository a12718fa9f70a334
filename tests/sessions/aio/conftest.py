"""What the tests of the aiobotocore twin share. They run in environments of theirs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aiobotocore
import pytest

import botocore_conn_provider
from botocore_conn_provider.renewal.registry import keepers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Secrets

ROLE = "arn:aws:iam::123456789012:role/async"


def pytest_report_header() -> str:
    return f"hosts: aiobotocore {aiobotocore.__version__}"


class Giver:
    """Put connections to the embedded AWS into the environment."""

    def __init__(
        self, aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._secrets = secrets
        self._monkeypatch = monkeypatch
        self._url = aws.url
        self.access_key_id = secrets.new_access_key_id()

    def put(self, *, keys: bool = True, **extra: Any) -> None:
        """Give a connection with these extra fields, and keys."""
        record: dict[str, Any] = {"conn_type": "aws", "extra": extra}
        if keys:
            record["login"] = self.access_key_id
            record["password"] = self._secrets.new("secret access key")
        extra.setdefault("region_name", "eu-central-1")
        extra.setdefault("endpoint_url", self._url)
        extra.setdefault("service_config", {"sts": {"endpoint_url": self._url}})
        self.put_text(json.dumps(record))

    def put_text(self, text: str) -> None:
        """Give a connection as it is written."""
        self._monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", text)


@pytest.fixture
def connection(aws: Aws, secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> Giver:
    """Ask for connections."""
    return Giver(aws, secrets, monkeypatch)


@pytest.fixture(autouse=True)
def installed(isolated: Path) -> Iterator[None]:
    """Install before each test; nothing is left after it."""
    assert isolated.exists()  # the machine's own identity is out of the way
    keepers.forget()
    botocore_conn_provider.install()
    yield
    botocore_conn_provider.uninstall()
