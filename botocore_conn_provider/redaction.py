"""Decide what may be shown: one place for every error, log record, event and report.

Our own words pass as they are. A value of the user's, and every text of another
program, server or library, passes through a function of this module first:
`show_words` for a text, `show_error` for an exception.

What is hidden in such a text is told in `masking`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore_conn_provider.secret import KeyId

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_NAME = 40
LONGEST_LABEL = 80
LONGEST_WORDS = 400
CONN_ID = r"[\w.-]+"
# In the place of a text that is no id: that may be a connection, pasted where its id
# belongs, so nothing keeps it.
WRONG_CONN_ID = "?"
LONGEST_STEM = 5
# The name of a field that may be shown in part.
PLAIN_WORD = r"[a-z][a-z_]{0,39}"


def shorten(text: str, longest: int = LONGEST_NAME) -> str:
    """Cut `text` to `longest` characters, printable ones only."""
    shown = text[: longest + 1]
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else "?" for c in shown)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def show_words(
    text: str, longest: int = LONGEST_WORDS, *, known: Iterable[object] = ()
) -> str:
    """Return a foreign text on one line, masked and only then cut to `longest`.

    Args:
        text: What another program, server or library said.
        longest: The most characters to return.
        known: Secret values of the running call, which are hidden wherever they are.
    """
    # Imported here: a start that shows nothing of others does not load it.
    from botocore_conn_provider.masking import mask

    return shorten(" ".join(mask(text, known).split()), longest)


def show_label(text: str) -> str:
    """Return a foreign name or title: a text of which a short piece is enough."""
    return show_words(text, LONGEST_LABEL)


def show_error(error: BaseException, longest: int = LONGEST_WORDS) -> str:
    """Return the kind of a foreign error and what it says, masked and cut."""
    return f"{type(error).__name__}: {show_words(str(error), longest)}"


def show_system_error(error: BaseException) -> str:
    """Return the system's words for an error of files or sockets, else its kind."""
    words = getattr(error, "strerror", None)
    return show_words(words) if isinstance(words, str) else type(error).__name__


def show_conn_id(conn_id: str) -> str:
    """Return a connection's id; `?` for what may be a connection or key in its place."""
    return WRONG_CONN_ID if set(conn_id) & set(':@"/+=&') else conn_id


def show_key_id(access_key_id: str) -> str:
    """Return the last four characters, which tell keys apart and open nothing."""
    return repr(KeyId(access_key_id))


def show_origin(url: str) -> str:
    """Return the scheme, host and port of a URL: the rest may hold a secret."""
    parts = urlsplit(url)
    try:
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:  # no number: a piece of something else
        port = ""
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def show_name(name: str, *, near: str | None = None, may_be_cut: bool = False) -> str:
    """Return as much of a field's name as can be no piece of a secret, else its length.

    It is shown whole only if it resembles the known name `near`; of a plain
    lower-case word the first letters are shown, which is enough to find it. Not in a
    URI's query (`may_be_cut`): an unencoded `&` in a secret makes its rest a name.
    """
    if near is not None:
        return name
    if re.fullmatch(PLAIN_WORD, name) and not may_be_cut:
        return shorten(name, LONGEST_STEM)
    return f"({len(name)} characters)"


def describe_value(value: object) -> str:
    """Return what a value is without showing it: finishes "'field' …"."""
    if value is None:
        return "is null"
    if isinstance(value, bool):
        return f"is {str(value).lower()}"
    if isinstance(value, (int, float)):
        return "is a number"
    if isinstance(value, str):
        return f"is text ({len(value)} characters)" if value else "is empty"
    return "is a list" if isinstance(value, (list, tuple)) else "is an object"
