"""Look at all that stands beside a connection: gather the facts, and judge them.

What judges is a function of the facts, in a file for each concern.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError
from botocore.utils import resolve_imds_endpoint_mode

from botocore_conn_provider.cli.engine_table import ENGINES, PythonEngine
from botocore_conn_provider.cli.installed_packages import (
    list_requiring,
    read_installed,
)
from botocore_conn_provider.cli.neighbours import frozen_keys, sdk_versions
from botocore_conn_provider.cli.neighbours.aws_login import LoginSupport, find_login
from botocore_conn_provider.cli.neighbours.fsspec_keys import find_fsspec_keys
from botocore_conn_provider.cli.neighbours.machine_role import DEFAULT, is_asked
from botocore_conn_provider.cli.neighbours.proxy_exceptions import (
    find_endpoint_by_proxy,
    find_metadata_by_proxy,
)
from botocore_conn_provider.cli.neighbours.unreached_engines import (
    needs_a_way,
    tell_unreached,
)
from botocore_conn_provider.connection.environment import current_environment
from botocore_conn_provider.exchange.machine_sources import INSTANCE_HOST
from botocore_conn_provider.secret import Options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore_conn_provider.cli.installed_packages import Installed
    from botocore_conn_provider.cli.neighbours.neighbour import Neighbour
    from botocore_conn_provider.connection.environment import Environ, Snapshot
    from botocore_conn_provider.connection.settings import AwsSettings
    from botocore_conn_provider.exchange.profile_flow import Profiles
    from botocore_conn_provider.exchange.unfitted_session import UnfittedSession

CRT = "awscrt"
# They bring awscrt with an extra, and sign with the connection all the same.
BRING_CRT = {"botocore", "botocore-conn-provider", "awscli"}
NAMES = {CRT, *sdk_versions.NAMES, *frozen_keys.NAMES}
BEFORE_PROFILES = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE")
INSTANCE_HOST_V6 = "http://[fd00:ec2::254]"


def find_neighbours(
    settings: AwsSettings, base: UnfittedSession, snapshot: Snapshot
) -> list[Neighbour]:
    """Return what should be known, the most urgent first. Imports and asks nothing.

    Args:
        settings: The connection's.
        base: The session of its base identity, for AWS's files as it reads them.
        snapshot: The environment of which both were made.
    """
    live = Options(current_environment())
    installed = read_installed(NAMES)
    return [
        *_look_at_source(settings, base, snapshot.environ, crt=installed.get(CRT)),
        *sdk_versions.find_broken_pairs(installed),
        *find_endpoint_by_proxy(live),
        *_look_at_engines(settings, live),
        *frozen_keys.find_freezers(
            installed, settings, fsspec_places=find_fsspec_keys(snapshot)
        ),
    ]


def _look_at_source(
    settings: AwsSettings,
    base: UnfittedSession,
    environ: Environ,
    *,
    crt: Installed | None,
) -> Iterator[Neighbour]:
    """Look at what the connection starts from, if that is a profile or the machine."""
    if settings.profile_name is None and not settings.starts_from_chain:
        return
    try:
        profiles: Profiles = base.full_config.get("profiles", {})
    except BotoCoreError:  # a broken file, of which the next steps tell
        return
    begun = base.get_config_variable("profile") or DEFAULT
    # Some variables come before a profile that the connection does not name.
    if settings.profile_name is not None or not any(map(environ.get, BEFORE_PROFILES)):
        support = LoginSupport.look(None if crt is None else crt.version or "")
        yield from find_login(profiles, begun, support, environ=environ)
    if is_asked(settings, profiles, begun, environ=environ):
        # botocore goes by the proxies of the process there.
        live = Options(current_environment())
        yield from find_metadata_by_proxy(live, _find_metadata_url(base))


def _find_metadata_url(base: UnfittedSession) -> str:
    """Return where the metadata service is; empty if botocore asks none."""
    named = base.get_config_variable("ec2_metadata_service_endpoint")
    if named:
        return str(named)
    try:
        is_v6 = resolve_imds_endpoint_mode(base) == "ipv6"
    except BotoCoreError:  # a mode that is none, of which the next steps tell
        return ""
    return INSTANCE_HOST_V6 if is_v6 else INSTANCE_HOST


def _look_at_engines(settings: AwsSettings, live: Environ) -> Iterator[Neighbour]:
    """Look at each engine that is here, if the connection does not reach it now."""
    if not needs_a_way(settings, live):
        return
    for engine in ENGINES:
        if not isinstance(engine, PythonEngine) or not engine.advice:
            continue
        found = engine.find(live)
        if found is None:
            continue
        if engine.module == CRT and BRING_CRT.issuperset(list_requiring(CRT)):
            continue
        yield tell_unreached(engine, found.version)
