"""`console`: its arguments, and what it prints."""

from __future__ import annotations

import argparse
import functools
import re
import sys
from typing import TYPE_CHECKING

from botocore_conn_provider.cli.exec import read_duration
from botocore_conn_provider.cli.main import complain
from botocore_conn_provider.cli.waiting import add_waiting_arguments, run_in_time

if TYPE_CHECKING:
    from botocore_conn_provider.cli.console.sign_in import SignInLink

SUMMARY = "print the address that signs a browser in to the AWS console"
DESCRIPTION = """\
Print an address that signs a browser in to the AWS Management Console with the
connection's temporary credentials, and nothing else. Anyone who has it can
use it for 15 minutes: it is a secret.

It works with a role and with other temporary credentials, in the partitions aws,
aws-us-gov, aws-cn and aws-eusc. Keys of an IAM user cannot be used. The console
session ends with the credentials; --duration sets another end where AWS takes one:
for a role that was assumed with the keys of a user, by SAML or by web identity."""
EPILOG = """\
examples:
  botocore-conn console --conn-id aws_prod --open
  botocore-conn console --service s3 --duration 8h"""

# A part of the console's path.
SERVICE = r"[a-z0-9][a-z0-9-]{0,62}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_waiting_arguments(parser)
    parser.add_argument(
        "--open",
        action="store_true",
        help="open a browser there, and print nothing",
    )
    parser.add_argument(
        "--service",
        metavar="NAME",
        type=read_service,
        help="where to begin, as the console's addresses name it: s3, ec2, states",
    )
    parser.add_argument(
        "--duration",
        dest="seconds",
        metavar="DURATION",
        type=read_duration,
        help="how long the console session lasts: 15m to 12h, or seconds",
    )


def read_service(text: str) -> str:
    """Return the name of a service."""
    if not re.fullmatch(SERVICE, text):
        raise argparse.ArgumentTypeError("it must be a name such as s3 or ec2")
    return text


def run(arguments: argparse.Namespace) -> int:
    """Print or open the address, or print one line that says why there is none."""

    def make() -> SignInLink:
        # Imported here: the deadline is for loading, too.
        from botocore_conn_provider.cli.console.sign_in import (
            SignInOptions,
            create_sign_in,
        )

        options = SignInOptions(arguments.service, arguments.seconds)
        return create_sign_in(
            arguments.conn_id, options, deadline_seconds=arguments.deadline
        )

    show = functools.partial(show_sign_in, opens=arguments.open)
    return run_in_time(make, show, arguments)


def show_sign_in(sign_in: SignInLink, *, opens: bool) -> None:
    """Print the address, or open it in a browser.

    Raises:
        ConnProviderError: There is no browser.
    """
    if opens:
        # Imported here: who prints needs no browser.
        from botocore_conn_provider.cli.console.opening import open_once

        open_once(sign_in.address, conn_id=sign_in.conn_id)
        complain(f"a browser is signed in. {sign_in.end}")
        return
    sys.stdout.write(sign_in.address.reveal() + "\n")
    sys.stdout.flush()
    complain(
        "this address is a secret: anyone who has it can sign in with it, for 15 minutes."
        f" {sign_in.end}"
    )
