"""What a tool shows of an error: its chain, and the locals of each frame.

Sentry, rich, loguru and `pytest -l` show the locals of every frame of a traceback, and
of those of `__cause__` and `__context__`, suppressed or not. They show a repr, and some
open mappings, sequences and named tuples, a few levels deep. An object of ours is
opened here too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol

import botocore_conn_provider
from botocore_conn_provider.secret import Hidden, Options, Secret

if TYPE_CHECKING:
    from types import FrameType, TracebackType

OURS = os.path.dirname(botocore_conn_provider.__file__) + os.sep  # noqa: PTH120
TESTS = os.path.dirname(__file__) + os.sep  # noqa: PTH120
LEVELS = 3
MASKED = (Secret, Hidden, Options)
SIMPLE = (bool, int, float, complex, type(None), type)


class Shown(NamedTuple):
    """A text that a tool shows, and where."""

    place: str
    text: str


def list_shown(error: BaseException) -> Iterator[Shown]:
    """Yield all that is shown of `error` and of the errors behind it.

    Of the error itself, the frames from the first of ours on count: those before it are
    the user's and his libraries'. Of the errors behind it all count, but for the tests'.
    """
    kind = type(error).__name__
    for each in list_chain(error):
        name = kind if each is error else f"the {type(each).__name__} behind a {kind}"
        yield Shown(f"{name}: its text", f"{each}\n{each!r}")
        for value in (each.args, vars(each)):
            for text in show(value, LEVELS):
                yield Shown(f"{name}: its attributes", text)
        frames = list(list_frames(each.__traceback__))
        for frame in frames if each is not error else _from_ours(frames):
            yield from _show_locals(frame, name)


def list_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and each cause and context, also those that are suppressed."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        each = left.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            left += [each.__cause__, each.__context__]


def list_frames(traceback: TracebackType | None) -> Iterator[FrameType]:
    """Yield the frames of a traceback, the outermost first."""
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def _from_ours(frames: Sequence[FrameType]) -> Iterator[FrameType]:
    began = False
    for frame in frames:
        began = began or frame.f_code.co_filename.startswith(OURS)
        if began:
            yield frame


def _show_locals(frame: FrameType, name: str) -> Iterator[Shown]:
    file = frame.f_code.co_filename
    if file.startswith(TESTS):
        return
    where = f"{os.path.basename(file)}, {frame.f_code.co_name}"  # noqa: PTH119
    for local, value in dict(frame.f_locals).items():
        for text in show(value, LEVELS):
            yield Shown(f"{name}: the local '{local}' of {where}", text)


def show(value: object, levels: int) -> Iterator[str]:
    """Yield the texts that a tool makes of a value, so many levels deep."""
    if isinstance(value, SIMPLE):
        return
    if isinstance(value, (bytes, bytearray)):
        yield value.decode("latin-1")
        return
    yield _repr(value)
    if levels > 0:
        for part in _open(value):
            yield from show(part, levels - 1)


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - half-made objects have none
        return f"({type(error).__name__})"


def _open(value: object) -> Iterator[object]:
    if isinstance(value, (str, *MASKED, BaseException)):
        return
    if isinstance(value, Mapping):
        for name, part in list(value.items()):
            yield from (name, part)
    elif isinstance(value, (Sequence, AbstractSet)):
        yield from list(value)
    elif _is_ours(type(value)):
        yield from getattr(value, "__dict__", {}).values()
        for name in getattr(type(value), "__slots__", ()):
            yield getattr(value, name, None)


def _is_ours(kind: type) -> bool:
    """Return whether all that an object consists of is ours: sessions are botocore's."""
    package = botocore_conn_provider.__name__
    foreign = {each for each in kind.__mro__ if not each.__module__.startswith(package)}
    return foreign <= {object, Generic, Protocol} and kind is not object
