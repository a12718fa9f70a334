"""Parse what an IdP sends, hardened: no DTD, no entities, no network, no depth.

XML first, HTML second: a page that is XML is read as what it says, and a page
that is not (most are not) as a browser would. Names of tags and attributes are
compared in lower case and without namespaces, as authors of XPaths expect who
looked at the page in a browser.
"""

from __future__ import annotations

import codecs
import re
from email.message import Message
from typing import TYPE_CHECKING, Any, NamedTuple

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16le"),
    (codecs.BOM_UTF16_BE, "utf-16be"),
)
# Quoted text stays as it is, everything else of an XPath is names and keywords
# (which are lower case already).
_QUOTED = re.compile(r"""("[^"]*"|'[^']*')""")


class ForbiddenMarkupError(Exception):
    """The document declares entities. Never leaves the package."""


class Document(NamedTuple):
    """A parsed page. `kind` is `xml` or `html`."""

    kind: str
    root: Any


def parse_xml(body: bytes, charset: str | None = None) -> Any:
    """Return the root element of a document that is XML, None of one that is not.

    Raises:
        ForbiddenMarkupError: It is XML that declares entities.
    """
    parser = etree.XMLParser(
        encoding=charset,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    subset: Any = root.getroottree().docinfo.internalDTD
    if subset is not None and any(True for _ in subset.iterentities()):
        raise ForbiddenMarkupError
    return root


def parse_page(body: bytes, content_type: str) -> Document | None:
    """Return the page as XML, else as HTML, None if it is neither."""
    charset = _find_charset(body, content_type)
    root = parse_xml(body, charset)
    if root is not None:
        return Document("xml", root)
    parser = etree.HTMLParser(encoding=charset, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    return None if root is None else Document("html", root)


def _find_charset(body: bytes, content_type: str) -> str | None:
    """Return the encoding that a BOM or the header names, if it is a known one."""
    for bom, name in BOMS:
        if body.startswith(bom):
            return name
    header = Message()
    header["Content-Type"] = content_type or "text/html"
    charset = header.get_content_charset()
    try:
        etree.HTMLParser(encoding=charset)  # knows other names than Python does
    except LookupError:
        return None
    return charset


def fold(root: Any) -> None:
    """Write all names of a tree in lower case and without namespaces, in place."""
    for element in root.iter(etree.Element):
        element.tag = fold_name(element.tag)
        for name in element.attrib:
            folded = fold_name(name)
            if folded != name:
                element.attrib[folded] = element.attrib.pop(name)


def fold_name(name: str) -> str:
    """Return a tag's or attribute's name in lower case and without namespace."""
    return name.rpartition("}")[2].rpartition(":")[2].lower()


def fold_xpath(xpath: str) -> str:
    """Write the names of an XPath in lower case; quoted texts stay."""
    parts = _QUOTED.split(xpath)
    return "".join(p if i % 2 else p.lower() for i, p in enumerate(parts))


def evaluate(root: Any, xpath: str) -> Iterator[str]:
    """Yield the texts that an XPath finds; of an element its value or its text."""
    found = root.xpath(xpath)
    for item in found if isinstance(found, list) else [found]:
        if isinstance(item, str):
            yield str(item)
        elif hasattr(item, "get"):
            yield item.get("value") or "".join(item.itertext())
