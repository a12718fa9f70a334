"""Read and write a profile of AWS's configuration file.

Written, it holds no secret: its credential_process asks this command. Read, its
keys or its role become a connection; what a connection has no word for (SSO, MFA,
another program) is refused rather than dropped, because it decides who we are.

Source: AWS SDKs and Tools Reference Guide, "Settings reference".
"""

from __future__ import annotations

import configparser
import json
import shlex
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.connection.environment import (
    Environ,
    find_text,
    name_connection,
)
from botocore_conn_provider.connection.record import not_found
from botocore_conn_provider.errors import InvalidConnectionError, Problem
from botocore_conn_provider.redaction import show_name

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import AwsSettings

COMMAND = "botocore-conn credential-process --conn-id"

STANDARD_INPUT = "standard-input"

# The profile's words and ours.
PLAIN = {
    "aws_session_token": "aws_session_token",
    "region": "region_name",
    "role_arn": "role_arn",
    "endpoint_url": "endpoint_url",
    "ca_bundle": "verify",
}
PARAMETERS = {
    "external_id": "ExternalId",
    "role_session_name": "RoleSessionName",
    "duration_seconds": "DurationSeconds",
}
KEYS = {"aws_access_key_id": "login", "aws_secret_access_key": "password"}
HARMLESS = ("output", "cli_pager", "cli_auto_prompt")


def is_profile(text: str) -> bool:
    """Return whether `text` is a section of a configuration file."""
    return text.lstrip().startswith("[")


def write_profile(settings: AwsSettings) -> str:
    """Return a profile that asks `credential-process` for the connection.

    What a profile has no word for is named in a comment.
    """
    conn_id, client = settings.conn_id, settings.client
    lines = [
        f"[profile {conn_id}]",
        f"credential_process = {COMMAND} {shlex.quote(conn_id)}",
    ]
    told = {
        "region": client.region_name,
        "endpoint_url": client.endpoint_url,
        "ca_bundle": client.verify if isinstance(client.verify, str) else None,
    }
    lines += [f"{name} = {value}" for name, value in told.items() if value]
    untold = {
        "config_kwargs": bool(client.config),
        "service_config": bool(client.service_endpoints),
        "verify: false": client.verify is False,
    }
    lines += [
        f"# '{name}' of the connection has no place here: set it in the program."
        for name, there in untold.items()
        if there
    ]
    return "\n".join(lines)


def read_profile(text: str, environ: Environ) -> tuple[str, str]:
    """Return the id and the text of the connection that a profile stands for.

    Raises:
        InvalidConnectionError: It is not one profile, or says what no connection can.
    """
    name, section = _read_section(text)
    command = section.pop("credential_process", "")
    if command:
        return _find_asked(name, command, environ)
    return name, json.dumps(_build_document(name, section))


def _read_section(text: str) -> tuple[str, dict[str, str]]:
    parser = configparser.RawConfigParser(default_section="")
    try:
        parser.read_string(text)
    except configparser.Error as error:
        seen = f"is no configuration file ({type(error).__name__})"
        raise _refuse(STANDARD_INPUT, "profile", seen=seen, fix="Fix it.") from None
    sections = parser.sections()
    if len(sections) != 1:
        seen = f"holds {len(sections)} profiles"
        raise _refuse(STANDARD_INPUT, "profile", seen=seen, fix="Give one at a time.")
    name = sections[0].removeprefix("profile ").strip()
    return name, dict(parser[sections[0]])


def _find_asked(name: str, command: str, environ: Environ) -> tuple[str, str]:
    """Return the connection that the profile's own credential_process asks for."""
    words = command.split(f"{COMMAND} ")
    if len(words) != 2 or words[0]:  # noqa: PLR2004 - before and after our command
        seen, fix = "is another program", "A connection cannot run a program."
        raise _refuse(name, "credential_process", seen=seen, fix=fix)
    asked = name_connection({}, _read_word(words[1]))
    if asked.is_wrong:
        raise not_found(asked)
    text = find_text(environ, asked)
    return asked.conn_id, "" if text is None else text.reveal()


def _read_word(text: str) -> str:
    """Return the first word, as a shell reads it; nothing of what it cannot read."""
    try:
        return next(iter(shlex.split(text)), "")
    except ValueError:  # a quote that does not end
        return ""


def _build_document(name: str, section: dict[str, str]) -> dict[str, Any]:
    known = {*PLAIN, *PARAMETERS, *KEYS, *HARMLESS, "source_profile"}
    known.add("web_identity_token_file")
    for field in section:
        if field not in known:
            fix = "Name the profile itself in the connection: 'profile_name'."
            seen = "has no word in a connection"
            raise _refuse(name, show_name(field), seen=seen, fix=fix)
    extra: dict[str, Any] = {
        ours: section[theirs] for theirs, ours in PLAIN.items() if theirs in section
    }
    parameters: dict[str, Any] = {
        ours: section[theirs]
        for theirs, ours in PARAMETERS.items()
        if theirs in section
    }
    if parameters.get("DurationSeconds", "").isdigit():
        parameters["DurationSeconds"] = int(parameters["DurationSeconds"])
    if parameters:
        extra["assume_role_kwargs"] = parameters
    if "source_profile" in section:
        extra["profile_name"] = section["source_profile"]
    if "web_identity_token_file" in section:
        extra["assume_role_method"] = "assume_role_with_web_identity"
        extra["assume_role_with_web_identity_federation"] = "file"
        extra["assume_role_with_web_identity_token_file"] = section[
            "web_identity_token_file"
        ]
    keys = {ours: section[theirs] for theirs, ours in KEYS.items() if theirs in section}
    if not keys and not extra:
        seen, fix = "has no field of a connection", "Give one with keys or a role."
        raise _refuse(STANDARD_INPUT, "profile", seen=seen, fix=fix)
    return {"conn_type": "aws", **keys, "extra": extra}


def _refuse(conn_id: str, field: str, *, seen: str, fix: str) -> InvalidConnectionError:
    return InvalidConnectionError(conn_id=conn_id, problems=[Problem(field, seen, fix)])
