"""Decide whether a URI without an `@` names a host, or keys that lost their `@`.

    aws://AKIAEXAMPLE/    aws://name:12345/    aws://AKIAEXAMPLE:secret/

If the `@` is forgotten, the keys are read as a host and a port. Those are not used for
AWS, so the identity would be that of the machine. An `@` in front states that there are
no keys, and so does a text that can only be a host.

Source: docs/specification.md, section 1.4.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from botocore_conn_provider.connection.fields import is_port
from botocore_conn_provider.errors import Problem

if TYPE_CHECKING:
    from botocore_conn_provider.connection.field_reader import Findings
    from botocore_conn_provider.connection.fields import RecordFields

# Source: AWS IAM User Guide, "IAM identifiers" (unique ID prefixes).
KEY_ID = r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{8,124}"
LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
IPV6 = r"\[(?=.*:)[0-9A-Fa-f:.]{2,45}\]"
IPV4_LABELS = 4
LARGEST_BYTE = 255

LOST = "has no '@', and the text in the place of the host may be keys"
LOST_FIX = "Write aws://LOGIN:PASSWORD@/…, or for a host without keys aws://@HOST/…"
HOST_UNUSED = (
    "the connection names a host and no keys: the host is not used, and the identity"
    " is that of botocore's own chain."
)


def judge_place(place: str, *, tail: str, protocol: str, findings: Findings) -> bool:
    """Check an authority that has no `@`; return whether reading can go on.

    Args:
        place: The authority, probably a host and a port.
        tail: What follows it: path and query.
        protocol: The protocol before it, as in `aws://https://host`; may be empty.
        findings: Receives a problem for a text that cannot be a host, and a doubt for
            one that may be keys, which counts if the connection names no identity.
    """
    host, colon, port = _split(place)
    host = unquote(host)
    if colon and port and not is_port(port):
        findings.refuse("connection", LOST, LOST_FIX)
        return False
    path = unquote(tail.partition("?")[0])
    if not place:
        if ":" in path:
            findings.doubts.append(Problem("connection", LOST, LOST_FIX))
    elif _is_host(host) or (protocol and host and not re.fullmatch(KEY_ID, host)):
        findings.doubtful_notices.append(HOST_UNUSED)
    else:
        findings.doubts.append(Problem("connection", LOST, LOST_FIX))
    return True


def doubt_key_id(fields: RecordFields, findings: Findings) -> None:
    """Add a doubt for a host or schema that is an access key id, in either form."""
    for name in ("host", "schema"):
        if re.fullmatch(KEY_ID, getattr(fields, name) or ""):
            findings.doubts.append(
                Problem(
                    name,
                    "is an access key id",
                    "Write it into 'login', with its secret key in 'password'.",
                )
            )


def _split(place: str) -> tuple[str, str, str]:
    """Split at the colon before the port, which is none of those of an IPv6 address."""
    if not place.startswith("["):
        return place.partition(":")
    host, bracket, port = place.partition("]")
    return host + bracket, port[:1], port[1:]


def _is_host(text: str) -> bool:
    """Return whether `text` looks like a host and not like a login.

    That is a name with a dot, an IP address, `localhost`, or an address with a
    protocol.
    """
    if text.startswith("["):
        return re.fullmatch(IPV6, text) is not None
    if "://" in text or text.lower() == "localhost":
        return True
    labels = text.removesuffix(".").split(".")
    if len(labels) == 1 or not all(re.fullmatch(LABEL, each) for each in labels):
        return False
    if len(labels) == IPV4_LABELS and all(each.isdecimal() for each in labels):
        return all(int(each) <= LARGEST_BYTE for each in labels)
    return labels[-1].isalpha()
