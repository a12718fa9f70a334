"""Write what a neighbour needs in its environment to ask an endpoint.

The token itself is not among it: a shell reads it from its file, and everything else is
told of the file.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

from botocore_conn_provider.endpoint.variables import (
    BEARER_TOKENS,
    EVERY_HOST,
    IDENTITIES,
    NO_PROXY,
    NOT_BY_PROXY,
    PROXIES,
    TOKEN,
    TOKEN_FILE,
    HandedOn,
    change_environment,
    give_endpoint,
)
from botocore_conn_provider.value import Value

if TYPE_CHECKING:
    from botocore_conn_provider.connection.environment import Environ
    from botocore_conn_provider.endpoint.endpoint import Endpoint

# A service's bearer token would answer in the place of keys.
KNOWN_BEARER_TOKEN = f"{BEARER_TOKENS}BEDROCK"


class ServedVariables(Value):
    """The variables that neighbours set, and those that they must not have."""

    given: dict[str, str]
    unset: tuple[str, ...]


def list_variables(
    endpoint: Endpoint, region_name: str | None, environ: Environ
) -> ServedVariables:
    """Return what a neighbour needs, without the token.

    Args:
        endpoint: To be asked.
        region_name: The connection's.
        environ: Of this process, for its proxies and bearer tokens.
    """
    proxies = {name: environ[name] for name in NO_PROXY if name in environ}
    given = change_environment(
        proxies, HandedOn(give_endpoint(endpoint), region_name), notes_changes=False
    )
    del given[TOKEN]
    bearers = {
        name for name in environ if re.fullmatch(rf"(?a){BEARER_TOKENS}\w+", name)
    }
    named = [*IDENTITIES, *sorted({KNOWN_BEARER_TOKEN, *bearers})]
    return ServedVariables(given, tuple(name for name in named if name not in given))


def write_json(served: ServedVariables) -> str:
    """Return one JSON object; null for a variable that must not be set."""
    variables = {**served.given, **dict.fromkeys(served.unset)}
    if variables[NO_PROXY[0]] == EVERY_HOST:
        variables |= dict.fromkeys(PROXIES)
    return json.dumps(variables, indent=2) + "\n"


def write_shell(served: ServedVariables) -> str:
    """Return lines for a POSIX shell, which add to its own list of hosts."""
    lines = [f"unset {' '.join(served.unset)}"]
    for name, value in served.given.items():
        if name in NO_PROXY:
            continue
        lines.append(f"export {name}={shlex.quote(value)}")
        if name == TOKEN_FILE:
            lines.append(f'export {TOKEN}="$(cat {shlex.quote(value)})"')
    upper, lower = NO_PROXY
    kept = "".join(f"${{{name}:+${name},}}" for name in NO_PROXY)
    lines.append(f'export {upper}="{kept}{",".join(NOT_BY_PROXY)}"')
    # Engines take that for names only, and would send the token to the proxy.
    every = f'{upper}="{EVERY_HOST}"; unset {" ".join(PROXIES)}'
    lines.append(f'case ",${upper}," in *,\\*,*) {every};; esac')
    lines.append(f'export {lower}="${upper}"')
    return "\n".join(lines) + "\n"
