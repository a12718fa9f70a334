"""Arm this process, so that its first botocore session installs the provider.

The hook waits for the import of `botocore`. Every new session, aiobotocore's too, calls
the initializers that are registered there, so ours costs nothing until a session is
made, and nothing of botocore is replaced. This module imports `os` and `sys` only; see
`__init__`.
"""

import os
import sys

TYPE_CHECKING = False  # importing typing takes longer than this whole module
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from botocore.session import Session

WATCHED = "botocore"


def arm() -> None:
    """Watch for botocore, if a connection is in the environment and not disabled.

    Never raises and never prints, whatever is in the environment, because no program
    could catch it. Calling it again has no effect. If the connection is wrong, the
    first client raises the error.
    """
    try:
        if is_wanted() and not is_armed():
            _arm()
    except Exception:  # noqa: BLE001, S110 - a start-up hook must not break the start
        pass


def is_wanted() -> bool:
    """Return whether a connection is named or given, and not disabled.

    The names are those of `connection.environment`, which would load too many modules
    here; a test compares them.
    """
    if os.environ.get("BOTOCORE_CONN_DISABLE", "") not in ("", "0"):
        return False
    if os.environ.get("BOTOCORE_CONN_ID", "").strip():
        return True
    return bool(os.environ.get("AIRFLOW_CONN_AWS_DEFAULT", "").strip())


def is_armed() -> bool:
    """Return whether this process watches for botocore."""
    return any(type(finder) is BotocoreWatch for finder in sys.meta_path)


def _arm() -> None:
    sys.meta_path.insert(0, BotocoreWatch())
    if "botocore.session" in sys.modules:
        # Sessions may exist already: install at once, which reaches those too. Imported
        # here, like below, because `hook` loads at every start.
        from botocore_conn_provider.sessions.installation import install_at_start

        install_at_start()
    elif WATCHED in sys.modules:
        # Imported here to wait for a thread that is importing botocore just now.
        import botocore

        _watch_first_session(botocore)


class BotocoreWatch:
    """A finder that lets the others find botocore, and adds a step to its loading.

    The loader is the one that the others found, so that sources, resources, reloading
    and lazy loading work as without it. The finder stays after the first import,
    because reloading botocore drops its initializers.
    """

    def find_spec(
        self,
        name: str,
        path: "Sequence[str] | None" = None,
        target: "ModuleType | None" = None,
    ) -> "ModuleSpec | None":
        """Return what the other finders find for botocore; None for other modules."""
        if name != WATCHED:
            return None
        spec = self._ask_others(name, path, target)
        if spec is not None and spec.loader is not None:
            _follow(spec.loader)
        return spec

    def _ask_others(
        self,
        name: str,
        path: "Sequence[str] | None",
        target: "ModuleType | None",
    ) -> "ModuleSpec | None":
        for finder in list(sys.meta_path):
            find_spec = getattr(finder, "find_spec", None)
            if finder is self or find_spec is None:
                continue
            spec: ModuleSpec | None = find_spec(name, path, target)
            if spec is not None:
                return spec
        return None


def _follow(loader: object) -> None:
    """Make `loader` register our initializer after it has executed botocore.

    `exec_module` is replaced on the instance, which loads this module only; that of an
    archive loads everything in the archive, so the name is checked.
    """
    run = loader.exec_module  # type: ignore[attr-defined]

    def exec_module(module: "ModuleType") -> None:
        run(module)
        if module.__name__ == WATCHED:
            _watch_first_session(module)

    loader.exec_module = exec_module  # type: ignore[attr-defined]


def _watch_first_session(botocore: "ModuleType") -> None:
    """Register `fit_first_session` once, even if this is called again."""
    register = getattr(botocore, "register_initializer", None)
    if register is None:  # an unknown version of botocore, or one partly imported
        return
    try:  # noqa: SIM105 - contextlib is not loaded yet
        botocore.unregister_initializer(fit_first_session)
    except ValueError:  # it was not registered
        pass
    register(fit_first_session)


def fit_first_session(session: "Session") -> None:
    """Install the provider, and fit the session that is being made.

    Errors are raised, because without them another identity would be used silently.
    """
    # Imported here so that processes without a session do not load it.
    from botocore_conn_provider.sessions.installation import fit_at_start

    fit_at_start(session)
