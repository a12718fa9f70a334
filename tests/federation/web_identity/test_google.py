from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from botocore_conn_provider.connection.environment import Snapshot
from botocore_conn_provider.connection.settings import AssumeRoleWithWebIdentity
from botocore_conn_provider.errors import MissingDependencyError, WebIdentityTokenError
from botocore_conn_provider.federation.web_identity import WebIdentityTokenFetcher
from botocore_conn_provider.federation.web_identity.google import metadata
from botocore_conn_provider.federation.web_identity.google.adc import (
    CredentialsFile,
    find_gcloud_file,
)
from tests.federation.web_identity.conftest import Ear, require_no_secret, show
from tests.federation.web_identity.google_cloud import (
    SUBJECT_TOKEN,
    TARGET,
    Fault,
    Google,
)

if TYPE_CHECKING:
    from pathlib import Path

AUDIENCE = "https://aws.example.org"


def build_fetcher(
    google: Google, *, conn_id: str = "aws_test", audience: str | None = AUDIENCE
) -> WebIdentityTokenFetcher:
    role = AssumeRoleWithWebIdentity("arn:role", "google", audience=audience)
    return WebIdentityTokenFetcher(
        role,
        conn_id=conn_id,
        deadline_seconds=10,
        allow_plugins=False,
        environ={"HOME": "/nowhere", "GCE_METADATA_HOST": google.host},
    )


def test_each_fetch_asks_anew(google: Google) -> None:
    fetcher = build_fetcher(google)
    fetcher.fetch_token()
    fetcher.fetch_token()
    assert len(google.requests) == 2


def test_missing_audience_is_warned_about_once(google: Google, ear: Ear) -> None:
    for _ in range(3):
        build_fetcher(google, conn_id="no_audience", audience=None).check()
    warned = [text for text in ear.heard if "accounts.google.com:oaud" in text]
    assert len(warned) == 2  # one record: its message and its repr


class Proxy(BaseHTTPRequestHandler):
    seen: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.send_error(503)

    do_POST = do_CONNECT = do_GET  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Be quiet."""


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Any:
    Proxy.seen.clear()
    server = HTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
    monkeypatch.delenv("no_proxy", raising=False)
    yield Proxy.seen
    server.shutdown()
    server.server_close()


def test_metadata_server_is_never_asked_through_a_proxy(
    google: Google, proxy: list[str]
) -> None:
    build_fetcher(google).fetch_token()
    assert proxy == []
    assert len(google.requests) == 1


def test_metadata_server_is_that_of_the_session_and_not_of_the_process(
    google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetcher = build_fetcher(google)
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:1")
    fetcher.fetch_token()
    assert len(google.requests) == 1


def test_google_itself_is_asked_through_the_proxy(
    proxy: list[str], google: Google, tmp_path: Path
) -> None:
    user = {"type": "authorized_user", "token_uri": "https://oauth.example.org/token"}
    parts = {"client_id": "c", "client_secret": "s", "refresh_token": "r"}
    (tmp_path / "adc.json").write_text(json.dumps({**user, **parts}))
    role = AssumeRoleWithWebIdentity("arn:role", "google", audience="c")
    fetcher = WebIdentityTokenFetcher(
        role,
        conn_id="aws_test",
        deadline_seconds=10,
        allow_plugins=False,
        environ={"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "adc.json")},
    )
    with pytest.raises(
        WebIdentityTokenError,
        match=r"way to https://oauth\.example\.org could not be used",
    ) as caught:
        fetcher.fetch_token()
    assert proxy == ["oauth.example.org:443"]
    require_no_secret(google, [show(caught.value)])


def test_netrc_does_not_speak_for_us(
    google: Google, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password mine\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    build_fetcher(google).fetch_token()
    assert "Authorization" not in google.headers[0]


def test_given_up_request_leaves_no_connection(google: Google) -> None:
    google.fault = Fault("identity", kind="slow")
    role = AssumeRoleWithWebIdentity("arn:role", "google", audience=AUDIENCE)
    fetcher = WebIdentityTokenFetcher(
        role,
        conn_id="aws_test",
        deadline_seconds=0.2,
        allow_plugins=False,
        environ={"HOME": "/nowhere", "GCE_METADATA_HOST": google.host},
    )
    with pytest.raises(WebIdentityTokenError, match="no token within"):
        fetcher.fetch_token()
    assert google.released.wait(10)


@pytest.mark.parametrize("missing", ["google", "google.auth", "requests"])
def test_missing_extra_is_named_with_the_command(
    google: Google, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [n for n in sys.modules if n.partition(".")[0] == "google"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingDependencyError) as caught:
        build_fetcher(google).check()
    assert "pip install 'botocore-conn-provider[google]'" in str(caught.value)


def test_google_auth_is_imported_only_for_google(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("opaque")
    code = f"""
