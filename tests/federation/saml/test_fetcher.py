from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from botocore_conn_provider.errors import (
    IdpRequestError,
    InvalidConnectionError,
)
from tests.federation.saml.asking import build_fetcher, build_page

if TYPE_CHECKING:
    from tests.federation.saml.parts import StartIdp

CASES = json.loads(
    (Path(__file__).parents[2] / "cases" / "saml" / "connections.json").read_text()
)


@pytest.mark.kerberos
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_connection_is_judged_before_the_network(case: dict[str, Any]) -> None:
    fetcher = build_fetcher(
        case.get("url", "https://idp.corp.test/sso"), sign_in=case.get("sign_in")
    )
    if "error" not in case:
        fetcher.check()
        return
    with pytest.raises(InvalidConnectionError, match=case["error"]) as caught:
        fetcher.check()

    assert "sentinel" not in str(caught.value)


CHECK = """
import sys
from botocore_conn_provider.errors import MissingDependencyError
from tests.federation.saml.asking import build_fetcher
for name in sys.argv[1:]:
    sys.modules[name] = None
auth = {"channel_bindings": "tls-server-end-point"}
try:
    build_fetcher("https://idp.corp.test/", sign_in={"auth": auth}).check()
except MissingDependencyError as error:
    print(error)
"""
ROOT = Path(__file__).parents[3]


def run_check(directory: Path, *missing: str) -> str:
    """Return what a new process says that lacks some packages."""
    path = os.pathsep.join([str(directory), str(ROOT), *sys.path])
    child = subprocess.run(
        [sys.executable, "-c", CHECK, *missing],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return child.stdout


@pytest.mark.parametrize(
    "package",
    [
        "requests",
        pytest.param("requests_gssapi", marks=pytest.mark.kerberos),
        "gssapi",
        "lxml",
    ],
)
def test_missing_package_gives_the_command(package: str, tmp_path: Path) -> None:
    said = run_check(tmp_path, package)

    assert f"The package {package}" in said
    assert "pip install 'botocore-conn-provider[saml]'" in said


@pytest.mark.kerberos
def test_channel_bindings_without_cryptography_give_the_command(
    tmp_path: Path,
) -> None:
    assert "pip install cryptography" in run_check(tmp_path, "cryptography")


def test_missing_system_library_gives_the_command(tmp_path: Path) -> None:
    words = "raise ImportError('libgssapi_krb5.so.2: cannot open shared object file')"
    (tmp_path / "gssapi.py").write_text(words)

    assert "apt-get install libgssapi-krb5-2" in run_check(tmp_path)


def test_package_loads_without_the_extra() -> None:
    program = (
        "import sys; import botocore_conn_provider.federation.saml as s;"
        "print([m for m in ('requests', 'gssapi', 'lxml') if m in sys.modules])"
    )
    child = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert child.stdout.strip() == "[]"


@pytest.mark.kerberos
@pytest.mark.usefixtures("ticket")
def test_no_secret_reaches_a_log(
    start_idp: StartIdp, signed: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    page = {"sign_in": True, "proof": "good", "body": build_page(signed)}
    cookie = {"Set-Cookie": "flow=sentinel-cookie"}
    with start_idp({**page, "headers": cookie}) as idp:
        options: dict[str, Any] = {
            "log_idp_response": True,
            "mutual_authentication": "REQUIRED",
            "request": {"headers": {"X-Key": "sentinel-key"}},
        }
        build_fetcher(idp.url(), sign_in=options).fetch_proof()

    told = caplog.text + repr([record.__dict__ for record in caplog.records])
    assert "IdP < 200" in told
    assert "value=*** (" in told
    assert "sentinel" not in told
    assert signed[200:260] not in told
    assert "Negotiate YII" not in told


@pytest.mark.kerberos
@pytest.mark.usefixtures("ticket")
def test_login_is_done_in_line_where_no_thread_can_be_started(
    start_idp: StartIdp, signed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with start_idp({"sign_in": True, "body": build_page(signed)}) as idp:
        real = threading.Thread.start

        def start(thread: threading.Thread) -> None:
            if thread.name == "conn-proof":
                raise RuntimeError("can't start new thread")
            real(thread)

        monkeypatch.setattr(threading.Thread, "start", start)
        assert build_fetcher(idp.url()).fetch_proof().assertion.reveal() == signed


@pytest.mark.kerberos
@pytest.mark.usefixtures("ticket")
def test_hung_login_leaves_no_thread(start_idp: StartIdp) -> None:
    with start_idp({"fault": "drip-headers"}) as idp:
        with pytest.raises(IdpRequestError):
            build_fetcher(idp.url(), deadline_seconds=0.3).fetch_proof()
        for thread in threading.enumerate():
            if thread.name == "conn-proof":
                thread.join(5)

        assert "conn-proof" not in [thread.name for thread in threading.enumerate()]
