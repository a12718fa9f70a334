"""Immutable values with named fields, which cost a start next to nothing.

`Value` is used and typed like `typing.NamedTuple`. That compiles a constructor and every
annotation when a class is defined: 0.2 ms for eight fields, where this takes a tenth.
A start defines two dozen such classes, which was a fifth of what it cost. The public
ones among them look like named tuples to `inspect` and `help`, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NamedTuple as Value

    from typing_extensions import Self
else:
    from _collections import _tuplegetter  # what collections.namedtuple reads with

    # What reads each place of a tuple, the same for all classes. None has more fields.
    PLACES = tuple(_tuplegetter(place, None) for place in range(32))

    class ValueType(type):
        """Makes the fields of a class's annotations places of a tuple."""

        def __new__(
            cls, name: str, bases: tuple[type, ...], body: dict[str, Any]
        ) -> ValueType:
            """Make the class. Its module has `from __future__ import annotations`."""
            fields = tuple(body.get("__annotations__", ()))
            defaults = {field: body[field] for field in fields if field in body}
            body |= zip(fields, PLACES[: len(fields)], strict=True)
            body |= {
                "__slots__": (),
                "__match_args__": fields,
                "_fields": fields,
                "_field_defaults": defaults,
            }
            return type.__new__(cls, name, bases, body)

        @property
        def __signature__(cls) -> Any:
            """What `inspect` and `help` show of the constructor."""
            # Imported here: no start asks for it.
            from inspect import Parameter, Signature

            parameters = [
                Parameter(
                    field,
                    Parameter.POSITIONAL_OR_KEYWORD,
                    default=cls._field_defaults.get(field, Parameter.empty),
                    annotation=cls.__annotations__[field],
                )
                for field in cls._fields
            ]
            return Signature(parameters)

    class Value(tuple, metaclass=ValueType):
        """A base class: annotate the fields, and give defaults to the last of them."""

        __slots__ = ()

        def __new__(cls, *args: Any, **kwargs: Any) -> Self:
            """Take the fields in their order or by name.

            Raises:
                TypeError: One is missing, unknown or given twice.
            """
            fields = cls._fields
            named = dict(zip(fields, args, strict=False))
            given = {**cls._field_defaults, **named, **kwargs}
            if (
                len(args) > len(fields)
                or len(given) != len(fields)
                or not named.keys().isdisjoint(kwargs)
                or not given.keys() <= set(fields)
            ):
                raise TypeError(f"{cls.__name__} takes {', '.join(fields)}")
            return tuple.__new__(cls, [given[field] for field in fields])

        def _replace(self, **changed: Any) -> Self:
            """Return a copy with other values of some fields.

            Raises:
                ValueError: There is no such field.
            """
            unknown = changed.keys() - set(self._fields)
            if unknown:
                raise ValueError(f"{type(self).__name__} has no {sorted(unknown)}")
            return type(self)(**{**self._asdict(), **changed})

        __replace__ = _replace  # of copy.replace, from Python 3.13 on

        @classmethod
        def _make(cls, fields: Iterable[Any]) -> Self:
            """Make one of all its fields, in their order."""
            return cls(*fields)

        def _asdict(self) -> dict[str, Any]:
            """Return the fields by name."""
            return dict(zip(self._fields, self, strict=True))

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

        def __repr__(self) -> str:
            shown = ", ".join(f"{k}={v!r}" for k, v in self._asdict().items())
            return f"{type(self).__name__}({shown})"


__all__ = ["Value"]