import sys
from botocore_conn_provider.connection.settings import AssumeRoleWithWebIdentity
from botocore_conn_provider.federation.web_identity import WebIdentityTokenFetcher
role = AssumeRoleWithWebIdentity("arn", "file", token_file={str(tmp_path / "token")!r})
fetcher = WebIdentityTokenFetcher(
    role, conn_id="a", deadline_seconds=9, allow_plugins=False, environ={{}}
)
fetcher.check()
assert fetcher.fetch_token().token.reveal() == "opaque"
print(sorted(n for n in sys.modules if n.partition(".")[0] in ("google", "requests")))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"


def test_credentials_file_shows_no_secret() -> None:
    file = CredentialsFile("aws_test", "here", {"private_key": "sentinel"})
    assert repr(file) == "CredentialsFile(here)"


def test_gcloud_folder_can_be_moved() -> None:
    path = find_gcloud_file({"CLOUDSDK_CONFIG": "/moved"})
    assert str(path) == "/moved/application_default_credentials.json"


@pytest.mark.parametrize(
    ("environ", "product", "expected"),
    [
        ({"K_SERVICE": "job"}, None, True),
        ({"GCE_METADATA_HOST": "localhost:1"}, None, True),
        ({}, "Google Compute Engine\n", True),
        ({}, "Standard PC\n", False),
        ({}, None, False),
    ],
)
def test_signs_of_google_are_seen(
    tmp_path: Path, environ: dict[str, str], product: str | None, *, expected: bool
) -> None:
    path = tmp_path / "product_name"
    if product is not None:
        path.write_text(product)
    assert metadata.is_on_google(environ, product_name=path) is expected


def write_amazons(google: Google, tmp_path: Path) -> dict[str, str]:
    """Write an external account whose identity is that of the AWS keys; return variables."""
    account = {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/"
        "workloadIdentityPools/pool/providers/aws",
        "subject_token_type": "urn:ietf:params:aws:token-type:aws4_request",
        "token_url": f"{google.url}/v1/token",
        "service_account_impersonation_url": f"{google.url}/v1/projects/-/"
        "serviceAccounts/target@project.iam.gserviceaccount.com:generateAccessToken",
        "credential_source": {
            "environment_id": "aws1",
            "regional_cred_verification_url": "https://sts.{region}.amazonaws.com"
            "?Action=GetCallerIdentity&Version=2011-06-15",
        },
    }
    (tmp_path / "adc.json").write_text(json.dumps(account))
    return {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "adc.json")}


def read_with(environ: dict[str, str]) -> WebIdentityTokenFetcher:
    role = AssumeRoleWithWebIdentity("arn:role", "google", audience=AUDIENCE)
    return WebIdentityTokenFetcher(
        role,
        conn_id="aws_test",
        deadline_seconds=10,
        allow_plugins=False,
        environ=environ,
    )


def test_external_account_of_aws_is_built_without_asking(
    google: Google, tmp_path: Path
) -> None:
    read_with(write_amazons(google, tmp_path)).check()
    assert google.requests == []


def test_external_account_of_aws_is_not_that_of_keys_which_were_set_later(
    google: Google, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetcher = read_with(write_amazons(google, tmp_path))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFSOMEBODYELSE00")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of somebody else")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    with pytest.raises(WebIdentityTokenError, match="AWS_ACCESS_KEY_ID has changed"):
        fetcher.fetch_token()
    assert google.requests == []


def write_workload(google: Google, folder: Path, source: dict[str, Any]) -> str:
    account = {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/"
        "workloadIdentityPools/pool/providers/p",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"{google.url}/v1/token",
        "credential_source": source,
        "service_account_impersonation_url": f"{google.url}/v1/projects/-/"
        f"serviceAccounts/{TARGET}:generateAccessToken",
    }
    (folder / "adc.json").write_text(json.dumps(account))
    return str(folder / "adc.json")


def test_command_of_an_external_account_has_the_sessions_variables(
    google: Google, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {
        "version": 1,
        "success": True,
        "token_type": "urn:ietf:params:oauth:token-type:jwt",
        "id_token": "$TOKEN",
    }
    command = tmp_path / "command"
    command.write_text(f"cat <<END\n{json.dumps(answer)}\nEND\n")
    source = {"command": f"/bin/sh {command}", "timeout_millis": 5000}
    allow = {"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES": "1"}
    named = write_workload(google, tmp_path, {"executable": source})
    variables = {"PATH": os.environ["PATH"], "TOKEN": SUBJECT_TOKEN, **allow}
    fetcher = read_with({**variables, "GOOGLE_APPLICATION_CREDENTIALS": named})
    monkeypatch.setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
    monkeypatch.setenv("TOKEN", "of somebody else")
    assert fetcher.fetch_token().claims


def test_relative_subject_token_is_that_of_the_sessions_folder(
    google: Google, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = write_workload(google, tmp_path, {"file": "token"})
    (tmp_path / "token").write_text(SUBJECT_TOKEN)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "token").write_text("of somebody else")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", named)
    fetcher = read_with(dict(Snapshot.take().settle()))
    monkeypatch.chdir(tmp_path / "other")
    assert fetcher.fetch_token().claims
