"""Describe a page without its secrets: its kind, title, forms, skeleton.

Only names that an author gave (of forms and inputs) and the title are shown,
with token-like runs hidden. Values never are: their length says enough.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lxml import etree

from botocore_conn_provider.federation.saml.markup import fold_name
from botocore_conn_provider.redaction import show_label, show_origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.federation.saml.markup import Document
    from botocore_conn_provider.plugins import Page

MOST_FORMS = 3
MOST_INPUTS = 8
MOST_LINES = 60
SHOWN = (
    "title",
    "h1",
    "form",
    "input",
    "textarea",
    "button",
    "script",
    "iframe",
    "meta",
)
SAFE_ATTRIBUTES = ("name", "id", "type", "method", "http-equiv")


def describe_page(page: Page, document: Document | None) -> str:
    """Return what finishes the sentence "The answer is …"."""
    if not page.body.strip():
        return "empty"
    if _is_json(page.body):
        return "JSON, not a page"
    kind = show_label(page.content_type.partition(";")[0]) or "of no stated kind"
    if document is None:
        return f"neither XML nor HTML ({kind}, {len(page.body)} bytes)"
    elements = list(_find_elements(document.root))
    told = [_name_kind(document, elements)]
    told += [f"titled '{text}'" for text in _find_title(elements)]
    told += _describe_forms(elements)
    return ", ".join(told)


def outline_page(document: Document | None) -> Iterator[str]:
    """Yield the skeleton of a page, one element a line."""
    elements = [] if document is None else list(_find_elements(document.root))
    for name, element in elements[:MOST_LINES]:
        yield _outline(name, element)
    if len(elements) > MOST_LINES:
        yield f"… and {len(elements) - MOST_LINES} more"


def _is_json(body: bytes) -> bool:
    if body.lstrip()[:1] not in (b"{", b"["):
        return False
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _find_elements(root: Any) -> Iterator[tuple[str, Any]]:
    for element in root.iter(etree.Element):
        name = fold_name(element.tag)
        if name in SHOWN:
            yield name, element


def _read(element: Any, attribute: str) -> str:
    for name, value in element.attrib.items():
        if fold_name(name) == attribute:
            return str(value)
    return ""


def _find_title(elements: list[tuple[str, Any]]) -> list[str]:
    texts = (
        show_label("".join(e.itertext())) for name, e in elements if name == "title"
    )
    return [text for text in texts if text][:1]


def _name_kind(document: Document, elements: list[tuple[str, Any]]) -> str:
    root = fold_name(document.root.tag)
    if document.kind == "xml" and root != "html":
        return f"an XML document <{show_label(root)}>"
    types = {
        _read(element, "type").lower() for name, element in elements if name == "input"
    }
    names = {name for name, _ in elements}
    if "password" in types:
        return "a login form that asks for a password"
    if "script" in names and "form" not in names:
        return "a page made by JavaScript, which is not run here"
    if any(_read(e, "http-equiv").lower() == "refresh" for _, e in elements):
        return "a page that refreshes to another"
    return "a page with a form" if "form" in names else "a page without a form"


def _describe_forms(elements: list[tuple[str, Any]]) -> list[str]:
    forms = [
        _read(e, "name") or _read(e, "id") for name, e in elements if name == "form"
    ]
    inputs = [_read(e, "name") for name, e in elements if name == "input"]
    shown = [show_label(name) for name in forms if name][:MOST_FORMS]
    told = [f"form {name}" for name in shown]
    named = [show_label(name) for name in inputs if name][:MOST_INPUTS]
    return [*told, f"inputs {' '.join(named)}"] if named else told


def _outline(name: str, element: Any) -> str:
    told = [
        f"{n}={show_label(_read(element, n))}"
        for n in SAFE_ATTRIBUTES
        if _read(element, n)
    ]
    if urlsplit(_read(element, "action")).hostname:
        told.append(f"action={show_origin(_read(element, 'action'))}/…")
    if _read(element, "value"):
        told.append(f"value=*** ({len(_read(element, 'value'))} characters)")
    if name in ("title", "h1"):
        told.append(show_label("".join(element.itertext())))
    return f"<{' '.join([name, *told])}>"
