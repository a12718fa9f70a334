"""`export`: credentials for the shell that asks, which nobody renews.

Source: AWS CLI Command Reference, "aws configure export-credentials".
"""

from __future__ import annotations

import datetime as dt
import functools
import os
import sys
from typing import TYPE_CHECKING

from botocore_conn_provider.cli.credential_process import (
    issue_keys,
    write_document,
    write_time,
)
from botocore_conn_provider.cli.forms.shell_lines import (
    SHELLS,
    UnquotableError,
    write_lines,
)
from botocore_conn_provider.cli.main import complain
from botocore_conn_provider.cli.waiting import add_waiting_arguments, run_in_time
from botocore_conn_provider.connection.environment import (
    current_environment,
    name_connection,
)
from botocore_conn_provider.errors import ConnProviderError
from botocore_conn_provider.tracebacks import scrubbed

if TYPE_CHECKING:
    import argparse

    from botocore_conn_provider.cli.process_credentials import IssuedKeys

SUMMARY = "print credentials as variables for a shell"
DESCRIPTION = """\
Print the connection's credentials as lines that set them in a shell:
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and, where they end,
AWS_CREDENTIAL_EXPIRATION. What an earlier export left of the last two is removed.

  env            export NAME=value, for sh, bash and zsh (the default)
  env-no-export  the same without export
  fish           set -gx NAME value
  powershell     $Env:NAME='value'
  windows-cmd    set "NAME=value"
  json           the document of AWS's credential_process

They come as those of credential-process do, from the same store. Nobody renews
them in the shell: a line on standard error says when they end. `botocore-conn exec`
runs a program with credentials that are renewed."""
EPILOG = """\
examples:
  eval "$(botocore-conn export --conn-id aws_data)"
  lines=$(botocore-conn export) && eval "$lines" && aws s3 ls    # stops at a failure
  botocore-conn export --format fish | source
  botocore-conn export --format powershell | Out-String | Invoke-Expression"""

JSON = "json"
FORMATS = (*SHELLS, JSON)
# An older name of the session token, which botocore takes before the newer one.
OLDER_TOKEN = "AWS_SECURITY_TOKEN"  # noqa: S105 - a name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_waiting_arguments(parser)
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="env",
        help="the form to print (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the credentials, or one line that says why there are none."""
    show = functools.partial(print_keys, arguments)
    return run_in_time(lambda: issue_keys(arguments), show, arguments)


@scrubbed
def print_keys(arguments: argparse.Namespace, keys: IssuedKeys) -> None:
    """Print the keys, secrets included, and when they end.

    As bytes, because that is what a variable holds: one that Python could not decode
    comes out as it came in, whatever standard output is set to.

    Raises:
        ConnProviderError: The shell, or any environment, cannot hold them.
    """
    try:
        text = os.fsencode(write_keys(keys, arguments.format))
    except UnquotableError as error:
        seen = f"{error.variable} has a character that cmd cannot be given as text."
        raise _refuse(arguments, seen, "Use --format powershell or json.") from None
    except UnicodeEncodeError:
        seen = "its keys have a character that no variable can hold here."
        raise _refuse(
            arguments, seen, "Use --format json, or a UTF-8 locale."
        ) from None
    sys.stdout.flush()
    sys.stdout.buffer.write(text)
    sys.stdout.flush()
    complain(tell_end(keys))


def write_keys(keys: IssuedKeys, form: str) -> str:
    """Return the keys in one of the forms. It holds secrets: never show it."""
    if form == JSON:
        return write_document(keys) + "\n"
    token, ends_at = keys.session_token, keys.expires_at
    variables = {
        "AWS_ACCESS_KEY_ID": str(keys.access_key_id),
        "AWS_SECRET_ACCESS_KEY": keys.secret_access_key.reveal(),
        "AWS_SESSION_TOKEN": token.reveal() if token else None,
        "AWS_CREDENTIAL_EXPIRATION": write_time(ends_at) if ends_at else None,
    }
    if OLDER_TOKEN in current_environment():
        variables[OLDER_TOKEN] = None
    return write_lines(SHELLS[form], variables)


def tell_end(keys: IssuedKeys) -> str:
    """Return the sentence that these keys do not renew, and when they end."""
    if keys.expires_at is not None:
        left = keys.expires_at - dt.datetime.now(dt.timezone.utc)
        minutes = max(0, int(left.total_seconds() // 60))
        end = f"They end at {write_time(keys.expires_at)}, in {minutes} min."
    elif keys.session_token:
        end = "Nothing here says when they end."
    else:
        end = "They have no end of their own."
    return f"nobody renews these credentials. {end}"


def _refuse(arguments: argparse.Namespace, seen: str, fix: str) -> ConnProviderError:
    conn_id = name_connection(current_environment(), arguments.conn_id).conn_id
    return ConnProviderError(conn_id=conn_id, cause=seen, hint=fix)
