"""List every field that a connection may have: what it means and what this one says.

Shown are words that AWS itself shows (ARNs, regions, names). Of a key its end, of
an address scheme and host, of an object its names; of all else that it is there.

Source: docs/specification.md, section 2. A test holds the table against the fields that
the reader knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from botocore_conn_provider.connection.extra import drop_prefix
from botocore_conn_provider.connection.strict_json import JsonFaultError, read_json
from botocore_conn_provider.redaction import (
    describe_value,
    show_key_id,
    show_name,
    show_origin,
    show_words,
)
from botocore_conn_provider.secret import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore_conn_provider.connection.record import Connection


class Meaning(NamedTuple):
    """One field. `default` is what counts without it; `instead` replaces it."""

    text: str
    default: str = ""
    instead: str = ""


RECORD = {
    "login": Meaning("access key id; the first choice of keys"),
    "password": Meaning("secret access key of 'login'"),
    "host": Meaning("kept; not used for AWS"),
    "port": Meaning("kept; not used for AWS"),
    "schema": Meaning("kept; not used for AWS"),
    "description": Meaning("kept; for people"),
}
EXTRA = {
    "aws_access_key_id": Meaning("access key id; the second choice of keys"),
    "aws_secret_access_key": Meaning("secret access key of 'aws_access_key_id'"),
    "aws_session_token": Meaning("session token of whichever keys won"),
    "session_kwargs": Meaning(
        "third choice of keys, region and profile", instead="the same fields outside"
    ),
    "profile_name": Meaning("profile of AWS's files, for identity and settings"),
    "profile": Meaning("profile of AWS's files", instead="profile_name"),
    "region_name": Meaning("region of clients", default="AWS_DEFAULT_REGION, profile"),
    "role_arn": Meaning("role to assume, starting from the identity above"),
    "aws_account_id": Meaning("account of 'aws_iam_role'", instead="role_arn"),
    "aws_iam_role": Meaning("name of the role", instead="role_arn"),
    "assume_role_method": Meaning("how the role is assumed", default="assume_role"),
    "assume_role_kwargs": Meaning("parameters of the STS call"),
    "external_id": Meaning(
        "ExternalId of AssumeRole", instead="assume_role_kwargs.ExternalId"
    ),
    "assume_role_with_saml": Meaning("how to sign in at the SAML IdP"),
    "assume_role_with_web_identity_federation": Meaning(
        "where the identity token comes from: google, file or a plug-in"
    ),
    "assume_role_with_web_identity_token_file": Meaning(
        "file with the token, for 'file'", default="AWS_WEB_IDENTITY_TOKEN_FILE"
    ),
    "assume_role_with_web_identity_federation_audience": Meaning(
        "audience of the token, for 'google'", default="a fixed one, with a warning"
    ),
    "config_kwargs": Meaning("options of botocore's Config, for services and STS"),
    "endpoint_url": Meaning("endpoint of every service", default="AWS's own"),
    "host": Meaning("endpoint of every service", instead="endpoint_url"),
    "service_config": Meaning("endpoints of single services"),
    "verify": Meaning(
        "TLS verification: true, false or CA file", default="AWS_CA_BUNDLE, system"
    ),
    "botocore_conn_provider": Meaning("settings of this package"),
}
SAML = {
    "idp_url": Meaning("page where the sign-in begins"),
    "idp_auth_method": Meaning("sign-in method: spnego or a plug-in"),
    "principal_arn": Meaning("SAML provider in IAM", default="the assertion names it"),
    "saml_response_xpath": Meaning(
        "where the response is in the page", default="the SAMLResponse input"
    ),
    "mutual_authentication": Meaning("whether the IdP proves itself", "DISABLED"),
    "idp_request_kwargs": Meaning("options of the requests to the IdP"),
    "idp_request_retry_kwargs": Meaning("retries at the IdP", default="none"),
    "idp_auth_kwargs": Meaning("options of the sign-in method"),
    "log_idp_response": Meaning("log a redacted transcript", default="false"),
    "assume_role_kwargs": Meaning("parameters of the STS call"),
}

OPEN = frozenset(
    {
        "region_name",
        "role_arn",
        "profile_name",
        "profile",
        "aws_account_id",
        "aws_iam_role",
        "assume_role_method",
        "assume_role_with_web_identity_federation",
        "assume_role_with_web_identity_token_file",
        "assume_role_with_web_identity_federation_audience",
        "verify",
        "idp_auth_method",
        "principal_arn",
        "mutual_authentication",
        "log_idp_response",
    }
)
KEY_IDS = ("login", "aws_access_key_id")
ADDRESSES = ("endpoint_url", "host", "idp_url")
LONGEST = 200


def show_value(name: str, value: Any) -> str:
    """Return `value` of the field `name` in a form fit for a screen and a ticket."""
    if name in KEY_IDS:
        return show_key_id(str(value))
    if name in OPEN:
        return show_words(str(value), LONGEST)
    if name in ADDRESSES and "://" in str(value):
        return show_origin(str(value))
    names = list_names(value)
    if names is not None:
        return f"({', '.join(map(show_name, names))})"
    return (
        HIDDEN if isinstance(value, str) else describe_value(value).removeprefix("is ")
    )


def list_names(value: Any) -> list[str] | None:
    """Return the names in an object, also one that a URI wrote as JSON."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = read_json(value)
        except JsonFaultError:  # pragma: no cover - a checked connection has none
            return None
    return list(value) if isinstance(value, dict) else None


SAML_FIELD = "assume_role_with_saml"


def list_fields(connection: Connection) -> list[dict[str, Any]]:
    """Return a row for each field; values as far as they may be seen."""
    record = {name: _reveal_nothing(getattr(connection, name)) for name in RECORD}
    extra = drop_prefix(connection.extra)
    inner = _read_object(extra.get(SAML_FIELD))
    return [
        *_list(RECORD, record, source="the record", prefix=""),
        *_list(EXTRA, extra, source="the extra", prefix=""),
        *_list(SAML, inner, source="the extra", prefix=f"{SAML_FIELD}."),
    ]


def _reveal_nothing(value: Any) -> Any:
    """Return a value that is there as such; a secret as its stars."""
    return value if value is None or isinstance(value, (str, int)) else str(value)


def _list(
    meanings: Mapping[str, Meaning],
    values: Mapping[str, Any],
    *,
    source: str,
    prefix: str,
) -> Iterator[dict[str, Any]]:
    for name, meaning in meanings.items():
        value = values.get(name)
        yield {
            "name": prefix + name,
            "present": value is not None,
            "value": None if value is None else show_value(name, value),
            "source": "the default" if value is None else source,
            "meaning": meaning.text,
            "default": meaning.default or "none",
            "instead": meaning.instead or None,
        }


def _read_object(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = read_json(value)
        except JsonFaultError:  # pragma: no cover - a checked connection has none
            return {}
    return value if isinstance(value, dict) else {}
