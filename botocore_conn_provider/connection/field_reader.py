"""Read the fields of one object, each by its type, and collect every problem.

A reader never raises: a wrong field becomes a `Problem` and reads as absent, so that
one reading finds every problem of a connection. It remembers which names were asked
for; the other ones are unknown.

In a URI every value is text. Text that contains a JSON object, array, boolean or number
is decoded if the field expects one; a field that expects text keeps it, so
`external_id=0012345` keeps its zeros. `null` means absent everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore_conn_provider.connection.strict_json import JsonFaultError, read_json
from botocore_conn_provider.errors import Problem
from botocore_conn_provider.redaction import describe_value, show_name
from botocore_conn_provider.secret import Address, Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MOST_UNKNOWN = 100
ANY_KIND: tuple[type, ...] = (object,)


class Findings:
    """Collects what a reading finds: problems, and notices for the log."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.notices: list[str] = []
        # These are problems only if the connection names no identity of its own.
        self.doubts: list[Problem] = []
        self.doubtful_notices: list[str] = []
        # About a URI's query: a `+` reads as a space, and an `&` that was not encoded
        # splits one value into two fields.
        self.has_raw_plus = False
        self.names_may_be_cut = False

    def refuse(self, field: str, seen: str, fix: str) -> None:
        """Add a problem; `Problem` describes the three texts."""
        self.problems.append(Problem(field, seen, fix))

    def has_refused(self, field: str) -> bool:
        """Return whether there is a problem with `field` already."""
        return any(problem.field == field for problem in self.problems)


