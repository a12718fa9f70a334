"""What a failure means, in words that are fit for a log."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from botocore_conn_provider.errors import IdpRequestError, shorten
from botocore_conn_provider.secret import HIDDEN

# Whatever a server says may be a token; words are shorter than this.
_TOKEN_LIKE = re.compile(r"[\w+/=.%~-]{25,}")


class Explanation(NamedTuple):
    """A cause and a next step, each whole sentences.

    `retryable` says that the same attempt may succeed a little later. It is
    False for whatever, repeated, could lock an account.
    """

    cause: str
    hint: str
    retryable: bool = False

    def to_error(self, conn_id: str) -> IdpRequestError:
        """Build the error that says it."""
        return IdpRequestError(
            conn_id=conn_id, cause=self.cause, hint=self.hint, retryable=self.retryable
        )


def tame(text: str, longest: int = 80) -> str:
    """Return words of a server's, cut, on one line, with token-like runs hidden."""
    return shorten(_TOKEN_LIKE.sub(HIDDEN, " ".join(text.split())), longest)


def find_origin(url: str) -> str:
    """Return what may be shown of a URL: its scheme and host."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}"
