"""What clients get in effect: region, endpoints, proxies, verify, windows, store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore_conn_provider.redaction import show_origin
from botocore_conn_provider.renewal.schedule import RenewalPolicy, plan_windows
from botocore_conn_provider.renewal.store.directory import UnsafeStoreError
from botocore_conn_provider.renewal.store.places import locate_store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore_conn_provider.connection.environment import Environ, Snapshot
    from botocore_conn_provider.connection.record import Connection
    from botocore_conn_provider.connection.settings import (
        AwsSettings,
        ClientSettings,
        OwnSettings,
    )
    from botocore_conn_provider.exchange.unfitted_session import UnfittedSession

USUAL_LIFETIME_SECONDS = 3600
PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY")


def describe_effects(
    connection: Connection, snapshot: Snapshot, base: UnfittedSession
) -> dict[str, Any]:
    """Return what is in effect unless the program says otherwise."""
    settings, environ = connection.settings, snapshot.environ
    return {
        "identity": _describe_identity(settings, environ, base),
        "region": _describe_region(connection, environ, base),
        "endpoints": _describe_endpoints(settings.client, environ),
        "proxies": _describe_proxies(settings.client, environ),
        "verify": _describe_verify(settings.client, environ),
        "config": sorted(settings.client.config),
        "renewal": _describe_windows(settings.own),
        "store": _describe_store(settings.own, snapshot),
        "plugins": settings.own.plugins,
        "strict": settings.own.strict,
    }


def _describe_identity(
    settings: AwsSettings, environ: Environ, base: UnfittedSession
) -> dict[str, str]:
    """Return what a session made now resolves its base identity from."""
    if settings.keys is not None:
        return {"base identity": "keys of the connection"}
    if not settings.starts_from_chain and settings.profile_name is None:
        return {"base identity": "none: the exchange is not signed"}
    ask = base.get_config_variable
    if settings.profile_name is None and environ.get("AWS_ACCESS_KEY_ID"):
        temporary = " AWS_SESSION_TOKEN: temporary, and a session keeps what they were"
        return {
            "base identity": "botocore's chain",
            "keys": "AWS_ACCESS_KEY_ID of the environment"
            + (f", with{temporary}" if environ.get("AWS_SESSION_TOKEN") else ""),
        }
    return {
        "base identity": "a profile" if settings.profile_name else "botocore's chain",
        "profile": ask("profile") or "default",
        "configuration file": str(ask("config_file")),
        "credentials file": str(ask("credentials_file")),
    }


def _describe_region(
    connection: Connection, environ: Environ, base: UnfittedSession
) -> str:
    region = connection.settings.client.region_name
    if region is not None:
        return f"{region} (from the connection)"
    found = base.get_config_variable("region")
    if found is None:
        return "none: give one in 'region_name', AWS_DEFAULT_REGION or the program"
    named = environ.get("AWS_DEFAULT_REGION")
    return f"{found} (from {'AWS_DEFAULT_REGION' if named else 'the profile'})"


def _describe_endpoints(client: ClientSettings, environ: Environ) -> dict[str, str]:
    services = {
        name: show_origin(url) if url else "AWS's own"
        for name, url in client.service_endpoints.items()
    }
    exchange = client.service_endpoints.get("sts") or _first(
        environ, ("AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL")
    )
    return {
        "every service": show_origin(client.endpoint_url)
        if client.endpoint_url
        else _show_origin(environ.get("AWS_ENDPOINT_URL")),
        **services,
        "sts, for the exchange": _show_origin(exchange),
    }


def _show_origin(url: str | None) -> str:
    return show_origin(url) if url else "AWS's own"


def _first(environ: Environ, names: tuple[str, ...]) -> str | None:
    return next((environ[name] for name in names if environ.get(name)), None)


def _describe_proxies(client: ClientSettings, environ: Environ) -> dict[str, str]:
    """Return them by scheme; `proxies: {}` in the connection switches them off."""
    proxies: Mapping[str, str] | None = client.config.get("proxies")
    if proxies is not None:
        shown = {scheme: show_origin(url) for scheme, url in proxies.items()}
        return shown or {"none": "the connection switches them off"}
    shown = {
        name: environ[name] if name == "NO_PROXY" else show_origin(environ[name])
        for name in PROXY_VARIABLES
        if environ.get(name)
    }
    return shown or {"none": "neither the connection nor the environment names one"}


def _describe_verify(client: ClientSettings, environ: Environ) -> str:
    if client.verify is not None:
        return f"{client.verify} (from the connection)"
    bundle = environ.get("AWS_CA_BUNDLE")
    return f"{bundle} (from AWS_CA_BUNDLE)" if bundle else "the system's CAs"


def _describe_windows(own: OwnSettings) -> dict[str, str]:
    windows = plan_windows(USUAL_LIFETIME_SECONDS, RenewalPolicy.from_settings(own))
    return {
        "for credentials of an hour": f"renewed in the background"
        f" {windows.advisory_seconds / 60:g} min before expiry, callers wait"
        f" {windows.mandatory_seconds:g} s before it",
        "deadline of a sign-in": f"{own.sign_in_deadline_seconds:g} s",
        "served past expiry": f"{own.static_stability_seconds:g} s",
    }


def _describe_store(own: OwnSettings, snapshot: Snapshot) -> str:
    try:
        path = locate_store(own.store or "", snapshot)
    except UnsafeStoreError as error:
        return f"not used: {error}"
    if path is not None:
        return f"on, {path}"
    asked = "" if own.store else " (on for credential-process, unless it says off)"
    return f"off{asked}"
