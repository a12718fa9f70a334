"""What every test runs under, and the loopback world it may ask for."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

import boto3
import botocore
import pytest
from botocore.loaders import JSONFileLoader, Loader

import botocore_conn_provider
from tests.aws import Aws
from tests.certificates import Certificates
from tests.child import Children
from tests.leaks import Leaks, Secrets
from tests.ways import MetadataServer, Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

pytest_plugins = ["tests.federation.saml.parts"]
FOREIGN = ("AWS_", "AIRFLOW_", "BOTO", "GOOGLE_", "CLOUDSDK_", "KRB5", "SSL_CERT_")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
OF_BOTOCORE = f"{Loader.BUILTIN_DATA_PATH}{os.sep}"
SECRETS = pytest.StashKey[Secrets]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a test that needs system packages and is not marked so."""
    for item in items:
        needs = "kerberos" in getattr(item, "fixturenames", ())
        if needs and not item.get_closest_marker("kerberos"):
            raise pytest.UsageError(f"{item.nodeid}: mark it with pytest.mark.kerberos")


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
    """Read botocore's own data files and folders once, not once for each session.

    Reading them was a third of what a test of a session cost. botocore shares what
    it read among the clients of a session; here the sessions share it too.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", share_files())
        patch.setattr(Loader, "list_available_services", share_services())
        yield


def share_files() -> Callable[[JSONFileLoader, str], Any]:
    """Return a `load_file` that reads each file of botocore's once."""
    read = JSONFileLoader.load_file
    data: dict[str, Any] = {}

    def read_once(self: JSONFileLoader, file_path: str) -> Any:
        if not file_path.startswith(OF_BOTOCORE):
            return read(self, file_path)
        if file_path not in data:
            data[file_path] = read(self, file_path)
        return data[file_path]

    return read_once


def share_services() -> Callable[[Loader, str], list[str]]:
    """Return a `list_available_services` that looks at the same folders once."""
    look = Loader.list_available_services
    data: dict[tuple[str, ...], list[str]] = {}

    def look_once(self: Loader, type_name: str) -> list[str]:
        folders = [path for path in self.search_paths if os.path.isdir(path)]  # noqa: PTH112
        key = (type_name, *folders)
        if key not in data:
            data[key] = look(self, type_name)
        return list(data[key])

    return look_once


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


@pytest.fixture
def run_python(leaks: Leaks, tmp_path: Path) -> Children:
    """Run code in a child process: `run_python(code, env=...)`."""
    directory = tmp_path / "child"
    directory.mkdir()
    return Children(leaks, directory)
