"""`explain`: what a connection means here, without asking anybody."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.cli import exit_codes as exits
from botocore_conn_provider.cli.connection_source import (
    add_source_arguments,
    read_given,
)
from botocore_conn_provider.cli.explain.effects import describe_effects
from botocore_conn_provider.cli.explain.field_list import list_fields
from botocore_conn_provider.cli.explain.plan import list_ignored, list_steps
from botocore_conn_provider.cli.explain.reached_engines import describe_engines
from botocore_conn_provider.cli.explain.tree import write_outline
from botocore_conn_provider.cli.explain.trust_policy import find_trust_policy
from botocore_conn_provider.connection.environment import is_disabled
from botocore_conn_provider.exchange.checks import prepare_base

if TYPE_CHECKING:
    import argparse

    from botocore_conn_provider.cli.connection_source import Given

SUMMARY = "say what the connection means, without using the network"
DESCRIPTION = """\
Say which connection is meant and what its fields mean; what will be tried, in which
order, and what of the environment is ignored; the region, endpoints, proxies,
renewal windows and store in effect; the trust policy that the role needs.

Reads the environment, AWS's configuration files and a token file. Sends nothing,
shows no secret."""
EPILOG = """\
examples:
  botocore-conn explain
  botocore-conn explain --conn-id aws_prod --json | jq .trust_policy
  botocore-conn explain --stdin < connection.txt"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source_arguments(parser)
    parser.add_argument("--json", action="store_true", help="write JSON, all fields")
    parser.add_argument(
        "--all", action="store_true", help="show the fields that are not there, too"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the explanation."""
    given = read_given(arguments)
    document = describe(given)
    if arguments.json:
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        shown = lay_out(document, every_field=arguments.all)
        write_outline(f"Connection '{given.conn_id}'", shown)
        write_policy(document.get("trust_policy"))
    return exits.OK


def describe(given: Given) -> dict[str, Any]:
    """Return the whole explanation; its shape is in docs/command-line.md.

    Raises:
        ConnectionNotFoundError: It was named and is absent.
        InvalidConnectionError: It is wrong.
    """
    origin = {
        "id": given.conn_id,
        "variable": given.name.variable,
        "read_from": given.place,
        "named_by": given.name.named_by or "nothing: it is the default",
        "present": given.text is not None,
        "switched_off": is_disabled(given.environ),
    }
    if given.text is None and given.name.named_by is None:
        return {"connection": origin, "steps": ["Use botocore's own chain."]}
    connection = given.parse()
    settings = connection.settings
    base = prepare_base(settings, given.view, variable=given.place)
    origin["form"] = "JSON" if _is_json(given) else "URI"
    origin["type"] = connection.conn_type
    return {
        "connection": origin,
        "fields": list_fields(connection),
        "steps": list_steps(settings),
        "ignored": list_ignored(connection, given.environ),
        "effects": describe_effects(connection, given.snapshot, base),
        "engines": describe_engines(settings, given.environ),
        "trust_policy": find_trust_policy(settings),
        "notices": list(settings.notices),
    }


def _is_json(given: Given) -> bool:
    return given.text is not None and given.text.reveal().lstrip()[:1] == "{"


def lay_out(document: dict[str, Any], *, every_field: bool) -> dict[str, Any]:
    """Return the document as a tree for people, without what is empty."""
    shown = {k: v for k, v in document.items() if v and k != "trust_policy"}
    if "fields" in shown:
        shown["fields"] = [
            _lay_out_field(field)
            for field in shown["fields"]
            if field["present"] or every_field
        ]
    return shown


def _lay_out_field(field: dict[str, Any]) -> str:
    value = field["value"] if field["present"] else f"not set ({field['default']})"
    old = f" Deprecated: write {field['instead']}." if field["instead"] else ""
    source = field["source"]
    return f"{field['name']}: {value} — {field['meaning']}, from {source}.{old}"


def write_policy(policy: dict[str, Any] | None) -> None:
    """Write the trust policy apart, so that it can be copied."""
    if policy is not None:
        text = json.dumps(policy, indent=2)
        sys.stdout.write(f"Trust policy that the role needs:\n{text}\n")
