"""Choose the site directory that activation writes to, and check it."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from pathlib import Path

from botocore_conn_provider.redaction import show_system_error


class ActivationError(Exception):
    """Activation is not possible; the text says why and what to do instead."""


def choose_directory(*, user: bool, given: Path | None) -> Path:
    """Return the site directory to write to.

    That is `given`, else the user's if `user` is true or this is not a virtual
    environment, else the virtual environment's.

    Raises:
        ActivationError: `site` would not read files there, or they cannot be
            written.
    """
    if given is not None:
        directory = given.expanduser().absolute()
        _require_read_by_site(directory)
    elif user or sys.prefix == sys.base_prefix:
        directory = _require_user_site()
    else:
        directory = Path(sysconfig.get_path("purelib"))
    return directory


def require_writable(directory: Path) -> None:
    """Make `directory` if it is missing, and check that files can be written to it.

    Raises:
        ActivationError: It cannot be made, or cannot be written to.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ActivationError(
            f"{directory} cannot be made: {show_system_error(error)}."
        ) from error
    if not os.access(directory, os.W_OK):
        raise ActivationError(
            f"{directory} cannot be written to by this user. Choose another with"
            " --user or --site, or put the autoload directory on PYTHONPATH."
        )


def list_directories() -> list[Path]:
    """Return the directories whose `.pth` files this interpreter's `site` reads."""
    names = [*site.getsitepackages()]
    if site.ENABLE_USER_SITE:
        names.append(site.getusersitepackages())
    return [Path(name) for name in names]


def _require_read_by_site(directory: Path) -> None:
    known = list_directories()
    if any(_is_same(directory, one) for one in known):
        return
    listed = ", ".join(str(one) for one in known)
    raise ActivationError(
        f"{directory} is not a site directory of {sys.executable}, which would not"
        f" read files there at start. Its site directories are: {listed}."
    )


def _require_user_site() -> Path:
    if not site.ENABLE_USER_SITE:
        raise ActivationError(
            "This interpreter does not read a user site directory (a virtual"
            " environment without system packages, -s, -I or PYTHONNOUSERSITE). Leave"
            " out --user, or name a site directory with --site."
        )
    return Path(site.getusersitepackages())


def _is_same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
