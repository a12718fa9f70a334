"""Google to AWS without stored keys, with both clouds on loopback.

Run from anywhere: `python examples/demo/google_flow.py`. A key file signs in at a real
token endpoint, the ID token is really verified, moto's STS answers, and then the
same with a role that trusts somebody else. `requirements-test.txt` says what
must be installed; the two clouds are those of the tests. The name is not `google.py`,
which would stand in the way of the package `google` beside it.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import botocore.session

from botocore_conn_provider.connection.settings import (
    AssumeRoleWithWebIdentity,
    ClientSettings,
)
from botocore_conn_provider.errors import StsExchangeError
from botocore_conn_provider.exchange import StsExchange, create_sts_client
from botocore_conn_provider.proofs.web_identity import (
    WebIdentityTokenFetcher,
    build_trust_policy,
    explain_refusal,
    list_condition_keys,
)

sys.path.insert(0, str(Path(__file__).parents[2]))  # the clouds live with the tests

from tests.web_identity.amazon import Amazon
from tests.web_identity.google_cloud import (
    ISSUER,
    ROBOT,
    Google,
    write_pem,
)

AUDIENCE = "https://aws.example.org"
ROLE_ARN = "arn:aws:iam::123456789012:role/google-federation"


def main() -> None:
    """Show the flow, its requests, and what a refusal looks like."""
    google = Google()
    aws = Amazon({ISSUER: google.signing_key.public_key()})
    try:
        with tempfile.TemporaryDirectory() as folder:
            show(google, aws, write_key_file(google, Path(folder)))
    finally:
        google.close()
        aws.close()


def write_key_file(google: Google, folder: Path) -> Path:
    """Write a service account's key file as Google's console would."""
    path = folder / "key.json"
    path.touch(mode=0o600)
    key = {
        "type": "service_account",
        "client_email": ROBOT,
        "private_key": write_pem(google.robot_key),
        "token_uri": f"{google.url}/token",
    }
    path.write_text(json.dumps(key))
    return path


def show(google: Google, aws: Amazon, key_file: Path) -> None:
    """Fetch, exchange, and be refused."""
    role = AssumeRoleWithWebIdentity(ROLE_ARN, "google", audience=AUDIENCE)
    fetcher = WebIdentityTokenFetcher(
        role,
        conn_id="aws_default",
        deadline_seconds=30,
        allow_plugins=False,
        environ={"GOOGLE_APPLICATION_CREDENTIALS": str(key_file)},
    )
    exchange = build_exchange(aws)
    token = fetcher.fetch_token()
    assert token.claims is not None  # noqa: S101 - Google's tokens always have claims
    print("Google was asked:", *google.requests)
    print("AWS will compare:", *list_condition_keys(token.claims).items(), sep="\n  ")

    policy = build_trust_policy(token.claims, ROLE_ARN)
    aws.create_role("google-federation", policy)
    keys = exchange.assume_role_with_web_identity(role, token=token.token)
    print(f"AWS gave ...{keys.access_key_id[-4:]} until {keys.expires_at:%H:%M} UTC")

    stranger = token.claims._replace(subject="somebody-else")
    aws.create_role("google-federation", build_trust_policy(stranger, ROLE_ARN))
    try:
        exchange.assume_role_with_web_identity(role, token=token.token)
    except StsExchangeError as error:
        print("A role that trusts somebody else:")
        print(" ", explain_refusal(error, token, role))


def build_exchange(aws: Amazon) -> StsExchange:
    """Return the exchange with the STS on loopback."""
    session = botocore.session.Session()
    session.set_config_variable("region", "eu-central-1")
    settings = ClientSettings(service_endpoints={"sts": aws.url})
    client = create_sts_client(session, settings, unsigned=True)
    return StsExchange(client, conn_id="aws_default")


if __name__ == "__main__":
    main()
