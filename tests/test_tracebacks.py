"""An error that leaves our code shows its lines, and no value that the code worked with."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.errors import ConnProviderError
from botocore_conn_provider.tracebacks import scrubbed
from tests.tracebacks import list_chain, list_frames

if TYPE_CHECKING:
    from collections.abc import Iterator


@scrubbed
def work(text: str, error: BaseException) -> None:
    """Fail below another frame, while another error is handled."""
    _descend([text], error)


def _descend(local: object, error: BaseException) -> None:
    try:
        int(str(local))
    except ValueError:
        raise error from None


def catch(text: str, error: BaseException) -> BaseException:
    with pytest.raises(type(error)) as caught:
        work(text, error)
    return caught.value


def list_locals(error: BaseException) -> Iterator[tuple[str, object]]:
    for each in list_chain(error):
        for frame in list_frames(each.__traceback__):
            if frame.f_code.co_name in ("work", "_descend", "run"):
                yield from frame.f_locals.items()


@pytest.mark.parametrize(
    "error",
    [ConnProviderError(conn_id="c", cause="x"), KeyError("k"), KeyboardInterrupt()],
    ids=["ours", "not ours", "an interrupt"],
)
def test_frames_keep_their_lines_and_lose_their_locals(error: BaseException) -> None:
    caught = catch("sesame", error)
    shown = "".join(traceback.format_tb(caught.__traceback__))
    assert "_descend([text], error)" in shown
    assert "raise error from None" in shown
    held = {name: value for name, value in list_locals(caught) if value is not None}
    assert held.keys() <= {"work"}  # the function, in the frame around it


def test_error_of_ours_forgets_what_it_was_made_from() -> None:
    caught = catch("sesame", ConnProviderError(conn_id="c", cause="x"))
    assert (caught.__cause__, caught.__context__) == (None, None)


def test_foreign_error_keeps_what_it_was_made_from() -> None:
    assert isinstance(catch("sesame", KeyError("k")).__context__, ValueError)


def test_error_that_the_caller_handles_stays_his() -> None:
    def handle() -> BaseException:
        mine = "a local of the caller's"
        try:
            dict[str, str]()[mine]
        except KeyError:
            return catch("sesame", ConnProviderError(conn_id="c", cause="x"))
        raise AssertionError

    context = handle().__context__
    assert isinstance(context, KeyError)
    (frame,) = list_frames(context.__traceback__)
    assert frame.f_locals["mine"] == "a local of the caller's"


def test_scrubbed_function_is_the_same_to_its_callers() -> None:
    @scrubbed
    def add(one: int, *, other: int) -> int:
        """Add."""
        return one + other

    assert (add(1, other=2), add.__name__, add.__doc__) == (3, "add", "Add.")
