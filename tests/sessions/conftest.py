"""The world that the tests of the fitting share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import moto.s3.utils
import moto.settings
import pytest

from botocore_conn_provider.renewal.registry import keepers
from botocore_conn_provider.sessions import presigned_urls
from tests.sessions.program import Program
from tests.sessions.signing import Signing
from tests.sessions.wire import World, installed_afresh

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.aws import Aws
    from tests.leaks import Leaks, Secrets
    from tests.ways import MetadataServer, Proxy


@pytest.fixture
def world(
    aws: Aws,
    proxy: Proxy,
    metadata_server: MetadataServer,
    secrets: Secrets,
    isolated: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:
    """AWS behind a proxy, an instance profile, and keys to put into connections."""
    # moto takes aws.example for a bucket of the name aws.
    monkeypatch.setattr(moto.settings, "S3_IGNORE_SUBDOMAIN_BUCKETNAME", True)
    monkeypatch.setattr(moto.s3.utils, "S3_IGNORE_SUBDOMAIN_BUCKETNAME", True)
    with installed_afresh():
        yield World(
            aws=aws,
            proxy=proxy,
            metadata_server=metadata_server,
            secrets=secrets,
            home=isolated,
        )


@pytest.fixture
def program(
    world: World, monkeypatch: pytest.MonkeyPatch, leaks: Leaks
) -> Iterator[Program]:
    """A program whose calls botocore logs as the user's own."""
    with leaks.user_calls():
        yield Program(world, monkeypatch)


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test be a process that has said nothing of any URL yet."""
    monkeypatch.setattr(presigned_urls, "_said", {})


@pytest.fixture
def signing(program: Program, leaks: Leaks) -> Iterator[Signing]:
    """A program that signs URLs."""
    yield Signing(program, leaks)
    keepers.forget()
