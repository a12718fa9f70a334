"""Read an assertion, for explanation and choice, not for trust.

AWS checks signatures, times and audience. What is read here says, before AWS is
asked, which roles the IdP grants, and chooses the provider that goes with ours.

Source: SAML 2.0 Core, sections 2.3 to 3.3; AWS IAM user guide, "Configure SAML
assertions for the authentication response".
"""

from __future__ import annotations

import contextlib
import datetime
import re
from typing import Any, NamedTuple

from botocore_conn_provider.federation.saml.markup import (
    ForbiddenMarkupError,
    parse_xml,
)
from botocore_conn_provider.redaction import shorten, show_label, show_words

PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
NAMESPACES = {
    "p": PROTOCOL,
    "a": "urn:oasis:names:tc:SAML:2.0:assertion",
}
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
ROLE = "https://aws.amazon.com/SAML/Attributes/Role"
DURATION = "https://aws.amazon.com/SAML/Attributes/SessionDuration"
MOST_SHOWN = 10

_ROLE_ARN = re.compile(r"arn:[\w-]+:iam::\d{12}:role/\S+", re.IGNORECASE)
_PROVIDER_ARN = re.compile(r"arn:[\w-]+:iam::\d{12}:saml-provider/\S+", re.IGNORECASE)


class UnusableAssertionError(Exception):
    """The assertion cannot be exchanged. Never leaves the package."""

    def __init__(self, cause: str, hint: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.hint = hint


class Grant(NamedTuple):
    """A role that the IdP grants, through a provider that vouches for it."""

    role_arn: str
    principal_arn: str

    def __str__(self) -> str:
        return f"{shorten(self.role_arn, 120)} (by {shorten(self.principal_arn, 120)})"


class Assertion(NamedTuple):
    """What an assertion says. Times are aware, UTC; None is not said."""

    grants: tuple[Grant, ...] = ()
    issuer: str = ""
    audiences: tuple[str, ...] = ()
    not_before: datetime.datetime | None = None
    not_on_or_after: datetime.datetime | None = None
    session_duration_seconds: int | None = None
    is_encrypted: bool = False

    def describe(self) -> str:
        """Say it on one line, fit for a log."""
        until = self.not_on_or_after and self.not_on_or_after.isoformat()
        return (
            f"issuer {show_label(self.issuer) or 'unknown'},"
            f" audience {', '.join(map(show_label, self.audiences)) or 'any'},"
            f" valid until {until or 'no stated time'}, {len(self.grants)} roles"
        )


def is_saml_response(root: Any) -> bool:
    """Return whether an element is a SAML 2.0 response."""
    return bool(root.tag == f"{{{PROTOCOL}}}Response")


def parse_assertion(xml: bytes) -> Assertion:
    """Read a SAML response.

    Raises:
        UnusableAssertionError: It is none, or one that says that it failed.
    """
    try:
        root = parse_xml(xml)
    except ForbiddenMarkupError:
        root = None
    if root is None or not is_saml_response(root):
        kind = "not XML" if root is None else "XML that is no SAML 2.0 response"
        raise UnusableAssertionError(
            f"The SAML response is {kind}.",
            "Check that the IdP's application for AWS is set to SAML 2.0 with POST.",
        )
    _require_success(root)
    return Assertion(
        grants=tuple(_find_grants(root)),
        issuer=_find_text(root, "a:Assertion/a:Issuer") or _find_text(root, "a:Issuer"),
        audiences=tuple(_find_texts(root, ".//a:AudienceRestriction/a:Audience")),
        not_before=_find_time(root, "NotBefore"),
        not_on_or_after=_find_time(root, "NotOnOrAfter"),
        session_duration_seconds=_find_duration(root),
        is_encrypted=root.find("a:EncryptedAssertion", NAMESPACES) is not None,
    )


def choose_principal(
    assertion: Assertion, *, role_arn: str, principal_arn: str | None
) -> str:
    """Return the provider that goes with the role.

    An encrypted assertion shows neither, so what the connection says is taken.

    Raises:
        UnusableAssertionError: The role is not granted, or by several providers.
    """
    if assertion.is_encrypted and not assertion.grants:
        return _trust_connection(principal_arn)
    wanted = principal_arn and principal_arn.lower()
    of_role = [g for g in assertion.grants if g.role_arn.lower() == role_arn.lower()]
    fitting = [g for g in of_role if wanted in (None, g.principal_arn.lower())]
    if not fitting:
        raise _explain_refusal(assertion, role_arn, principal_arn if of_role else None)
    providers = {grant.principal_arn for grant in fitting}
    if len(providers) > 1:
        raise UnusableAssertionError(
            f"The IdP grants {role_arn} through several providers: {_list(fitting)}.",
            "Name one of them in 'principal_arn'.",
        )
    return principal_arn or providers.pop()


def _trust_connection(principal_arn: str | None) -> str:
    if principal_arn:
        return principal_arn
    raise UnusableAssertionError(
        "The assertion is encrypted, so it does not show its provider.",
        "Name it in 'principal_arn'.",
    )


def _explain_refusal(
    assertion: Assertion, role_arn: str, principal_arn: str | None
) -> UnusableAssertionError:
    through = f" through {principal_arn}" if principal_arn else ""
    cause = f"The IdP does not grant {role_arn}{through}."
    if not assertion.grants:
        hint = f"Have it send the attribute {ROLE}, as role ARN, comma, provider ARN."
        return UnusableAssertionError(f"{cause} It grants no role at all.", hint)
    granted = f"{cause} It grants {_list(assertion.grants)}."
    return UnusableAssertionError(granted, "Use one of these, or have it granted.")


def _list(grants: tuple[Grant, ...] | list[Grant]) -> str:
    more = f" and {len(grants) - MOST_SHOWN} more" if len(grants) > MOST_SHOWN else ""
    return "; ".join(map(str, grants[:MOST_SHOWN])) + more


def _require_success(root: Any) -> None:
    codes = [
        code.get("Value", "").rpartition(":")[2]
        for code in root.iterfind("p:Status//p:StatusCode", NAMESPACES)
        if code.get("Value") != SUCCESS
    ]
    if codes:
        said = show_words(_find_text(root, "p:Status/p:StatusMessage"), 200)
        words = f" It says: {said}." if said else ""
        raise UnusableAssertionError(
            f"The IdP answered with the SAML error {', '.join(map(show_label, codes))}.{words}",
            "Look into the IdP's log; the user may not be assigned to the application.",
        )


def _find_texts(root: Any, path: str) -> list[str]:
    found = root.iterfind(path, NAMESPACES)
    return ["".join(element.itertext()).strip() for element in found]


def _find_text(root: Any, path: str) -> str:
    return next(iter(_find_texts(root, path)), "")


def _find_grants(root: Any) -> list[Grant]:
    """Return the pairs, which IdPs write in either order, spaces or none."""
    grants = []
    for text in _find_texts(root, f".//a:Attribute[@Name='{ROLE}']/a:AttributeValue"):
        arns = [part.strip() for part in text.split(",")]
        roles = [arn for arn in arns if _ROLE_ARN.fullmatch(arn)]
        providers = [arn for arn in arns if _PROVIDER_ARN.fullmatch(arn)]
        if roles and providers:
            grants.append(Grant(roles[0], providers[0]))
    return list(dict.fromkeys(grants))


def _find_time(root: Any, name: str) -> datetime.datetime | None:
    conditions = root.find("a:Assertion/a:Conditions", NAMESPACES)
    text = "" if conditions is None else conditions.get(name, "")
    with contextlib.suppress(ValueError):
        time = datetime.datetime.fromisoformat(re.sub(r"(\.\d+)?Z$", "+00:00", text))
        return time.astimezone(datetime.timezone.utc)
    return None


def _find_duration(root: Any) -> int | None:
    text = _find_text(root, f".//a:Attribute[@Name='{DURATION}']/a:AttributeValue")
    return int(text) if text.isascii() and text.isdigit() else None
