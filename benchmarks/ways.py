"""The ways to an identity that are compared, as environment and program."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

ROLE_ARN = "arn:aws:iam::123456789012:role/benchmark"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIABENCHMARKBENCHMA", "AWS_SECRET_ACCESS_KEY": "s" * 40}
# What botocore's documentation and many programs do to share a role's credentials.
SHARE_FILE = """
import botocore.credentials, botocore.session
session = botocore.session.Session()
chain = session.get_component("credential_provider")
cache = botocore.credentials.JSONFileCache({directory!r})
chain.get_provider("assume-role").cache = cache
boto3.setup_default_session(botocore_session=session)
"""
REFERENCE = "apache-airflow-providers-amazon"
HOOK = """
from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
AwsBaseHook(aws_conn_id="aws_default", client_type="s3").get_conn().list_buckets()
"""
INSTALL = "import botocore_conn_provider; botocore_conn_provider.install()"


class Way(NamedTuple):
    """How a process comes by its identity: variables, and a line that installs."""

    environment: dict[str, str]
    install: str = "pass"
    call: str = "boto3.client('s3').list_buckets()"

    def write_program(self, last: str) -> str:
        """Write the program whose first signed call is S3's ListBuckets."""
        return f"import boto3\n{self.install}\n{self.call}\n{last}"


def build_ways(aws_url: str, directory: Path) -> dict[str, Way]:
    """Return the ways by name. The profile is written into `directory`.

    The reference hook is one of them where its package is installed.
    """
    profile = directory / "config"
    profile.write_text(
        "[profile base]\n"
        f"aws_access_key_id = {KEYS['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {KEYS['AWS_SECRET_ACCESS_KEY']}\n"
        "[profile benchmark]\n"
        f"role_arn = {ROLE_ARN}\n"
        "source_profile = base\n"
    )
    common = {
        "AWS_ENDPOINT_URL": aws_url,
        "AWS_ENDPOINT_URL_STS": aws_url,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_CONFIG_FILE": str(directory / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(directory / "none"),
    }
    theirs = {"AWS_CONFIG_FILE": str(profile), "AWS_PROFILE": "benchmark"}
    ways = {
        "conn role": Way({**common, **_connection({"role_arn": ROLE_ARN})}, INSTALL),
        "botocore role": Way({**common, **theirs}),
        "conn role, store": Way(
            {
                **common,
                **_connection({"role_arn": ROLE_ARN}),
                "BOTOCORE_CONN_STORE": str(directory / "store"),
            },
            INSTALL,
        ),
        "botocore role, file": Way(
            {**common, **theirs},
            SHARE_FILE.format(directory=str(directory / "cache")),
        ),
        "conn keys": Way({**common, **_connection({})}, INSTALL),
        "botocore keys": Way({**common, **KEYS}),
    }
    if _has_reference():
        ways["reference role"] = ways["conn role"]._replace(install="pass", call=HOOK)
    return ways


def _has_reference() -> bool:
    try:
        version(REFERENCE)
    except PackageNotFoundError:
        return False
    return True


def _connection(extra: dict[str, str]) -> dict[str, str]:
    connection = {
        "conn_type": "aws",
        "login": KEYS["AWS_ACCESS_KEY_ID"],
        "password": KEYS["AWS_SECRET_ACCESS_KEY"],
        "extra": extra,
    }
    return {"AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection)}
