"""Hold values that must never be shown.

Every key, token, assertion and password is a `Secret` from the moment it is
parsed, so that a repr, a log record, an f-string or a traceback that shows
locals cannot show it. `reveal()` is the only way to get the text, and is easy to search
for. Neither `Secret` nor `Options` can be pickled: other processes get the connection's
name, never keys.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import ItemsView, Iterator, KeysView, ValuesView

    OfMapping = Mapping[str, Any]
else:
    # Tools that show a traceback's locals open whatever says that it is a Mapping.
    OfMapping = object

HIDDEN = "***"
SHORTEST_KEY_ID = 12  # of a shorter one, four characters would be too much

T = TypeVar("T")


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
        # Imported here: it loads a library of cryptography, and few secrets are compared.
        import hmac

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


class KeyId(str):
    """An access key id: text whose repr shows the last four characters only.

    They tell keys apart and open nothing. `str(key_id)` is the plain text, which other
    libraries are given.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"…{self[-4:]}" if len(self) > SHORTEST_KEY_ID else HIDDEN


class Address(str):
    """A URL, which may have a password or a token in it: its repr shows nothing.

    `str(address)` is the plain text, which other libraries are given.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return HIDDEN


class Hidden(Generic[T]):
    """Another library's object whose own repr shows more than it should."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """Return the object itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Hidden({type(self._value).__name__})"


class Options(OfMapping):
    """Read-only named values for another library, some of which may be secret.

    Such values are proxy passwords, cookies, headers and environments. A name may be a
    part of a secret too, so the repr shows only how many there are. It has the methods
    of a mapping: pass it on with `**options`, or make a dict of it.
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

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Options):
            return self._values == other._values
        return self._values == other if isinstance(other, Mapping) else NotImplemented

    __hash__ = None  # type: ignore[assignment] # as a mapping's

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value, or the default if there is none."""
        return self._values.get(name, default)

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self._values.keys()

    def values(self) -> ValuesView[Any]:
        """Return the values."""
        return self._values.values()

    def items(self) -> ItemsView[str, Any]:
        """Return the pairs."""
        return self._values.items()

    def __repr__(self) -> str:
        return f"Options({len(self._values)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("Options cannot be pickled: send the connection's name")

    def __copy__(self) -> Options:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Options:
        return Options(copy.deepcopy(self._values, memo))
