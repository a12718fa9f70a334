"""Keep an endpoint's token in a file that only this user can read.

Either in a directory of our own, which goes with the endpoint, or at a path that the
user names. That file stays: programs that were told of its token go on after a restart.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat

from botocore_conn_provider.connection.environment import current_environment
from botocore_conn_provider.secret import Secret

TOKEN_BYTES = 32
TOKEN = rb"[0-9a-f]{64}"
SOMETHING_ELSE = (
    "it holds something that is no token of this command, and is left as it is."
    " Name another file, or remove it"
)


class TokenPlaceError(OSError):
    """There is something at the named path that must not be replaced."""


class TokenPlace:
    """A file with the token of an endpoint.

    Attributes:
        path: Of the file.
        token: What it holds, without a newline.
        is_replaced: Whether another user may have known the token that was there.
    """

    def __init__(
        self,
        path: str,
        token: Secret,
        *,
        directory: str | None = None,
        is_replaced: bool = False,
    ) -> None:
        self.path = path
        self.token = token
        self.is_replaced = is_replaced
        self._directory = directory

    def remove(self) -> None:
        """Remove the file, if nobody has named it."""
        if self._directory is None:
            return
        with contextlib.suppress(OSError):
            os.unlink(self.path)  # noqa: PTH108 - pathlib is slow to load
        with contextlib.suppress(OSError):
            os.rmdir(self._directory)  # noqa: PTH106


def make_token_file() -> TokenPlace:
    """Write a new token into a directory of our own.

    Raises:
        OSError: It cannot be made.
    """
    directory = _make_directory()
    made = TokenPlace(
        os.path.join(directory, "token"),  # noqa: PTH118
        draw_token(),
        directory=directory,
    )
    try:
        write_at_once(made.path, made.token.reveal(), 0o600)
    except BaseException:
        made.remove()
        raise
    return made


def open_token_file(path: str) -> TokenPlace:
    """Return the token at a path; where there is none, write a new one.

    A token that another user may know is replaced.

    Raises:
        TokenPlaceError: There is something else, which is left as it is.
        OSError: The file cannot be read or written.
    """
    found = _read_token(path)
    if found is not None and _is_private(found[1]):
        return TokenPlace(path, found[0])
    made = TokenPlace(path, draw_token(), is_replaced=found is not None)
    write_at_once(path, made.token.reveal(), 0o600)
    return made


def draw(count: int) -> str:
    """Return random text that nobody can guess, of `count` bytes from the system."""
    return os.urandom(count).hex()


def draw_token() -> Secret:
    """Return a new token."""
    return Secret(draw(TOKEN_BYTES))


def write_at_once(path: str, text: str, mode: int) -> None:
    """Write a file so that no reader finds half of it.

    A file that is there is replaced: its owner and mode may be anyone's.

    Raises:
        OSError: It cannot be written. What was there is there still.
    """
    new = f"{path}.{draw(4)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(new, flags, mode)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        os.replace(new, path)  # noqa: PTH105
    except BaseException:
        os.unlink(new)  # noqa: PTH108 - pathlib is slow to load
        raise


def _read_token(path: str) -> tuple[Secret, os.stat_result] | None:
    """Return the token and whose it is; None where there is no file, or an empty one."""
    # A link may lead anywhere; a pipe would wait for its writer.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise TokenPlaceError(errno.ELOOP, "it is a symbolic link") from None
        raise
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise TokenPlaceError(errno.EINVAL, "it is no file")
        content = os.read(descriptor, 2 * TOKEN_BYTES + 1)
    finally:
        os.close(descriptor)
    if not content:
        return None
    if re.fullmatch(TOKEN, content) is None:
        raise TokenPlaceError(errno.EEXIST, SOMETHING_ELSE)
    return Secret(content.decode()), found


def _is_private(found: os.stat_result) -> bool:
    """Return whether nobody but this user can have read the file."""
    if os.name != "posix":
        return True
    is_ours = found.st_uid == os.geteuid()
    return is_ours and not stat.S_IMODE(found.st_mode) & 0o077


def _make_directory() -> str:
    """Make a directory that no other user can look into."""
    place = current_environment().get("TMPDIR") or "/tmp"  # noqa: S108 - a new one in it
    # Absolute, for programs that work in another directory.
    path = os.path.abspath(f"{place}/botocore-conn-{draw(8)}")  # noqa: PTH100
    try:
        os.mkdir(path, 0o700)  # noqa: PTH102
    except OSError:
        # Imported here: it knows more places, and takes longer to load.
        import tempfile

        return tempfile.mkdtemp(prefix="botocore-conn-")
    return path
