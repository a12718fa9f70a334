"""How long, and how often, a client of STS tries when it fetches credentials."""

from __future__ import annotations

from typing import Any

# botocore's default is 60 s: too long for a caller that has no credentials yet.
CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 8
# The exchange's caller repeats it, and bounds how often STS is asked. So what
# `config_kwargs` says of retries is for the services.
ONCE: Any = {"mode": "standard", "total_max_attempts": 1}


def bound_sts(options: dict[str, Any]) -> dict[str, Any]:
    """Return options of a Config, with our timeouts where they say none."""
    return {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "read_timeout": READ_TIMEOUT_SECONDS,
        **options,
        "retries": ONCE,
    }
