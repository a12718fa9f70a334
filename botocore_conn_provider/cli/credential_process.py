"""`credential-process`: credentials for every program that speaks AWS's contract.

The store comes first and is on by default here: each call is a process of its
own, and without it each would be a sign-in. The deadline is kept by this thread
while another works, because a call inside the Kerberos library or a resolver
cannot be interrupted.

Source: AWS SDKs and Tools Reference Guide, "Process credential provider".
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import os
import sys
import threading
from typing import TYPE_CHECKING

from botocore_conn_provider.cli import exit_codes as exits
from botocore_conn_provider.cli.main import complain
from botocore_conn_provider.connection.environment import hide_wrong_id

if TYPE_CHECKING:
    import argparse

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

# SDKs wait about a minute for the process: what we say must come before.
DEADLINE_SECONDS = 50.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--conn-id", metavar="ID", type=hide_wrong_id, help="the connection"
    )
    parser.add_argument(
        "--deadline",
        metavar="SECONDS",
        type=float,
        default=DEADLINE_SECONDS,
        help="give up after this long (default: %(default)g)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the document, or one line that says why there is none."""
    work = Work(arguments.conn_id, arguments.deadline)
    context = contextvars.copy_context()  # what is quiet here is quiet there
    thread = threading.Thread(target=context.run, args=(work,), daemon=True)
    with contextlib.redirect_stdout(sys.stderr):  # a plug-in may print
        thread.start()
        thread.join(arguments.deadline)
    if work.keys is not None:
        sys.stdout.write(write_document(work.keys) + "\n")
        return exits.OK
    if work.error is not None:
        return tell(work.error, debug=arguments.debug)
    return give_up(arguments.deadline)


def tell(error: BaseException, *, debug: bool) -> int:
    """Raise what says enough on one line; of a fault of ours name the kind only."""
    from botocore.exceptions import BotoCoreError

    if debug or isinstance(error, BotoCoreError):
        raise error
    complain(f"unexpected {type(error).__name__}; --debug shows where.")
    return exits.FAILED


class Work:
    """What the working thread does, and what came of it.

    Written by that thread only, before it ends; read after.
    """

    def __init__(self, conn_id: str | None, deadline_seconds: float) -> None:
        self._conn_id = conn_id
        self._deadline_seconds = deadline_seconds
        self.keys: IssuedKeys | None = None
        self.error: BaseException | None = None

    def __call__(self) -> None:
        """Issue the keys."""
        from botocore_conn_provider.cli.process_credentials import issue

        try:
            self.keys = issue(self._conn_id, deadline_seconds=self._deadline_seconds)
        except BaseException as error:  # noqa: BLE001 - carried to the waiting thread
            self.error = error


def write_document(keys: IssuedKeys) -> str:
    """Return the contract's JSON, secrets included: the one purpose of this command."""
    document = {
        "Version": 1,
        "AccessKeyId": keys.access_key_id,
        "SecretAccessKey": keys.secret_access_key.reveal(),
        "SessionToken": keys.session_token and keys.session_token.reveal(),
        "Expiration": keys.expires_at
        and keys.expires_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "AccountId": keys.account_id,
    }
    return json.dumps({k: v for k, v in document.items() if v is not None})


def give_up(deadline_seconds: float) -> int:
    """End at once: the other thread may sit in a call that nothing interrupts."""
    complain(
        f"no credentials within {deadline_seconds:g} s."
        " `botocore-conn doctor` shows which step is slow."
    )
    sys.stderr.flush()
    os._exit(exits.TOO_LATE)
