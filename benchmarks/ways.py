"""The ways to an identity that are compared, as environment and program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

ROLE_ARN = "arn:aws:iam::123456789012:role/benchmark"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIABENCHMARKBENCHMA", "AWS_SECRET_ACCESS_KEY": "s" * 40}
INSTALL = "import botocore_conn_provider; botocore_conn_provider.install()"


class Way(NamedTuple):
    """How a process comes by its identity: variables, and a line that installs."""

    environment: dict[str, str]
    install: str = "pass"

    def write_program(self, last: str) -> str:
        """Write the program whose first signed call is S3's ListBuckets."""
        call = "boto3.client('s3').list_buckets()"
        return f"import boto3\n{self.install}\n{call}\n{last}"


def build_ways(aws_url: str, directory: Path) -> dict[str, Way]:
    """Return the ways by name. The profile is written into `directory`."""
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
    return {
        "conn role": Way({**common, **_connection({"role_arn": ROLE_ARN})}, INSTALL),
        "botocore role": Way({**common, **theirs}),
        "conn keys": Way({**common, **_connection({})}, INSTALL),
        "botocore keys": Way({**common, **KEYS}),
    }


def _connection(extra: dict[str, str]) -> dict[str, str]:
    connection = {
        "conn_type": "aws",
        "login": KEYS["AWS_ACCESS_KEY_ID"],
        "password": KEYS["AWS_SECRET_ACCESS_KEY"],
        "extra": extra,
    }
    return {"AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection)}
