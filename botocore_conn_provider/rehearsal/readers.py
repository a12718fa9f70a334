"""Note who takes credentials out of botocore's sight.

Reading credentials to sign with them at once is botocore's way and is not noted.
Whatever else reads them may keep them: the line of code is noted, once for each set.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

from botocore_conn_provider.rehearsal.code_places import OURS, find_spot, name_spot
from botocore_conn_provider.rehearsal.notes import name_set

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from botocore_conn_provider.bridges.lending import Lent
    from botocore_conn_provider.endpoint.supply import Awaited, Handed
    from botocore_conn_provider.rehearsal.code_places import Spot
    from botocore_conn_provider.rehearsal.notes import Notes

    NameTaker = Callable[[Any, FrameType], tuple[str, str] | None]

# They sign with what they read, and let go of it.
SIGNING = frozenset(
    (
        "aiobotocore.signers",
        "botocore.auth",
        "botocore.crt.auth",
        "botocore.signers",
        f"{OURS}.sessions.presigned_urls",
    )
)
PROPERTIES = ("access_key", "secret_key", "token")
AIO_READS = ("get_frozen_credentials", "get_access_key", "get_secret_key", "get_token")
BRIDGES = f"{OURS}.bridges."
IN_COMMON = ("lending", "library")
BEHIND_ENDPOINT = "an engine that asks the endpoint"


class Readers:
    """What is noted of the readers of a process.

    Thread safety: a set's single steps are atomic; a line noted twice is no harm.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._noted: set[tuple[str, str, Spot | None]] = set()
        self._replaced: list[tuple[Any, str, Any]] = []

    def watch(self, kind: type) -> None:
        """Note who reads the keys that botocore's kind of credentials holds."""
        self._replace(kind, "get_frozen_credentials", self._wrap)
        for name in PROPERTIES:
            self._replace(
                kind, name, lambda original: property(self._wrap(original.fget))
            )

    def watch_aio(self, kind: type) -> None:
        """Note who awaits the keys that aiobotocore's kind of credentials holds."""
        for name in AIO_READS:
            self._replace(kind, name, self._wrap_aio)

    def watch_results(self, place: Any, name: str, name_taker: NameTaker) -> None:
        """Note what a function of a class or module hands out, and to whom."""

        def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(original)
            def noting(*args: Any, **kwargs: Any) -> Any:
                found = original(*args, **kwargs)
                frame = sys._getframe(1)  # noqa: SLF001 - documented, for such uses
                taken = name_taker(found, frame)
                if taken is not None:
                    self._note(*taken, None)
                return found

            return noting

        self._replace(place, name, wrap)

    def _wrap(self, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
        @functools.wraps(read)
        def noting(credentials: Any) -> Any:
            found = read(credentials)
            frame = find_reader(sys._getframe(1))  # noqa: SLF001 - documented, for such uses
            if frame is not None:
                self._note_held(credentials.keeper, find_spot(frame))
            return found

        return noting

    def _wrap_aio(self, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
        @functools.wraps(read)
        def noting(credentials: Any) -> Any:
            # Now, because the callers are not on the stack of what is awaited later.
            frame = find_reader(sys._getframe(1))  # noqa: SLF001 - documented, for such uses
            if frame is None:
                return read(credentials)
            return self._read_and_note(read, credentials, find_spot(frame))

        return noting

    async def _read_and_note(
        self, read: Callable[[Any], Any], credentials: Any, spot: Spot | None
    ) -> Any:
        found = await read(credentials)
        self._note_held(credentials.keeper, spot)
        return found

    def _note_held(self, keeper: Any, spot: Spot | None) -> None:
        held = keeper.find_held()
        if held is not None:
            self._note(str(held.credentials.access_key_id), "", spot)

    def _note(self, key_id: str, by: str, spot: Spot | None) -> None:
        mark = (key_id, by, spot)
        if mark in self._noted:
            return
        self._noted.add(mark)
        place = None if spot is None else name_spot(spot)._asdict()
        name = name_set(self._notes.directory, key_id)
        self._notes.write("took", set=name, by=by, place=place)

    def _replace(self, place: Any, name: str, wrap: Callable[[Any], Any]) -> None:
        original = vars(place)[name]
        self._replaced.append((place, name, original))
        setattr(place, name, wrap(original))

    def restore(self) -> None:
        """Put the originals back."""
        for place, name, original in reversed(self._replaced):
            setattr(place, name, original)
        self._replaced.clear()


def find_reader(frame: FrameType | None) -> FrameType | None:
    """Return the frame that reads; None where it signs."""
    reading = frame
    while frame is not None:
        name: str = frame.f_globals.get("__name__") or ""
        if name in SIGNING:
            return None
        if not name.startswith(OURS):
            return reading
        frame = frame.f_back
    return reading


def name_lent(lent: Lent | None, frame: FrameType | None) -> tuple[str, str] | None:
    """Return which set a bridge was given, and the bridge as people know it."""
    while lent is not None and frame is not None:
        name: str = frame.f_globals.get("__name__") or ""
        library = name.removeprefix(BRIDGES).partition("_")[0]
        if not name.startswith(OURS):
            break
        if name.startswith(BRIDGES) and library not in IN_COMMON:
            return str(lent.access_key_id), f"the bridge to {library}"
        frame = frame.f_back
    return None if lent is None else (str(lent.access_key_id), "a bridge")


def name_handed(
    handed: Handed | Awaited,
    frame: FrameType | None,  # noqa: ARG001 - the endpoint's thread has no caller
) -> tuple[str, str] | None:
    """Return which set the endpoint handed out, and to whom."""
    keys = getattr(handed, "keys", None)
    return None if keys is None else (str(keys.access_key_id), BEHIND_ENDPOINT)
