"""Read what clients get from the connection: region, Config, endpoints, verify.

Source: docs/specification.md, sections 2.8 to 2.10;
options from botocore's documentation of `Config`.
"""

from __future__ import annotations

import re
from typing import Any

from botocore_conn_provider.connection.field_reader import FieldReader, is_number
from botocore_conn_provider.connection.settings import ClientSettings
from botocore_conn_provider.redaction import describe_value
from botocore_conn_provider.secret import Options

# A region becomes a label of a host name; botocore checks the same.
REGION = r"(?!\d+$)(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
REGION_FIX = "Write it like eu-central-1."

FLAGS = (
    "parameter_validation",
    "s3_disable_express_session_auth",
    "inject_host_prefix",
    "endpoint_discovery_enabled",
    "use_dualstack_endpoint",
    "use_fips_endpoint",
    "ignore_configured_endpoint_urls",
    "tcp_keepalive",
    "disable_request_compression",
)
NUMBERS = (
    "connect_timeout",
    "read_timeout",
    "max_pool_connections",
    "request_min_compression_size_bytes",
)
OBJECTS = ("proxies", "proxies_config", "s3", "retries", "client_context_params")
TEXTS = (
    "signature_version",
    "user_agent",
    "user_agent_extra",
    "user_agent_appid",
    "defaults_mode",
    "sigv4a_signing_region_set",
    "request_checksum_calculation",
    "response_checksum_validation",
    "account_id_endpoint_mode",
    "auth_scheme_preference",
)


def read_client_settings(extra: FieldReader, session: FieldReader) -> ClientSettings:
    """Read all client settings; each field has its own order of precedence."""
    config = extra.object("config_kwargs")
    regions = [
        _read_region(config) if config else None,
        _read_region(extra),
        _read_region(session),
    ]
    return ClientSettings(
        region_name=next(filter(None, regions), None),
        config=_read_config(config) if config else Options(),
        endpoint_url=_read_endpoint(extra),
        service_endpoints=_read_service_endpoints(extra),
        verify=_read_verify(extra),
    )


def is_unsigned(config: Options) -> bool:
    """Return whether the connection's service calls are not signed."""
    return str(config.get("signature_version", "")).lower() == "unsigned"


def _read_region(reader: FieldReader) -> str | None:
    region = reader.text("region_name", fix=REGION_FIX)
    if region is None or re.fullmatch(REGION, region):
        return region
    reader.refuse("region_name", f"{describe_value(region)}, not a region", REGION_FIX)
    return None


def _read_config(config: FieldReader) -> Options:
    """Read the options by type.

    An option that is unknown here is left to the installed botocore, which may
    be newer than this list.
    """
    values: dict[str, Any] = {}
    for name in FLAGS:
        values[name] = config.flag(name)
    for name in NUMBERS:
        values[name] = _whole(config.number(name))
    for name in TEXTS:
        values[name] = config.text(name)
    for name in OBJECTS:
        values[name] = _read_object(config, name)
    values["client_cert"] = _read_client_cert(config)
    for name, _ in config.left_over():
        values[name] = config.peek(name)
    config.names()
    return Options({name: each for name, each in values.items() if each is not None})


def _whole(number: float | None) -> float | None:
    """Return 5 for 5.0, because botocore's connection pool needs an integer."""
    return int(number) if number is not None and number == int(number) else number


def _read_object(config: FieldReader, name: str) -> dict[str, Any] | None:
    reader = config.object(name)
    if reader is None:
        return None
    values = {each: reader.peek(each) for each in reader.names()}
    values = {each: value for each, value in values.items() if value is not None}
    for each, value in values.items():
        if name == "proxies" and not isinstance(value, str):
            reader.refuse(each, describe_value(value), "Write the proxy's address.")
        if name == "retries" and each != "mode" and not is_number(value):
            reader.refuse(each, describe_value(value), "Write a whole number.")
    return values


def _read_client_cert(config: FieldReader) -> str | tuple[str, str] | None:
    value = config.raw("client_cert")
    if isinstance(value, list) and [type(each) for each in value] == [str, str]:
        return value[0], value[1]
    if value is None or (isinstance(value, str) and value):
        return value
    config.refuse(
        "client_cert", describe_value(value), 'Write a path, or ["certificate", "key"].'
    )
    return None


def _read_endpoint(extra: FieldReader) -> str | None:
    endpoint = extra.url("endpoint_url")
    if not extra.has("host"):
        return endpoint
    extra.findings.notices.append("'host' is deprecated: write 'endpoint_url'.")
    old = extra.url("host")
    return endpoint or old


def _read_service_endpoints(extra: FieldReader) -> Options:
    services = extra.object("service_config")
    if services is None:
        return Options()
    endpoints: dict[str, str | None] = {}
    for name in services.names():
        service = services.object(name)
        if service is None:
            continue
        if service.has("endpoint_url") or service.is_null("endpoint_url"):
            null = service.is_null("endpoint_url")
            endpoints[name] = None if null else service.url("endpoint_url")
    return Options(endpoints)


def _read_verify(extra: FieldReader) -> bool | str | None:
    value = extra.raw("verify")
    if value is None or isinstance(value, bool) or (isinstance(value, str) and value):
        return value
    extra.refuse(
        "verify",
        describe_value(value),
        "Write true, false, or the path of a file with CA certificates.",
    )
    return None
