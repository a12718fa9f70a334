"""Arm this process: its first botocore session will install us.

One module is watched for: `botocore`. All sessions, aiobotocore's too, call the
initializers registered there when they are born, so ours costs nothing until one
is, and nothing of botocore's is replaced. `os` and `sys` only; see `__init__`.
"""

import os
import sys

TYPE_CHECKING = False  # typing costs more than all of this
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from botocore.session import Session

WATCHED = "botocore"


def arm() -> None:
    """Watch for botocore, if a connection is in the environment and not disabled.

    Never raises and never prints, whatever the environment holds: it runs where
    it cannot be caught. Calling it again has no effect. What is wrong with the connection is said by
    the first client.
    """
    try:
        if is_wanted() and not is_armed():
            _arm()
    except Exception:  # noqa: BLE001, S110 - a start-up hook must not break the start
        pass


def is_wanted() -> bool:
    """Return whether a connection is named or given, and not switched off.

    The names are those of `connection.environment`, which loads too much for here;
    a test compares them.
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
        # Too late for the first session: older ones are reached as install() does.
        from botocore_conn_provider.sessions.installation import install_at_start

        install_at_start()
    elif WATCHED in sys.modules:
        import botocore  # waits for another thread that is importing it

        _watch_first_session(botocore)


class BotocoreWatch:
    """A finder that finds nothing itself: it adds a step to what others find.

    The loader stays the one that was found, so that sources, resources, reloading
    and lazy loading work as ever. It stays in place after the first import, since
    a reloaded botocore has forgotten its initializers.
    """

    def find_spec(
        self,
        name: str,
        path: "Sequence[str] | None" = None,
        target: "ModuleType | None" = None,
    ) -> "ModuleSpec | None":
        """Return what the other finders find for botocore; None for all else."""
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
    """Let `loader` register us after it has run botocore.

    On the instance: it loads this module only, but for an archive's, which loads
    all that is in the archive.
    """
    run = loader.exec_module  # type: ignore[attr-defined]

    def exec_module(module: "ModuleType") -> None:
        run(module)
        if module.__name__ == WATCHED:
            _watch_first_session(module)

    loader.exec_module = exec_module  # type: ignore[attr-defined]


def _watch_first_session(botocore: "ModuleType") -> None:
    """Register `fit_first_session`, once."""
    register = getattr(botocore, "register_initializer", None)
    if register is None:  # not the botocore that we know, or half imported
        return
    try:  # noqa: SIM105 - contextlib is not loaded yet
        botocore.unregister_initializer(fit_first_session)
    except ValueError:  # it was not registered
        pass
    register(fit_first_session)


def fit_first_session(session: "Session") -> None:
    """Install, and fit the session that is being born.

    Raises what it meets: from here on silence would mean another identity.
    """
    from botocore_conn_provider.sessions.installation import fit_at_start

    fit_at_start(session)
