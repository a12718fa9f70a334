"""Import the one library that a bridge is for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from botocore_conn_provider.errors import MissingDependencyError

if TYPE_CHECKING:
    from typing import Any


def import_library(module: str, *, conn_id: str, install: str | None = None) -> Any:
    """Return a library's module.

    Args:
        module: Its name, with the submodule that is used.
        conn_id: For the error.
        install: What pip is told, where that is not the module's first name.

    Raises:
        MissingDependencyError: It is not installed.
    """
    package = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # the library is there, and lacks one of its own
        raise MissingDependencyError(
            conn_id=conn_id,
            cause=f"the bridge to {package} needs {error.name}.",
            hint=f"Run pip install {install or package}.",
        ) from None
