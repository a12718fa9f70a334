"""`credential-process`: credentials for every program that speaks AWS's contract.

The store comes first and is on by default here: each call is a process of its
own, and without it each would be a sign-in.

Source: AWS SDKs and Tools Reference Guide, "Process credential provider".
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from botocore_conn_provider.cli.waiting import add_waiting_arguments, run_in_time

if TYPE_CHECKING:
    import argparse
    import datetime

    from botocore_conn_provider.cli.process_credentials import IssuedKeys

SUMMARY = "print credentials for an AWS profile's credential_process"
DESCRIPTION = """\
Print the connection's credentials as AWS's credential_process wants them, and
nothing else. When it fails, one line on standard error says why.

The credentials of a role come from the store that processes share, and are
fetched again in time. The store is on unless BOTOCORE_CONN_STORE, or the
connection, says off."""
EPILOG = """\
examples:
  ~/.aws/config, for the AWS CLI and every AWS SDK:
    [profile data]
    credential_process = botocore-conn credential-process --conn-id aws_data
    region = eu-central-1
  Write such a profile with:  botocore-conn convert --to profile"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_waiting_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the document, or one line that says why there is none."""
    return run_in_time(lambda: issue_keys(arguments), print_document, arguments)


def issue_keys(arguments: argparse.Namespace) -> IssuedKeys:
    """Return the keys of the connection that the arguments name."""
    # Imported here: the deadline is for loading, too.
    from botocore_conn_provider.cli.process_credentials import issue

    return issue(arguments.conn_id, deadline_seconds=arguments.deadline)


def print_document(keys: IssuedKeys) -> None:
    """Print the document, secrets included."""
    sys.stdout.write(write_document(keys) + "\n")


def write_document(keys: IssuedKeys) -> str:
    """Return the contract's JSON, secrets included: the one purpose of this command."""
    document = {
        "Version": 1,
        "AccessKeyId": keys.access_key_id,
        "SecretAccessKey": keys.secret_access_key.reveal(),
        "SessionToken": keys.session_token and keys.session_token.reveal(),
        "Expiration": keys.expires_at and write_time(keys.expires_at),
        "AccountId": keys.account_id,
    }
    return json.dumps({k: v for k, v in document.items() if v is not None})


def write_time(moment: datetime.datetime) -> str:
    """Return a moment (aware, UTC) in the form that AWS's tools read."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
