"""Arm this process, so that its first botocore session installs the provider.

The hook waits for the import of `botocore.session`. Every new session, aiobotocore's
too, calls the initializers that are registered in `botocore`, so ours costs nothing until a session is
made, and nothing of botocore is replaced. This module imports `os` and `sys` only; see
`__init__`.
"""

import os
import sys

TYPE_CHECKING = False  # importing typing takes longer than this whole module
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from botocore.session import Session

WATCHED, SESSIONS = "botocore", "botocore.session"
# Those that find AWS credentials by themselves, by the names that programs import.
ENGINES = frozenset(
    (
        "awscrt",
        "daft",
        "datafusion",
        "deltalake",
        "duckdb",
        "icechunk",
        "lance",
        "lancedb",
        "obstore",
        "polars",
        "pyarrow",
        "pyspark",
        "rasterio",
        "s3torchconnector",
        "s3torchconnectorclient",
        "snowflake",
        "tensorstore",
    )
)
IMPORTED_BY_BOTOCORE = "awscrt"


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
    said = os.environ.get("BOTOCORE_CONN_ENGINES", "").strip().lower()
    if said not in ("", "0", "off", "false", "no"):
        sys.meta_path.insert(0, EngineWatch())
    if SESSIONS in sys.modules:
        # Sessions may exist already: install at once, which reaches those too. Imported
        # here, like below, because `hook` loads at every start.
        from botocore_conn_provider.sessions.installation import install_at_start

        install_at_start()


class BotocoreWatch:
    """A finder that finds nothing, and so learns what is about to be imported.

    Before `botocore.session` is looked for, `botocore` itself is loaded, by whichever
    loader: that is the moment to register our initializer, before there is a session.
    Loaders, sources and the import hooks of others are left alone. The finder stays
    after that, because reloading botocore drops its initializers.
    """

    def find_spec(
        self,
        name: str,
        path: "Sequence[str] | None" = None,
        target: "ModuleType | None" = None,
    ) -> "ModuleSpec | None":
        """Return None, so that the others find it; see `Reloading` for a reload."""
        if name == SESSIONS and WATCHED in sys.modules:
            _watch_first_session(sys.modules[WATCHED])
        if name == WATCHED and target is not None:
            return self._find_again(path, target)
        return None

    def _find_again(
        self, path: "Sequence[str] | None", target: "ModuleType"
    ) -> "ModuleSpec | None":
        """Return what the other finders find for botocore, with a step after it."""
        for finder in list(sys.meta_path):
            find_spec = getattr(finder, "find_spec", None)
            if finder is self or find_spec is None:
                continue
            spec: ModuleSpec | None = find_spec(WATCHED, path, target)
            if spec is not None:
                if spec.loader is not None and hasattr(spec.loader, "exec_module"):
                    spec.loader = Reloading(spec.loader)  # type: ignore[assignment]
                return spec
        return None


class EngineWatch:
    """A finder that finds nothing, and learns that the first engine is imported.

    It stays, because to leave the list that is being gone through would skip another.
    """

    def __init__(self) -> None:
        self._waits = True

    def find_spec(
        self,
        name: str,
        path: "Sequence[str] | None" = None,  # noqa: ARG002 - of the protocol
        target: "ModuleType | None" = None,  # noqa: ARG002 - of the protocol
    ) -> None:
        """Change the environment before the engine can read it.

        A wrong connection raises nothing here: the engine is refused, with the error.
        """
        if name not in ENGINES or not self._waits:
            return
        # Imported here so that processes without an engine do not load it.
        from botocore_conn_provider.sessions.installation import reach_engines_at_start

        may_load_hosts = name != IMPORTED_BY_BOTOCORE
        # Afterwards: the engine after an error does not go on as the machine. Python
        # lets no other thread look for a module meanwhile.
        self._waits = not reach_engines_at_start(may_load_hosts=may_load_hosts)


class Reloading:
    """A loader that loads botocore again by another loader, which then is its loader.

    `botocore.session` may be loaded already and is then not looked for again, so the
    initializer is registered at the end of loading.
    """

    def __init__(self, loader: "Loader") -> None:
        self._loader = loader

    def exec_module(self, module: "ModuleType") -> None:
        """Execute botocore's code, and register our initializer again."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _watch_first_session(module)


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
    # The first session may be a thread's, and imports what must not be forked amid.
    import botocore_conn_provider.unfinished_imports  # noqa: F401 - a fork hook


def fit_first_session(session: "Session") -> None:
    """Install the provider, and fit the session that is being made.

    Errors are raised, because without them another identity would be used silently.
    """
    # Imported here so that processes without a session do not load it.
    from botocore_conn_provider.sessions.installation import fit_at_start

    fit_at_start(session)
