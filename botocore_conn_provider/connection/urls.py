"""Read an http or https address without ever showing it: it may hold a password."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from botocore_conn_provider.connection.reader import Reader

FIX = "Write it as https://host or https://host:port/path."


def read_url(reader: Reader, name: str) -> str | None:
    """Read an address with scheme http or https and a host."""
    url = reader.text(name, fix=FIX)
    if url is None or _is_url(url):
        return url
    reader.refuse(name, f"is text ({len(url)} characters), not an address", FIX)
    return None


def show_origin(url: str) -> str:
    """Return scheme and host of an address that was read: what a log may show."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}"


def _is_url(text: str) -> bool:
    if not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0
