"""Let errors leave our code with what they say, and without the values it worked with.

Tools that report errors show the locals of every frame of a traceback, and those of the
errors behind it, also where `from None` hides them from a terminal. A value that lives
for long is a `Secret`; but a connection's text has to be parsed and an assertion has to
be sent, and then it stands in a frame of ours, or of a library. So the functions where
secrets come in are `scrubbed`: the traceback keeps its files and lines, and its frames
lose their locals.
"""

from __future__ import annotations

import functools
import sys
import traceback
from typing import TYPE_CHECKING

from botocore_conn_provider.errors import ConnProviderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")


def scrubbed(work: Callable[P, T]) -> Callable[P, T]:
    """Return `work`, whose errors leave without the locals of any frame below here."""

    @functools.wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        handled = sys.exc_info()[1]
        try:
            return work(*args, **kwargs)
        except BaseException as error:
            scrub(error, handled)
            raise
        finally:
            del args, kwargs, handled  # this frame is one of those that are shown

    return run


def scrub(error: BaseException, handled: BaseException | None) -> None:
    """Empty the frames of an error, and forget what an error of ours was made from.

    Ours say all that may be known; what led to them may quote a request or an answer.
    Frames that still run are left alone.

    Args:
        error: It has left, or is about to leave, the frames of its traceback.
        handled: What the caller was handling when he called: that is his.
    """
    clear_frames(error, handled)
    if isinstance(error, ConnProviderError) and error is not handled:
        is_hidden = error.__suppress_context__ and handled is None
        error.__cause__, error.__context__ = None, handled
        error.__suppress_context__ = is_hidden


def clear_frames(error: BaseException, handled: BaseException | None = None) -> None:
    """Empty the frames that an error passed, and those of the errors behind it.

    Args:
        error: Where to begin.
        handled: Where to stop; its own frames stay.
    """
    for each in _list_chain(error, handled):
        traceback.clear_frames(each.__traceback__)


def _list_chain(
    error: BaseException, handled: BaseException | None
) -> Iterator[BaseException]:
    seen = {id(handled)}  # by identity: an error may not be hashable
    left: list[BaseException | None] = [error]
    while left:
        each = left.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            left += [each.__cause__, each.__context__]
