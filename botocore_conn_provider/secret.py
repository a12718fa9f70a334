"""Hold values that must never be shown.

Every key, token, assertion and password is a `Secret` from the moment it is
parsed, so that a repr, a log record, an f-string or a traceback that shows
locals cannot show it. `reveal()` is the only way to get the text, and is easy to search
for. Neither type can be pickled: other processes get the connection's name, never keys.
"""

from __future__ import annotations

import copy
import hmac
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

HIDDEN = "***"


class Secret:
    """One secret text, shown as `***`; only `reveal()` returns it.

    Two secrets are equal if their texts are; an empty one is false. It can be copied,
    but not pickled.

    Raises:
        TypeError: The argument is not text.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):  # plug-ins make secrets, and may not check types
            raise TypeError(f"a Secret must be text, not {type(text).__name__}")
        self._text = text

    def reveal(self) -> str:
        """Return the text itself. Never log, print or format the result."""
        return self._text

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, format_spec: str) -> str:
        return HIDDEN

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine = self._text.encode(errors="surrogatepass")
        theirs = other._text.encode(errors="surrogatepass")
        return hmac.compare_digest(mine, theirs)

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled: send the connection's name")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self


class Options(Mapping[str, Any]):
    """Read-only named values for another library, some of which may be secret.

    Such mappings contain proxy passwords, cookies and headers. A name may be a part of
    a secret too, so the repr shows only how many there are. Pass them on with
    `**options`.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self._values = dict(values or {})

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Options({len(self._values)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("Options cannot be pickled: send the connection's name")

    def __copy__(self) -> Options:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Options:
        return Options(copy.deepcopy(self._values, memo))
