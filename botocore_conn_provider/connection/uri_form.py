"""Read and write Airflow's URI form of a connection.

    aws://LOGIN:PASSWORD@host:port/schema?field=value&…

It has its own parser because `urllib.parse.urlsplit` silently cuts a secret at the
first `/`, `?` or `#` that is not percent-encoded: the rest of the secret would become
a host, a path or a field. Here that is an error, which names the field and the
character.

Source: docs/specification.md, section 1.4; Airflow's documentation of connection URIs.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from botocore_conn_provider.connection.fields import (
    RecordFields,
    conn_type_of,
    is_scheme,
    read_extra,
    read_port,
)
from botocore_conn_provider.connection.place import judge_place

if TYPE_CHECKING:
    from botocore_conn_provider.connection.field_reader import Findings

WHOLE_EXTRA = "__extra__"
SECRET_KEYS = ("aws_secret_access_key", "extra__aws__aws_secret_access_key")
AUTHORITY_ENDS = r"[/?#]"
BRACKETS = r"[\[\]]"


def parse_uri(text: str, findings: Findings) -> RecordFields:
    """Read the URI form.

    What is wrong is added to `findings`, and its field reads as absent.
    """
    scheme, separator, rest = text.partition("://")
    if not separator or not is_scheme(scheme):
        findings.refuse(
            "connection",
            "is neither JSON nor a URI",
            'Write aws://… or a JSON object: {"conn_type": "aws", …}.',
        )
        return RecordFields()
    protocol, rest = _split_protocol(rest)
    if _split_protocol(rest)[0]:
        findings.refuse(
            "connection",
            "has more than two '://'",
            "Write one, or a protocol and two: aws://https://…",
        )
        return RecordFields(conn_type_of(scheme))
    end = re.search(AUTHORITY_ENDS, rest)
    cut = end.start() if end else len(rest)
    authority, tail = rest[:cut], rest[cut:]
    if _has_raw_character(authority, tail, findings):
        return RecordFields(conn_type_of(scheme))
    userinfo, _, place = authority.rpartition("@")
    login, _, password = userinfo.partition(":")
    if "@" not in authority and not judge_place(
        place, tail=tail, protocol=protocol, findings=findings
    ):
        return RecordFields(conn_type_of(scheme))
    host, port = _split_place(place, findings)
    path, _, query = _drop_fragment(tail, findings).partition("?")
    return RecordFields(
        conn_type=conn_type_of(scheme),
        login=_decode(login, "login", findings),
        password=_decode(password, "password", findings),
        host=_join_protocol(protocol, _decode(host, "host", findings)),
        port=read_port(port, findings),
        schema=_decode(path[1:], "schema", findings),
        extra=_parse_query(query, findings),
    )


def write_uri(fields: RecordFields) -> str:
    """Write the URI form. A URI has no place for the description."""
    userinfo = ""
    if fields.login is not None and fields.password is not None:  # both or neither
        login, password = quote(fields.login, safe=""), quote(fields.password, safe="")
        userinfo = f"{login}:{password}@"
    host = quote(fields.host or "", safe="")
    port = "" if fields.port is None else f":{fields.port}"
    if (host or port or fields.schema) and not userinfo:
        userinfo = "@"  # states that there are no keys: see `place`
    schema = quote(fields.schema or "", safe="")
    query = _write_query(fields.extra)
    scheme = fields.conn_type.replace("_", "-")
    return f"{scheme}://{userinfo}{host}{port}/{schema}{query}"


def _write_query(extra: dict[str, Any]) -> str:
    if not extra:
        return ""
    if WHOLE_EXTRA not in extra and all(isinstance(v, str) for v in extra.values()):
        return "?" + urlencode(extra, quote_via=quote)
    whole = json.dumps(extra, allow_nan=False)
    return "?" + urlencode({WHOLE_EXTRA: whole}, quote_via=quote)


def _split_protocol(rest: str) -> tuple[str, str]:
    """Split off a protocol before the authority (`aws://https://host`)."""
    before, separator, after = rest.partition("://")
    if separator and is_scheme(before):
        return before, after
    return "", rest


def _join_protocol(protocol: str, host: str | None) -> str | None:
    return f"{protocol}://{host or ''}" if protocol else host


def _has_raw_character(authority: str, tail: str, findings: Findings) -> bool:
    """Refuse a `/`, `?`, `#`, `[` that was not encoded in a login or password.

    Such a character ends the authority early, which shows in an `@` that comes after
    it.
    """
    userinfo = authority.rpartition("@")[0]
    bracket = re.search(BRACKETS, userinfo)
    if bracket:
        raw, before = bracket[0], userinfo[: bracket.start()]
    elif _is_cut(authority, tail):
        raw, before = tail[0], authority
    else:
        return False
    field = "password" if ":" in before else "login"
    code = f"%{ord(raw):02X}"
    hidden = f"***{code}***"
    shape = f"***:{hidden}" if field == "password" else f"{hidden}:***"
    findings.refuse(
        field,
        f"has a '{raw}' that is not percent-encoded",
        f"Write {code} for it: aws://{shape}@/…",
    )
    return True


def _is_cut(authority: str, tail: str) -> bool:
    """Return whether the login or password goes on in `tail`.

    A value in the query may contain an `@` that is not encoded. After a host without a
    login it is refused there too: a cut password would be read as a query, the
    connection would have no keys, and another identity would be used.
    """
    if "@" not in tail:
        return False
    if authority and "@" not in authority:
        return True
    path, _, query = tail.partition("?")
    return "@" in path or "@" in query.partition("=")[0] or _cut_in_port(authority)


def _cut_in_port(authority: str) -> bool:
    """Return whether the text in the place of the port is not a number."""
    place = authority.rpartition("@")[2]
    port = place.rpartition(":")[2] if ":" in place and "[" not in place else ""
    return port != "" and not port.isdigit()


def _split_place(place: str, findings: Findings) -> tuple[str, str]:
    if place.startswith("["):  # an IPv6 address
        host, bracket, port = place[1:].partition("]")
        if bracket and (port == "" or port.startswith(":")):
            return host, port[1:]
        findings.refuse("host", "has a '[' without its ']'", "Remove the host.")
        return "", ""
    host, _, port = place.partition(":")
    return host, port


def _drop_fragment(tail: str, findings: Findings) -> str:
    kept, mark, _ = tail.partition("#")
    if mark:
        findings.refuse(
            "connection",
            "has a '#' that is not percent-encoded",
            "Write %23 for it; a connection URI has no fragment.",
        )
    return kept


def _decode(text: str, field: str, findings: Findings) -> str | None:
    try:
        return unquote(text, errors="strict") or None
    except UnicodeDecodeError:
        findings.refuse(
            field, "is percent-encoded, but not as UTF-8", "Encode it as UTF-8."
        )
        return None


def _parse_query(query: str, findings: Findings) -> dict[str, Any]:
    try:
        values: dict[str, Any] = dict(
            parse_qsl(query, keep_blank_values=True, errors="strict")
        )
    except UnicodeDecodeError:
        findings.refuse(
            "extra", "is percent-encoded, but not as UTF-8", "Encode it as UTF-8."
        )
        return {}
    findings.has_raw_plus = "+" in query
    if WHOLE_EXTRA in values:
        return read_extra(values[WHOLE_EXTRA], WHOLE_EXTRA, findings)
    findings.names_may_be_cut = True
    _refuse_raw_plus(query, findings)
    return values


def _refuse_raw_plus(query: str, findings: Findings) -> None:
    """Refuse a secret key with a `+`: it reads as a space, but a plus was meant."""
    for name, _, value in (pair.partition("=") for pair in query.split("&")):
        if "+" in value and unquote(name) in SECRET_KEYS:
            findings.refuse(
                SECRET_KEYS[0],
                "has a '+' that is not percent-encoded",
                "Write %2B for a plus (and %20 for a space).",
            )
            return