class FieldReader:
    """Read one object of the connection; `path` leads to it, empty for the extra."""

    def __init__(
        self, values: Mapping[str, Any], *, path: str, findings: Findings
    ) -> None:
        self._values = values
        self._path = path
        self._asked: dict[str, None] = {}
        self.findings = findings

    def field(self, name: str) -> str:
        """Return the dotted path of `name`."""
        return f"{self._path}.{name}" if self._path else name

    def refuse(self, name: str, seen: str, fix: str) -> None:
        """Add a problem with the field `name` of this object."""
        self.findings.refuse(self.field(name), seen, fix)

    def has(self, name: str) -> bool:
        """Return whether `name` is present and not null."""
        return self._take(name) is not None

    def is_null(self, name: str) -> bool:
        """Return whether `name` is present and null (in a URI, the text null)."""
        return name in self._values and self._take(name) in (None, "null")

    def text(
        self, name: str, *, fix: str = "", empty_is_absent: bool = False
    ) -> str | None:
        """Read a text that is not empty."""
        value = self._take(name)
        if value is None or (value == "" and empty_is_absent):
            return None
        if isinstance(value, str) and value:
            return value
        advice = "Remove it or give it a value." if value == "" else "Write it as text."
        self.refuse(name, describe_value(value), fix or advice)
        return None

    def secret(self, name: str, *, empty_is_absent: bool = False) -> Secret | None:
        """Read a secret text that can be sent in an HTTP header."""
        value = self.text(name, empty_is_absent=empty_is_absent)
        if value is not None and not is_key_text(value):
            self.refuse(
                name,
                "contains whitespace or characters that keys never contain",
                RETYPE,
            )
            return None
        return None if value is None else Secret(value)

    def url(self, name: str) -> Address | None:
        """Read an http or https address, which may have a password: never shown."""
        url = self.text(name, fix=URL_FIX)
        if url is None or is_url(url):
            return None if url is None else Address(url)
        seen = f"is text ({len(url)} characters), not an address"
        self.refuse(name, seen, URL_FIX)
        return None

    def flag(self, name: str) -> bool | None:
        """Read true or false."""
        value = self._decoded(name, (bool,))
        if value is None or isinstance(value, bool):
            return value
        self.refuse(name, describe_value(value), "Write true or false.")
        return None

    def number(self, name: str, *, least: float = 0) -> float | None:
        """Read a number of at least `least`."""
        value = self._decoded(name, (int, float))
        if value is None:
            return None
        if is_number(value) and value >= least:
            return float(value)
        self.refuse(
            name, describe_value(value), f"Write a number of at least {least:g}."
        )
        return None

    def choice(self, name: str, choices: tuple[str, ...]) -> str | None:
        """Read one of a few words."""
        value = self.text(name)
        if value is None or value in choices:
            return value
        # Imported here, like below: a connection without a misspelt name needs none.
        from botocore_conn_provider.connection.spelling import find_near

        near = find_near(value, choices)
        seen = f"is '{value}'" if near else describe_value(value)
        meant = f"Did you mean '{near}'? " if near else ""
        self.refuse(name, seen, f"{meant}Write one of {', '.join(choices)}.")
        return None

    def object(self, name: str) -> FieldReader | None:
        """Read an object; return a reader for it."""
        value = self._decoded(name, (dict,))
        if value is None:
            return None
        if isinstance(value, dict):
            return FieldReader(value, path=self.field(name), findings=self.findings)
        self.refuse(name, describe_value(value), 'Write an object: {"…": …}.')
        return None

    def peek(self, name: str) -> Any:
        """Return the value without decoding it; None if absent."""
        return self._take(name)

    def raw(self, name: str, kinds: tuple[type, ...] = ANY_KIND) -> Any:
        """Return the value unchecked; None if absent.

        Text that contains JSON of one of `kinds` other than `str` is decoded.
        """
        return self._decoded(name, tuple(kind for kind in kinds if kind is not str))

    def left_over(self, known: Iterable[str] = ()) -> Iterator[tuple[str, str | None]]:
        """Yield each name that was not asked for, with the known name it resembles.

        Names whose value is null are left out; those in `known` count as asked for.
        """
        self._asked.update(dict.fromkeys(known))
        unknown = [
            name
            for name, value in self._values.items()
            if name not in self._asked and value is not None
        ]
        if len(unknown) > MOST_UNKNOWN:
            self.findings.refuse(
                self._path or "extra",
                f"has {len(unknown)} unknown fields",
                "Check that it is a connection.",
            )
            return
        if not unknown:
            return
        from botocore_conn_provider.connection.spelling import find_near

        for name in unknown:
            yield name, find_near(name, self._asked)

    def refuse_left_over(self) -> None:
        """Refuse every name that was not asked for."""
        for name, near in self.left_over():
            known = ", ".join(self._asked)
            fix = f"Did you mean '{near}'?" if near else f"Known fields: {known}."
            self.refuse(
                show_name(name, near=near), "is not a field of the connection", fix
            )

    def names(self) -> list[str]:
        """Return the names that are present, and count them as asked for."""
        self._asked.update(dict.fromkeys(self._values))
        return list(self._values)

    def _take(self, name: str) -> Any:
        self._asked[name] = None
        return self._values.get(name)

    def _decoded(self, name: str, wanted: tuple[type, ...]) -> Any:
        value = self._take(name)
        if not isinstance(value, str):
            return value
        try:
            decoded = read_json(value)
        except JsonFaultError as fault:
            if value.lstrip()[:1] in ("{", "["):
                self.refuse(name, f"is broken JSON: {fault}", "Fix the JSON.")
                return None
            return value
        return decoded if decoded is None or isinstance(decoded, wanted) else value


RETYPE = "Copy it again, without a line break or quotes (in a URI write %2B for +)."


URL_FIX = "Write it as https://host or https://host:port/path."


def is_key_text(text: str) -> bool:
    """Return whether `text` can be sent in an HTTP header, like key ids and tokens."""
    return all("!" <= character <= "~" for character in text)


def is_number(value: object) -> bool:
    """Return whether `value` is a number of a reasonable size and not a boolean."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) < LARGEST_NUMBER


LARGEST_NUMBER = 1e15


def is_url(text: str) -> bool:
    """Return whether `text` is an http or https address with a host."""
    if not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0
