"""Read the SAML role: the sign-in at the IdP and the provider in IAM.

Missing fields are found here, before the IdP is called.

Source: docs/specification.md, section 2.6.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.connection.field_reader import FieldReader, is_number
from botocore_conn_provider.connection.settings import (
    AssumeRoleWithSaml,
    SamlSignIn,
)
from botocore_conn_provider.connection.sts_parameters import read_parameters
from botocore_conn_provider.redaction import describe_value
from botocore_conn_provider.secret import Options

if TYPE_CHECKING:
    from botocore_conn_provider.connection.settings import MutualAuthentication

FIELD = "assume_role_with_saml"
PRINCIPAL_ARN = r"arn:aws[a-z-]*:iam::\d{12}:saml-provider/[\w._-]{1,128}"
# Airflow's misspelling, and the correct spelling.
SPNEGO = ("http_spegno_auth", "http_spnego_auth")
MUTUAL_AUTHENTICATION: tuple[MutualAuthentication, ...] = (
    "REQUIRED",
    "OPTIONAL",
    "DISABLED",
)

# Keyword arguments of requests.Session.request that are about the connection to
# the IdP (requests' documentation, "API").
REQUEST_FIELDS: dict[str, tuple[type, ...]] = {
    "allow_redirects": (bool,),
    "cert": (str, list),
    "cookies": (dict,),
    "headers": (dict,),
    "params": (dict, str),
    "proxies": (dict,),
    "stream": (bool,),
    "timeout": (int, float, list),
    "verify": (bool, str),
}

# Keyword arguments of urllib3.util.Retry, versions 1.26 and 2 (its documentation).
RETRY_FIELDS: dict[str, tuple[type, ...]] = {
    "total": (int, bool),
    "connect": (int,),
    "read": (int,),
    "redirect": (int, bool),
    "status": (int,),
    "other": (int,),
    "allowed_methods": (list, bool),
    "method_whitelist": (list, bool),
    "status_forcelist": (list,),
    "backoff_factor": (int, float),
    "backoff_max": (int, float),
    "backoff_jitter": (int, float),
    "raise_on_redirect": (bool,),
    "raise_on_status": (bool,),
    "respect_retry_after_header": (bool,),
    "remove_headers_on_redirect": (list,),
}

# Settings of the SPNEGO sign-in, named as in requests_gssapi.
AUTH_FIELDS: dict[str, tuple[type, ...]] = {
    "opportunistic_auth": (bool,),
    "target_name": (str,),
    "channel_bindings": (str,),
}


def read_saml_role(
    extra: FieldReader, *, role_arn: str, outer: dict[str, Any]
) -> AssumeRoleWithSaml | None:
    """Read the SAML role; None if its object is missing or is not an object."""
    saml = extra.object(FIELD)
    if saml is None:
        if not extra.has(FIELD):
            extra.refuse(
                FIELD,
                "is missing",
                "Add the object with 'principal_arn' and 'idp_url'.",
            )
        return None
    inner = read_parameters(saml)
    role = AssumeRoleWithSaml(
        role_arn=role_arn,
        principal_arn=_read_principal_arn(saml),
        sign_in=_read_sign_in(saml),
        parameters=Options({**inner, **outer}),
    )
    saml.refuse_left_over()
    return role


def _read_sign_in(saml: FieldReader) -> SamlSignIn:
    method = saml.text("idp_auth_method")
    if method is None and not saml.has("idp_auth_method"):
        saml.refuse("idp_auth_method", "is missing", "Write http_spegno_auth.")
    spnego = method in SPNEGO
    return SamlSignIn(
        idp_url=_read_idp_url(saml),
        method="spnego" if spnego or method is None else method,
        saml_response_xpath=saml.text("saml_response_xpath"),
        mutual_authentication=_read_mutual_authentication(saml),
        request=read_options(saml, "idp_request_kwargs", REQUEST_FIELDS),
        retry=read_options(saml, "idp_request_retry_kwargs", RETRY_FIELDS),
        auth=read_options(saml, "idp_auth_kwargs", AUTH_FIELDS if spnego else None),
        log_idp_response=saml.flag("log_idp_response") or False,
    )


def read_options(
    parent: FieldReader, name: str, known: dict[str, tuple[type, ...]] | None
) -> Options:
    """Read an object with another library's options. If `known` is None, accept any."""
    reader = parent.object(name)
    if reader is None:
        return Options()
    if known is None:
        return Options({each: reader.peek(each) for each in reader.names()})
    read = {each: reader.raw(each, kinds) for each, kinds in known.items()}
    values = {each: value for each, value in read.items() if value is not None}
    for option, value in values.items():
        if not _is_of(value, known[option]):
            wanted = " or ".join(KIND[kind] for kind in known[option])
            reader.refuse(option, describe_value(value), f"Write {wanted}.")
    reader.refuse_left_over()
    return Options({each: _as_pair(each, value) for each, value in values.items()})


def _as_pair(option: str, value: Any) -> Any:
    """Make a tuple of a list, because requests needs a tuple for two values."""
    pair = option in ("cert", "timeout") and isinstance(value, list)
    return tuple(value) if pair else value


def _is_of(value: object, kinds: tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return bool in kinds
    if isinstance(value, (int, float)):
        return is_number(value) and isinstance(value, kinds)
    return isinstance(value, kinds) and value != ""


KIND = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}


def _read_idp_url(saml: FieldReader) -> str:
    url = saml.url("idp_url")
    if url is None:
        if not saml.has("idp_url"):
            saml.refuse(
                "idp_url", "is missing", "Add the address of the IdP's sign-in page."
            )
        return ""
    if url.lower().startswith("http:"):
        saml.findings.notices.append(
            f"'{FIELD}.idp_url' is plain http: anyone on the network can read and"
            " change the IdP's answers."
        )
    return url


def _read_principal_arn(saml: FieldReader) -> str | None:
    arn = saml.text("principal_arn")
    if arn is not None and not re.fullmatch(PRINCIPAL_ARN, arn, re.ASCII):
        saml.refuse(
            "principal_arn",
            f"{describe_value(arn)}, not the ARN of a SAML provider",
            "Write it as arn:aws:iam::123456789012:saml-provider/name.",
        )
    return arn


def _read_mutual_authentication(saml: FieldReader) -> MutualAuthentication:
    word = saml.choice("mutual_authentication", MUTUAL_AUTHENTICATION)
    return next((each for each in MUTUAL_AUTHENTICATION if each == word), "DISABLED")
