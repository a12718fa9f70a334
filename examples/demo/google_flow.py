"""Google to AWS without stored keys, with both clouds on loopback.

Run from anywhere: `python examples/demo/google_flow.py`. A key file signs in at a real
token endpoint, the ID token is really verified by what stands before moto's STS, and
then the same with a role that trusts somebody else. The two clouds are those of the
tests. The name is not `google.py`, which would stand in the way of the package
`google` beside it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
from pathlib import Path

import boto3

import botocore_conn_provider
from botocore_conn_provider import StsExchangeError

sys.path.insert(0, str(Path(__file__).parents[2]))  # the clouds live with the tests

from tests.federation.web_identity.amazon import Amazon
from tests.federation.web_identity.google_cloud import (
    ISSUER,
    ROBOT,
    Google,
    write_pem,
)

AUDIENCE = "https://aws.example.org"
TRUSTING = "arn:aws:iam::123456789012:role/google-federation"
DISTRUSTING = "arn:aws:iam::123456789012:role/somebody-elses"
ACCOUNTS = "accounts.google.com"
SUBJECT = "100000000000000000042"


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


def write_connection(role_arn: str, sts_url: str) -> str:
    """Write a connection, with no secret in it."""
    extra = {
        "role_arn": role_arn,
        "region_name": "eu-central-1",
        "assume_role_method": "assume_role_with_web_identity",
        "assume_role_with_web_identity_federation": "google",
        "assume_role_with_web_identity_federation_audience": AUDIENCE,
        "endpoint_url": sts_url,
        "service_config": {"sts": {"endpoint_url": sts_url}},
    }
    return json.dumps({"conn_type": "aws", "extra": extra})


def create_roles(aws: Amazon) -> None:
    """Create a role that trusts the robot's tokens, and one that does not."""
    for role_arn, subject in ((TRUSTING, SUBJECT), (DISTRUSTING, "somebody-else")):
        condition = {
            f"{ACCOUNTS}:aud": ROBOT,
            f"{ACCOUNTS}:oaud": AUDIENCE,
            f"{ACCOUNTS}:sub": subject,
        }
        statement = {
            "Effect": "Allow",
            "Principal": {"Federated": ACCOUNTS},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": condition},
        }
        aws.create_role(
            role_arn.rpartition("/")[2],
            {"Version": "2012-10-17", "Statement": [statement]},
        )


def show(google: Google, aws: Amazon, key_file: Path) -> None:
    """Be the federated role in plain boto3, and be refused."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    create_roles(aws)
    os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = str(key_file)
    os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = write_connection(TRUSTING, aws.url)
    os.environ["AIRFLOW_CONN_OTHER"] = write_connection(DISTRUSTING, aws.url)

    print("Google to AWS without stored keys\n")
    botocore_conn_provider.install()
    print("The caller identity is  ", boto3.client("sts").get_caller_identity()["Arn"])
    print("Google was asked        ", *google.requests)

    other = botocore_conn_provider.session("other")
    try:
        other.client("sts").get_caller_identity()
    except StsExchangeError as error:
        print(f"\nA role that trusts somebody else:\n  {error}")


if __name__ == "__main__":
    main()
