"""The explanation: complete, stable, without a secret and without the network."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config

from botocore_conn_provider.cli.explain import field_list
from botocore_conn_provider.cli.explain.tree import build_tree, grow
from botocore_conn_provider.connection.extra import KNOWN_FIELDS
from tests.cli.conftest import CONNECTION, ROLE
from tests.cli.test_doctor import build_token

if TYPE_CHECKING:
    from tests.cli.conftest import Command
    from tests.leaks import Secrets

SAML = {
    "role_arn": ROLE,
    "assume_role_method": "assume_role_with_saml",
    "assume_role_with_saml": {
        "principal_arn": "arn:aws:iam::123456789012:saml-provider/corp",
        "idp_url": "https://idp.example.org/sso?client=hidden",
        "idp_auth_method": "http_spegno_auth",
        "saml_response_xpath": "//INPUT/@VALUE",
        "idp_request_kwargs": {"headers": {"X-Key": "hidden"}},
    },
}
WEB = {
    "role_arn": ROLE,
    "assume_role_method": "assume_role_with_web_identity",
    "assume_role_with_web_identity_federation": "google",
}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("explain used the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def explain(
    command: Command, monkeypatch: pytest.MonkeyPatch, document: object
) -> dict[str, Any]:
    monkeypatch.setenv(CONNECTION, json.dumps(document))
    said = command("explain", "--json")
    assert (said.code, said.err) == (0, "")
    explained: dict[str, Any] = json.loads(said.out)
    return explained


def test_every_field_has_a_meaning_and_a_place_in_the_specification() -> None:
    assert set(field_list.EXTRA) == set(KNOWN_FIELDS)
    told = (Path(__file__).parents[2] / "docs" / "specification.md").read_text()
    section = told.partition("\n## 2.")[2].partition("\n## 3.")[0]
    names = (*field_list.EXTRA, *field_list.SAML)
    assert [name for name in names if f"`{name}" not in section] == []


def test_keys_and_role_are_explained(
    command: Command, monkeypatch: pytest.MonkeyPatch, secrets: Secrets
) -> None:
    key_id = secrets.add("AKIAQ2345672345ABCDE", name="key id")
    extra = {
        "role_arn": ROLE,
        "region_name": "eu-west-1",
        "assume_role_kwargs": {"ExternalId": "abc"},
        "config_kwargs": {"proxies": {"https": "http://user:hidden@proxy:3128"}},
        "service_config": {
            "s3": {"endpoint_url": "http://minio:9000/hidden"},
            "sqs": {"endpoint_url": None},
        },
        "verify": True,
    }
    document = {
        "login": key_id,
        "password": secrets.new("key"),
        "port": 1,
        "extra": extra,
    }
    monkeypatch.setenv("AWS_PROFILE", "ambient")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ambient")

    explained = explain(command, monkeypatch, document)

    assert list(explained) == [
        "connection",
        "fields",
        "steps",
        "ignored",
        "effects",
        "engines",
        "trust_policy",
        "notices",
    ]
    assert explained["steps"] == [
        "Take the keys of the connection (…BCDE).",
        f"Call AssumeRole of {ROLE} with ExternalId, RoleSessionName.",
    ]
    assert explained["ignored"] == [
        "AWS_PROFILE: the connection says who we are",
        "AWS_DEFAULT_REGION: the connection says otherwise",
        "'port' of the record: not used for AWS",
    ]
    effects = explained["effects"]
    assert effects["region"] == "eu-west-1 (from the connection)"
    assert effects["proxies"] == {"https": "http://proxy:3128"}
    assert effects["endpoints"] == {
        "every service": "AWS's own",
        "s3": "http://minio:9000",
        "sqs": "AWS's own",
        "sts, for the exchange": "AWS's own",
    }
    statement = explained["trust_policy"]["Statement"][0]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::057707198453:root"}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "abc"}}
    assert "hidden" not in json.dumps(explained)


TOKEN = "AWS_BEARER_TOKEN_BEDROCK: the connection says who we are"
PREFERRED = "AWS_AUTH_SCHEME_PREFERENCE: the connection says who we are; sigv4 counts"


def test_keys_of_the_environment_are_named_and_told_to_be_temporary(
    command: Command, monkeypatch: pytest.MonkeyPatch, secrets: Secrets
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", secrets.new_access_key_id())
    document = {"extra": {"role_arn": ROLE}}
    lasting = explain(command, monkeypatch, document)["effects"]["identity"]["keys"]
    assert lasting == "AWS_ACCESS_KEY_ID of the environment"
    monkeypatch.setenv("AWS_SESSION_TOKEN", secrets.new("session token"))
    told = explain(command, monkeypatch, document)["effects"]["identity"]["keys"]
    assert "AWS_SESSION_TOKEN: temporary" in told


@pytest.mark.parametrize(
    ("extra", "preference", "ignored"),
    [
        ({}, "", [TOKEN]),
        ({}, "httpBearerAuth", [TOKEN, PREFERRED]),
        ({}, "sigv4a, noAuth", [TOKEN, PREFERRED]),
        ({}, "sigv4a, sigv4", [TOKEN]),
        (
            {"config_kwargs": {"auth_scheme_preference": "httpBearerAuth"}},
            "httpBearerAuth",
            [],
        ),
    ],
)
def test_bearer_tokens_of_the_environment_are_ignored(
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    secrets: Secrets,
    extra: dict[str, Any],
    preference: str,
    ignored: list[str],
) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", secrets.new("token"))
    monkeypatch.setenv("AWS_AUTH_SCHEME_PREFERENCE", preference)
    keys = {"login": "AKIA", "password": "k"}
    if "auth_scheme_preference" not in Config.OPTION_DEFAULTS:
        extra = {}  # an older botocore refuses the option
        ignored = [TOKEN, PREFERRED] if preference == "httpBearerAuth" else ignored
    explained = explain(command, monkeypatch, {**keys, "extra": extra})
    assert explained["ignored"] == ignored


@pytest.mark.parametrize("extra", [{}, {"region_name": "eu-west-1"}])
def test_bearer_tokens_count_for_botocores_own_chain(
    command: Command, monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any]
) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "ambient")
    assert explain(command, monkeypatch, {"extra": extra})["ignored"] == []


@pytest.mark.parametrize("as_text", [False, True])
def test_saml_is_explained(
    as_text: bool,  # noqa: FBT001 - a case
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    extra = dict(SAML)
    if as_text:
        extra["assume_role_with_saml"] = json.dumps(SAML["assume_role_with_saml"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ambient")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/ambient")
    keys = {"login": "AKIA", "password": "k"}

    explained = explain(command, monkeypatch, {**keys, "extra": extra})

    assert explained["steps"][:2] == [
        "Sign in at https://idp.example.org (spnego), within 30 s.",
        "Find the SAML response by the XPath of the page.",
    ]
    assert explained["ignored"] == [
        "AWS_ACCESS_KEY_ID: the connection says who we are",
        "AWS_WEB_IDENTITY_TOKEN_FILE: the connection says who we are",
        "keys and profile of the connection: this exchange needs none",
    ]
    fields = {field["name"]: field["value"] for field in explained["fields"]}
    assert fields["assume_role_with_saml.idp_url"] == "https://idp.example.org"
    assert fields["assume_role_with_saml.idp_request_kwargs"] == "(head…)"
    condition = explained["trust_policy"]["Statement"][0]["Condition"]
    assert condition == {
        "StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}
    }
    assert "hidden" not in json.dumps(explained)


def test_google_is_explained(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    audience = {"assume_role_with_web_identity_federation_audience": "aws"}
    explained = explain(command, monkeypatch, {"extra": {**WEB, **audience}})
    assert explained["steps"][0] == (
        "Get an identity token from google for the audience aws."
    )
    compared = explained["trust_policy"]["Statement"][0]["Condition"]["StringEquals"]
    assert compared["accounts.google.com:oaud"] == "aws"


def test_token_file_tells_its_policy(
    command: Command, monkeypatch: pytest.MonkeyPatch, secrets: Secrets, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    extra = {**WEB, "assume_role_with_web_identity_federation": "file"}
    assert explain(command, monkeypatch, {"extra": extra})["trust_policy"] is None

    token.write_text(build_token(secrets))

    policy = explain(command, monkeypatch, {"extra": extra})["trust_policy"]
    assert policy["Statement"][0]["Condition"]["StringEquals"] == {
        "issuer.example.org:aud": "aws",
        "issuer.example.org:sub": "robot",
    }


def test_plug_ins_tell_no_policy(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = {**WEB, "assume_role_with_web_identity_federation": "gitlab"}
    assert explain(command, monkeypatch, {"extra": extra})["trust_policy"] is None


def test_what_stands_around_is_told_where_the_connection_is_silent(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hidden@proxy:3128")
    monkeypatch.setenv("NO_PROXY", "localhost")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    monkeypatch.setenv("AWS_CA_BUNDLE", "/ca.pem")
    monkeypatch.setenv("BOTOCORE_CONN_STORE", str(tmp_path))

    effects = explain(command, monkeypatch, {})["effects"]

    assert effects["proxies"] == {
        "HTTPS_PROXY": "http://proxy:3128",
        "NO_PROXY": "localhost",
    }
    assert effects["region"] == "eu-west-3 (from AWS_DEFAULT_REGION)"
    assert effects["verify"] == "/ca.pem (from AWS_CA_BUNDLE)"
    assert effects["store"].startswith(f"on, {tmp_path}")


def test_nothing_around_is_told_too(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = {"config_kwargs": {"proxies": {}}, "endpoint_url": "http://h/hidden"}
    effects = explain(command, monkeypatch, {"extra": extra})["effects"]
    assert effects["region"].startswith("none: give one")
    assert effects["proxies"] == {"none": "the connection switches them off"}
    assert effects["verify"] == "the system's CAs"
    assert effects["endpoints"]["every service"] == "http://h"


def test_profile_is_where_it_starts(
    command: Command, monkeypatch: pytest.MonkeyPatch, isolated: Path
) -> None:
    (isolated / ".aws" / "config").write_text("[profile p]\nregion = eu-west-2\n")
    explained = explain(command, monkeypatch, {"extra": {"profile_name": "p"}})
    assert explained["steps"] == ["Take the credentials of the profile 'p'."]
    assert explained["effects"]["region"] == "eu-west-2 (from the profile)"


def test_absent_default_is_botocores_chain(command: Command) -> None:
    said = command("explain")
    assert said.code == 0
    assert "Use botocore's own chain." in said.out


def test_absent_connection_that_was_named_is_an_error(command: Command) -> None:
    said = command("explain", "--conn-id", "other")
    assert said.code == 4
    assert "AIRFLOW_CONN_OTHER" in said.err


def test_tree_shows_fields_that_are_there_or_all(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONNECTION, json.dumps({"extra": SAML}))
    short, long = command("explain").out, command("explain", "--all").out
    assert "role_arn: arn" in short
    assert "profile_name: not set" not in short
    assert "profile_name: not set (none)" in long
    assert '"SAML:aud"' in short


def test_rich_tree_has_every_branch() -> None:
    tree = build_tree("t", grow({"a": {"b": "c"}, "d": [], "e": ["[bold]f"]}))
    labels = [str(branch.label) for branch in tree.children]
    assert labels == ["a", "d", "e"]
    assert str(tree.children[2].children[0].label) == "[bold]f"


def test_engines_that_are_not_reached_are_named(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = {"conn_type": "aws", "extra": {"role_arn": ROLE}}
    _, others = explain(command, monkeypatch, document)["engines"].values()
    assert others.startswith("NOT reached")
    monkeypatch.setenv("BOTOCORE_CONN_ENGINES", "on")
    _, others = explain(command, monkeypatch, document)["engines"].values()
    assert "by an endpoint of the process" in others


@pytest.mark.parametrize(
    "given",
    [
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9911/credentials"},
        {"BOTOCORE_CONN_CHANGED_ENVIRONMENT": "{}"},
    ],
    ids=["endpoint", "keys"],
)
def test_engines_under_exec_or_beside_serve_are_reached(
    given: dict[str, str], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    document = {"conn_type": "aws", "extra": {"role_arn": ROLE}}
    _, others = explain(command, monkeypatch, document)["engines"].values()
    assert others.startswith("by what this environment was given")
