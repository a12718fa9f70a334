"""`export` beside the AWS CLI's own command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.engines.environment import find_aws_cli

if TYPE_CHECKING:
    from tests.leaks import Secrets


@pytest.mark.parametrize("form", ["env", "env-no-export"])
def test_ordinary_keys_are_printed_as_the_aws_cli_does(
    form: str, secrets: Secrets
) -> None:
    keys = (secrets.new_access_key_id(), secrets.new("key"), secrets.new("token"))
    document = {
        "login": keys[0],
        "password": keys[1],
        "extra": {"aws_session_token": keys[2]},
    }
    theirs = subprocess.run(
        [str(find_aws_cli()), "configure", "export-credentials", "--format", form],
        env={
            **os.environ,
            "AWS_ACCESS_KEY_ID": keys[0],
            "AWS_SECRET_ACCESS_KEY": keys[1],
            "AWS_SESSION_TOKEN": keys[2],
        },
        capture_output=True,
        check=True,
    )
    ours = subprocess.run(
        [sys.executable, "-m", "botocore_conn_provider", "export", "--format", form],
        env={**os.environ, "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(document)},
        capture_output=True,
        check=True,
    )
    assert ours.stdout == theirs.stdout + b"unset AWS_CREDENTIAL_EXPIRATION\n"
