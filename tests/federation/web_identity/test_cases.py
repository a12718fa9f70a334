"""Every kind of default credentials and every fault: the cases are data.

A case is a folder: `case.json` (audience, environment, fault, what must come out)
and, where there is one, Google's `credentials.json`. `@WORDS@` are filled in here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from botocore_conn_provider.connection.settings import (
    AssumeRoleWithWebIdentity,
    ClientSettings,
)
from botocore_conn_provider.errors import (
    LONGEST_MESSAGE,
    StsExchangeError,
    WebIdentityTokenError,
)
from botocore_conn_provider.exchange.sts import StsExchange, create_sts_client
from botocore_conn_provider.federation.web_identity import (
    WebIdentityTokenFetcher,
    explain_refusal,
)
from botocore_conn_provider.federation.web_identity.google import metadata
from botocore_conn_provider.secret import Options
from tests.federation.web_identity.conftest import require_no_secret, show
from tests.federation.web_identity.google_cloud import (
    CLIENT_SECRET,
    REFRESH_TOKEN,
    SUBJECT_TOKEN,
    Fault,
    Google,
    write_pem,
)

if TYPE_CHECKING:
    from tests.federation.web_identity.amazon import Amazon

CASES = Path(__file__).parents[2] / "cases" / "web_identity"
SPEAKS = {
    "version": 1,
    "success": True,
    "token_type": "urn:ietf:params:oauth:token-type:jwt",
    "id_token": SUBJECT_TOKEN,
}


class Stage:
    """One case, set up: what is asked and who answers."""

    def __init__(self, name: str, google: Google, folder: Path) -> None:
        self.google, self.folder = google, folder
        (folder / "subject").write_text(SUBJECT_TOKEN)
        (folder / "command").write_text(f"echo '{json.dumps(SPEAKS)}'")
        self.case: dict[str, Any] = self._fill(CASES / name / "case.json")
        self.environ: dict[str, str] = {"HOME": str(folder)}
        self._place_credentials(CASES / name / "credentials.json")
        self.environ.update(self.case.get("environ", {}))
        google.token_ending = self.case.get("token_ending", "")
        google.claims = self.case.get("claims_forged", {})
        if "fault" in self.case:
            google.fault = Fault(**self.case["fault"])

    def _fill(self, path: Path) -> Any:
        return json.loads(self._fill_text(path.read_text()))

    def _fill_text(self, text: str) -> str:
        values = {
            "@GOOGLE@": self.google.url,
            "@FOLDER@": str(self.folder),
            "@ROBOT_KEY@": write_pem(self.google.robot_key),
            "@EC_KEY@": write_pem(self.google.ec_key),
            "@CLIENT_SECRET@": CLIENT_SECRET,
            "@REFRESH_TOKEN@": REFRESH_TOKEN,
        }
        for word, value in values.items():
            text = text.replace(word, json.dumps(value)[1:-1])
        return text

    def _place_credentials(self, source: Path) -> None:
        if not source.exists():
            return
        gcloud = self.folder / ".config" / "gcloud"
        gcloud.mkdir(parents=True)
        if self.case["place"] == "gcloud":
            target = gcloud / "application_default_credentials.json"
        else:
            target = self.folder / "key.json"
            self.environ["GOOGLE_APPLICATION_CREDENTIALS"] = str(target)
        target.write_text(self._fill_text(source.read_text()))

    def build_fetcher(self, role: AssumeRoleWithWebIdentity) -> WebIdentityTokenFetcher:
        return WebIdentityTokenFetcher(
            role,
            conn_id="aws_test",
            deadline_seconds=self.case.get("deadline_seconds", 20),
            allow_plugins=True,
            environ=self.environ,
        )


def list_cases(*keys: str) -> list[str]:
    return [
        folder.name
        for folder in sorted(CASES.iterdir())
        if set(keys) & set(json.loads((folder / "case.json").read_text()))
    ]


@pytest.fixture
def stage(
    request: pytest.FixtureRequest,
    google: Google,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Stage:
    monkeypatch.setattr(metadata, "DETECTION_SECONDS", 0.5)
    monkeypatch.setattr(metadata, "DEFAULT_HOST", google.host)
    monkeypatch.setattr(metadata, "PRODUCT_NAME", tmp_path / "nowhere")
    stage = Stage(request.param, google, tmp_path)
    for name, value in stage.environ.items():  # google-auth reads the process's own
        if name.startswith("GOOGLE_EXTERNAL"):
            monkeypatch.setenv(name, value)
    return stage


def build_role(stage: Stage, role_arn: str) -> AssumeRoleWithWebIdentity:
    return AssumeRoleWithWebIdentity(
        role_arn, "google", audience=stage.case["audience"]
    )


def build_exchange(aws: Amazon) -> StsExchange:
    settings = ClientSettings(
        service_endpoints={"sts": aws.url},
        config=Options({"retries": {"total_max_attempts": 1}}),
    )
    session = botocore.session.Session()
    session.set_config_variable("region", "eu-central-1")
    client = create_sts_client(session, settings)
    return StsExchange(client, conn_id="aws_test")


def trust(claims: dict[str, Any]) -> dict[str, Any]:
    compared = {
        "accounts.google.com:aud": claims["azp"],
        "accounts.google.com:oaud": claims["aud"][0],
        "accounts.google.com:sub": claims["sub"],
    }
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": "accounts.google.com"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": compared},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_there_is_a_case_for_each_outcome() -> None:
    assert len(list_cases("claims", "error", "sts_error")) == len(list(CASES.iterdir()))


@pytest.mark.parametrize("stage", list_cases("claims"), indirect=True)
def test_token_becomes_credentials(stage: Stage, aws: Amazon) -> None:
    claims = stage.case["claims"]
    role = build_role(stage, aws.create_role("trusting", trust(claims)))
    fetcher = stage.build_fetcher(role)

    fetcher.check()
    assert stage.google.requests == []
    token = fetcher.fetch_token()
    credentials = build_exchange(aws).assume_role_with_web_identity(
        role, token=token.token
    )

    assert stage.google.requests == stage.case["google_requests"]
    assert token.claims is not None
    assert token.claims.authorized_party == claims["azp"]
    assert token.claims.subject == claims["sub"]
    assert list(token.claims.audience) == claims["aud"]
    assert credentials.access_key_id.startswith("ASIA")
    assert [call["WebIdentityToken"] for call in aws.calls] == [token.token.reveal()]
    assert "HTTP_AUTHORIZATION" not in aws.headers[0]


@pytest.mark.parametrize("stage", list_cases("error"), indirect=True)
def test_fault_is_one_clear_error(stage: Stage) -> None:
    role = build_role(stage, "arn:aws:iam::123456789012:role/none")

    with pytest.raises(WebIdentityTokenError) as caught:
        stage.build_fetcher(role).fetch_token()

    text = str(caught.value)
    assert text.startswith("Connection 'aws_test': ")
    assert [word for word in stage.case["error"] if word not in text] == []
    assert len(text) < LONGEST_MESSAGE
    assert caught.value.retryable is stage.case.get("retryable", False)
    assert stage.google.requests == stage.case["google_requests"]
    require_no_secret(stage.google, [show(caught.value)])


@pytest.mark.parametrize("stage", list_cases("offline"), indirect=True)
def test_hopeless_credentials_are_refused_offline(stage: Stage) -> None:
    role = build_role(stage, "arn:aws:iam::123456789012:role/none")

    with pytest.raises(WebIdentityTokenError) as caught:
        stage.build_fetcher(role).check()

    text = str(caught.value)
    assert [word for word in stage.case["error"] if word not in text] == []
    assert stage.google.requests == []


@pytest.mark.parametrize("stage", list_cases("sts_error"), indirect=True)
def test_refusal_of_sts_is_explained(stage: Stage, aws: Amazon) -> None:
    claims = {
        "azp": "robot@project.iam.gserviceaccount.com",
        "aud": ["https://aws.example.org"],
        "sub": "100000000000000000042",
    }
    role = build_role(stage, aws.create_role("trusting", trust(claims)))
    token = stage.build_fetcher(role).fetch_token()
    with pytest.raises(StsExchangeError) as caught:
        build_exchange(aws).assume_role_with_web_identity(role, token=token.token)

    told = explain_refusal(caught.value, token, role)

    assert [word for word in stage.case["sts_error"] if word not in str(told)] == []
    assert len(str(told)) < LONGEST_MESSAGE
    assert told.retryable is False
    assert len(aws.calls) == 1
    assert stage.google.requests == stage.case["google_requests"]
    require_no_secret(stage.google, [show(told), show(caught.value)])
