"""Find the SAML response in the page that the IdP ends with, or say what it is.

What a user sees of a page that changed is otherwise "no role", from AWS, much
later. So whatever is not exactly one usable value is an error here, which says
what came: a login form, an error page, JSON, nothing.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from lxml import etree

from botocore_conn_provider.errors import Problem, SamlResponseError
from botocore_conn_provider.federation.saml.assertion import is_saml_response
from botocore_conn_provider.federation.saml.markup import (
    Document,
    ForbiddenMarkupError,
    evaluate,
    fold,
    fold_xpath,
    parse_page,
    parse_xml,
)
from botocore_conn_provider.federation.saml.page_outline import (
    describe_page,
    outline_page,
)
from botocore_conn_provider.redaction import show_words
from botocore_conn_provider.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.plugins import Page

# Source: AWS STS API reference, AssumeRoleWithSAML, SAMLAssertion.
LONGEST_ASSERTION = 100_000
FIELD = "assume_role_with_saml.saml_response_xpath"
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


class Finding(NamedTuple):
    """The one value of a page: the base64 text, and the XML in it, both secret."""

    assertion: Secret
    xml: bytes

    def __repr__(self) -> str:
        return "Finding(***)"


def find_xpath_problems(xpath: str | None) -> Iterator[Problem]:
    """Yield what is wrong with an XPath: tried on an empty page."""
    if xpath is None:
        return
    try:
        for tried in (xpath, fold_xpath(xpath)):
            etree.XML("<html/>").xpath(tried)
    except (etree.XPathError, ValueError) as error:
        seen = f"is no XPath that can be used here ({show_words(str(error))})"
        fix = "Write names without a prefix: namespaces and upper case do not matter."
        yield Problem(FIELD, seen, fix)


class PageReader:
    """Reads the page of one login."""

    def __init__(self, page: Page, *, conn_id: str, xpath: str | None) -> None:
        self._page = page
        self._conn_id = conn_id
        self._xpath = xpath
        self._document = self._parse()
        # Asked now: finding may fold the names that tell it.
        root = self._document and self._document.root
        self._is_response = root is not None and is_saml_response(root)

    def find(self) -> Finding:
        """Return the SAML response.

        Raises:
            SamlResponseError: The page has none, several, or an unusable one.
        """
        values = {"".join(text.split()) for text in self._collect()}
        filled = sorted(values - {""})
        if len(filled) > 1:
            hint = "Narrow 'saml_response_xpath' down to one of them."
            raise self._error(f"{len(filled)} different SAML responses", hint)
        if not filled and values:
            hint = "The IdP made no assertion: look into its log."
            raise self._error("a SAML response that is blank", hint)
        if not filled:
            raise self._error("no SAML response", self._advise())
        return self._decode(filled[0])

    def outline(self) -> Iterator[str]:
        """Yield the skeleton of the page, redacted."""
        return outline_page(self._document)

    def _parse(self) -> Document | None:
        try:
            return parse_page(self._page.body, self._page.content_type)
        except ForbiddenMarkupError:
            hint = "Such a page is not read: an attacker could have made it."
            raise SamlResponseError(
                conn_id=self._conn_id,
                cause=f"The page of {self._page.origin} declares XML entities.",
                hint=hint,
            ) from None

    def _collect(self) -> Iterator[str]:
        if self._document is None:
            return iter(())
        if self._xpath is None:
            itself = self._find_itself()
            return iter(itself) if itself else self._find_input(self._document)
        return self._apply(self._document, self._xpath)

    def _find_itself(self) -> list[str]:
        """Return the whole answer if it is a SAML response and no page."""
        if self._is_response:
            return [base64.b64encode(self._page.body).decode()]
        text = b"".join(self._page.body.split())
        is_base64 = re.fullmatch(_BASE64.pattern.encode(), text)
        if is_base64 and len(text) % 4 == 0 and _is_xml_saml(base64.b64decode(text)):
            return [text.decode()]
        return []

    def _find_input(self, document: Document) -> Iterator[str]:
        fold(document.root)
        for element in document.root.iter("input", "textarea", "button"):
            if element.get("name", "").strip().lower() == "samlresponse":
                yield element.get("value") or "".join(element.itertext())

    def _apply(self, document: Document, xpath: str) -> Iterator[str]:
        """Yield what the XPath finds, first as written, then whatever the case."""
        as_written = list(evaluate(document.root, xpath))
        if any(as_written):
            return iter(as_written)
        fold(document.root)
        return iter([*as_written, *evaluate(document.root, fold_xpath(xpath))])

    def _decode(self, text: str) -> Finding:
        if len(text) > LONGEST_ASSERTION:
            hint = "AWS takes 100,000 characters: have the IdP send fewer attributes."
            raise self._error(f"a SAML response of {len(text)} characters", hint)
        if not _BASE64.fullmatch(text) or len(text) % 4:
            hint = "Check that 'saml_response_xpath' names the SAMLResponse's value."
            raise self._error("a SAML response that is not base64", hint)
        return Finding(Secret(text), base64.b64decode(text))

    def _advise(self) -> str:
        if self._xpath and self._is_response:
            return "Leave 'saml_response_xpath' out: the answer is the response itself."
        if self._xpath:
            return (
                "Check 'saml_response_xpath', or leave it out: the input is looked for."
            )
        return "Check 'idp_url' and the sign-in: this is not the page that follows it."

    def _error(self, what: str, hint: str) -> SamlResponseError:
        page = describe_page(self._page, self._document)
        cause = f"The answer of {self._page.origin} has {what}. It is {page}."
        return SamlResponseError(conn_id=self._conn_id, cause=cause, hint=hint)


def _is_xml_saml(xml: bytes) -> bool:
    try:
        root: Any = parse_xml(xml)
    except ForbiddenMarkupError:
        return False
    return root is not None and is_saml_response(root)
