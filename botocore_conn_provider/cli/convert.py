"""`convert`: the same connection in another form."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from botocore_conn_provider.cli import exit_codes as exits
from botocore_conn_provider.cli.connection_source import (
    add_source_arguments,
    read_given,
)
from botocore_conn_provider.cli.forms.aws_profile import write_profile
from botocore_conn_provider.cli.forms.export_line import write_export_line

if TYPE_CHECKING:
    import argparse

    from botocore_conn_provider.connection.record import Connection

SUMMARY = "write the connection as URI, JSON, export line or AWS profile"
DESCRIPTION = """\
Write the connection in another form, checked. It is read from the environment, or
with --stdin from standard input in any of these forms:

  uri      aws://LOGIN:PASSWORD@/?region_name=…
  json     {"conn_type": "aws", …}
  export   export AIRFLOW_CONN_AWS_DEFAULT='…', the URI quoted for a shell
  profile  a profile for ~/.aws/config, which asks `credential-process`

All but the profile hold the connection's secrets: mind where you send them."""
EPILOG = """\
examples:
  botocore-conn convert --to json
  botocore-conn convert --to profile --conn-id aws_data >> ~/.aws/config
  secret-tool lookup name aws | botocore-conn convert --stdin --to export"""

FORMS = ("uri", "json", "export", "profile")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source_arguments(parser)
    parser.add_argument("--to", choices=FORMS, required=True, help="the form to write")


def run(arguments: argparse.Namespace) -> int:
    """Write the connection, secrets included: it is what was asked for."""
    given = read_given(arguments)
    text = write_form(given.parse(), arguments.to, variable=given.name.variable)
    sys.stdout.write(text + "\n")
    return exits.OK


def write_form(connection: Connection, form: str, *, variable: str) -> str:
    """Return the connection in one of `FORMS`."""
    if form == "json":
        return connection.to_json()
    if form == "profile":
        return write_profile(connection.settings)
    uri = connection.to_uri()
    return write_export_line(variable, uri) if form == "export" else uri
