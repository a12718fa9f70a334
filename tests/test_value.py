"""`Value` behaves as the `typing.NamedTuple` for which type checkers take it."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable


class Ours(Value):
    first: int
    second: str = "b"
    third: tuple[int, ...] = ()


class Theirs(NamedTuple):
    first: int
    second: str = "b"
    third: tuple[int, ...] = ()


def list_parameters(kind: Any) -> list[Any]:
    parameters = inspect.signature(kind).parameters.values()
    return [(each.name, each.kind, each.default) for each in parameters]


@pytest.mark.parametrize(
    "use",
    [
        lambda kind: tuple(kind(1)),
        lambda kind: tuple(kind(1, "c", third=(2,))),
        lambda kind: kind(first=1, second="c").second,
        lambda kind: tuple(kind(1)._replace(second="d")),
        lambda kind: kind(1)._asdict(),
        lambda kind: kind(1) == kind(1, "b") == (1, "b", ()),
        lambda kind: hash(kind(1)),
        lambda kind: repr(kind(1)).removeprefix(kind.__name__),
        lambda kind: copy.copy(kind(1)) == copy.deepcopy(kind(1)),
        lambda kind: type(pickle.loads(pickle.dumps(kind(1)))) is kind,  # noqa: S301
        lambda kind: tuple(kind._make((1, "c", (2,)))),
        list_parameters,
        lambda kind: (kind._fields, kind._field_defaults, kind.__match_args__),
    ],
)
def test_value_is_like_a_named_tuple(use: Callable[[Any], object]) -> None:
    assert use(Ours) == use(Theirs)


@pytest.mark.parametrize("kind", [Ours, Theirs])
@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((), {}), ((1, "b", (), 4), {}), ((1,), {"first": 1}), ((1,), {"fourth": 4})],
)
def test_wrong_arguments_are_refused(
    kind: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    with pytest.raises(TypeError):
        kind(*args, **kwargs)
    # The second: a named tuple's, from Python 3.13 on.
    with pytest.raises((ValueError, TypeError), match="fourth"):
        kind(1)._replace(fourth=4)


@pytest.mark.parametrize("kind", [Ours, Theirs])
@pytest.mark.parametrize("name", ["first", "other"])
def test_values_cannot_be_changed(kind: Any, name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(kind(1), name, 2)


@pytest.mark.parametrize("kind", [Ours, Theirs])
def test_values_match_patterns(kind: Any) -> None:
    match kind(1):
        case Ours(first, "b") | Theirs(first, "b"):
            assert first == 1
        case other:
            pytest.fail(repr(other))


def test_value_can_be_copied_with_changes() -> None:
    changed: Any = vars(Value)["__replace__"](Ours(1), second="d")
    assert changed == Ours(1, "d")
