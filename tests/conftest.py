"""What every test runs under, and the loopback world it may ask for."""

from __future__ import annotations

import gc
import logging
import os
from typing import TYPE_CHECKING

import boto3
import botocore
import pytest

import botocore_conn_provider
from tests import botocores_data
from tests.aws import Aws
from tests.certificates import Certificates
from tests.child import Children, ForkingParent
from tests.leaks import Leaks, Secrets
from tests.thoroughness import register_quick
from tests.ways import MetadataServer, Proxy

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

pytest_plugins = ["tests.federation.saml.parts"]
FOREIGN = (
    "AWS_",
    "AIRFLOW_",
    "BOTO",
    "GOOGLE_",
    "CLOUDSDK_",
    "FSSPEC_",
    "KRB5",
    "SSL_CERT_",
)
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
SECRETS = pytest.StashKey[Secrets]()
register_quick()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Start two processes more than there are cores: some tests wait."""
    return (os.cpu_count() or 1) + 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a test that needs system packages and is not marked so."""
    for item in items:
        needs = "kerberos" in getattr(item, "fixturenames", ())
        if needs and not item.get_closest_marker("kerberos"):
            raise pytest.UsageError(f"{item.nodeid}: mark it with pytest.mark.kerberos")


def pytest_collection_finish() -> None:
    """Keep the collector, and with it each forked child, from going over all tests.

    And have it go over what the tests make less often than usual: it took a tenth.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


def pytest_report_header() -> list[str]:
    source = os.path.dirname(botocore_conn_provider.__file__)  # noqa: PTH120
    hosts = f"botocore {botocore.__version__}, boto3 {boto3.__version__}"
    return [f"tested: {source}", f"hosts: {hosts}"]


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Take away what this machine would lend to the test; return its home."""
    for name in list(os.environ):
        if name.startswith(FOREIGN) or name.lower() in PROXIES:
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / ".aws" / "config"))
    monkeypatch.setenv(
        "AWS_SHARED_CREDENTIALS_FILE", str(home / ".aws" / "credentials")
    )
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return home


@pytest.fixture(scope="session", autouse=True)
def _botocores_data() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        botocores_data.share(patch.setattr)
        yield


@pytest.fixture
def secrets(request: pytest.FixtureRequest) -> Secrets:
    """Make texts that nothing may show."""
    stash: pytest.Stash = request.node.stash
    return stash.setdefault(SECRETS, Secrets())


@pytest.fixture(autouse=True)
def leaks(secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> Iterator[Leaks]:
    """Fail the test if a secret of its own shows anywhere."""
    watcher = Leaks(secrets)
    with watcher.watch(monkeypatch):
        yield watcher
    watcher.check_all()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test whose standard output or error shows a secret."""
    report = yield
    secrets = item.stash.get(SECRETS, Secrets())
    names = secrets.find_in(report.capstdout + report.capstderr)
    if report.when == "teardown" and report.passed and names:
        report.outcome = "failed"
        report.longrepr = f"the test's output shows: {', '.join(names)}"
    return report


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Trust `ca_file` to trust the servers of the tests."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def aws_server(certificates: Certificates) -> Iterator[Aws]:
    """Run one AWS for the whole run; `aws` is the one to ask for."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with Aws(certificates).serve() as running:
        yield running


@pytest.fixture
def aws(aws_server: Aws, secrets: Secrets) -> Aws:
    """AWS on loopback, empty; what it issues counts as secret."""
    aws_server.start_anew(secrets)
    return aws_server


@pytest.fixture
def proxy(aws: Aws) -> Iterator[Proxy]:
    """A forward proxy, HTTP and CONNECT, in front of `aws`."""
    with Proxy(aws).serve() as running:
        yield running


@pytest.fixture
def metadata_server(secrets: Secrets) -> Iterator[MetadataServer]:
    """The instance metadata service, which `environment()` leads to."""
    with MetadataServer(secrets).serve() as running:
        yield running


@pytest.fixture(scope="session")
def forking_parent() -> Iterator[ForkingParent]:
    """Give to `run_python` as `parent` where a child need not load boto3 itself."""
    parent = ForkingParent()
    yield parent
    parent.close()


@pytest.fixture
def run_python(leaks: Leaks, tmp_path: Path) -> Children:
    """Run code in a child process: `run_python(code, env=...)`."""
    directory = tmp_path / "child"
    directory.mkdir()
    return Children(leaks, directory)
