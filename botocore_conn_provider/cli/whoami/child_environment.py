"""The environment that the probes run in: this one, with nothing that leads to AWS.

Who a program would be stays as it is. What would have to be asked of AWS is replaced:
the connection by made-up keys that stand for it, the instance metadata, a container's
endpoint beyond this machine and STS by servers on loopback, and proxies by one that
refuses everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from botocore.configloader import load_config
from botocore.exceptions import BotoCoreError

from botocore_conn_provider.cli.endpoint_in_place import is_loopback_endpoint
from botocore_conn_provider.cli.whoami.checked_settings import read_checked
from botocore_conn_provider.cli.whoami.container_endpoint import (
    ask_key_id,
    is_machine_endpoint,
)
from botocore_conn_provider.cli.whoami.loopback_aws import CONTAINER
from botocore_conn_provider.cli.whoami.loopback_server import LOOPBACK
from botocore_conn_provider.cli.whoami.marker_keys import MarkerKeys
from botocore_conn_provider.connection.client_settings import is_unsigned
from botocore_conn_provider.connection.environment import (
    CHANGES_VARIABLE,
    CONN_ID_VARIABLE,
    ConnectionName,
    Snapshot,
)
from botocore_conn_provider.connection.process_changes import note_changes
from botocore_conn_provider.endpoint.variables import FULL_URI, RELATIVE_URI
from botocore_conn_provider.secret import Options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from botocore_conn_provider.connection.environment import Environ
    from botocore_conn_provider.connection.settings import AwsSettings

PREFIX = "AIRFLOW_CONN_"
# botocore's and most SDKs', and object_store's. Older botocores, as that in version 2 of
# the AWS CLI, need the slash at the end of the address.
METADATA_VARIABLES = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_METADATA_ENDPOINT")
# Services that hand out credentials for those that a program has.
ISSUERS = ("STS", "SSO", "SSO_OIDC", "SIGNIN")
# Options of a profile whose credentials a portal gives to who has signed in.
SIGN_IN = ("sso_", "login_session")
# Plain HTTP needs no proxy, and the CRT would use one for loopback.
HTTPS_PROXIES = ("HTTPS_PROXY", "https_proxy")
REMOVED = (
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)


class World(NamedTuple):
    """The server on loopback, and whose keys it hands out."""

    url: str
    machine: MarkerKeys
    role: MarkerKeys


class Surroundings(NamedTuple):
    """The probes' environment, and who each key id in it is: an identity and words."""

    environ: Options
    identities: dict[str, tuple[str, str]]

    def __repr__(self) -> str:
        return "Surroundings(…)"


def surround(live: Environ, name: ConnectionName, world: World) -> Surroundings:
    """Return the environment for probes.

    What was changed in it to reach engines (by `exec`) stays so, and so does what it
    was before, from which our own connections start.

    Args:
        live: The environment as programs that are started now would have it.
        name: The connection that is asked for.
        world: What is to stand for AWS.
    """
    snapshot = Snapshot.take()
    everything = Options({**live, **snapshot.environ})
    stand_ins = list(_list_stand_ins(snapshot._replace(environ=everything)))
    texts = {each.name.variable: each.write() for each in stand_ins}
    if name.named_by == "the program":
        texts[CONN_ID_VARIABLE] = name.conn_id
    environ = _lead_to_loopback(live, texts, world.url)
    if environ.pop(CHANGES_VARIABLE, None) is not None:
        before = _lead_to_loopback(snapshot.environ, texts, world.url)
        environ[CHANGES_VARIABLE] = note_changes(before, environ)
    identities = _identify(name, world, stand_ins)
    if is_loopback_endpoint(live) and (key_id := ask_key_id(live)) is not None:
        identities.setdefault(key_id, ("endpoint", ""))
    return Surroundings(Options(environ), identities)


class StandIn(NamedTuple):
    """Made-up keys and the connection that they stand for."""

    name: ConnectionName
    settings: AwsSettings
    keys: MarkerKeys

    def write(self) -> str:
        """Return the connection; of lasting keys if the real ones last, too.

        Such keys are handed to engines in another way than temporary ones.
        """
        settings = self.settings
        lasts = settings.keys is not None and settings.keys.session_token is None
        has_token = settings.role is not None or not lasts
        return self.keys.write_connection(has_token=has_token)

    def list_key_ids(self) -> Iterator[str]:
        """Yield the made-up key id and, as under `exec`, that of the connection."""
        yield self.keys.access_key_id
        if self.settings.role is None and self.settings.keys is not None:
            yield str(self.settings.keys.access_key_id)


def _identify(
    name: ConnectionName, world: World, stand_ins: Iterable[StandIn]
) -> dict[str, tuple[str, str]]:
    """Return who each known key id is."""
    identities = {
        world.machine.access_key_id: ("machine", ""),
        world.role.access_key_id: ("other", "a role that AWS would be asked for"),
    }
    for each in stand_ins:
        is_asked_for = each.name.variable == name.variable
        other = ("other", f"the connection '{each.name.conn_id}'")
        for key_id in each.list_key_ids():
            if is_asked_for or key_id not in identities:
                identities[key_id] = ("connection", "") if is_asked_for else other
    return identities


def _list_stand_ins(snapshot: Snapshot) -> Iterator[StandIn]:
    for name in _list_connections(snapshot.environ):
        settings = _read_replaceable(snapshot, name)
        if settings is not None:
            yield StandIn(name, settings, MarkerKeys.make())


def _list_connections(environ: Environ) -> Iterator[ConnectionName]:
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and environ[variable].strip():
            name = ConnectionName(variable.removeprefix(PREFIX).lower())
            if name.variable == variable:
                yield name


def _read_replaceable(snapshot: Snapshot, name: ConnectionName) -> AwsSettings | None:
    """Return what a connection means if made-up keys may stand for it, else None.

    Not if it is wrong, because then programs are to meet its error. Nor if its
    identity is what botocore's own chain finds, or its requests are not signed: such a
    connection asks nobody.
    """
    try:
        settings = read_checked(snapshot, name)
    except BotoCoreError:
        return None
    if not settings.names_identity or is_unsigned(settings.client.config):
        return None
    return settings


def _lead_to_loopback(
    environ: Environ, texts: Mapping[str, str], url: str
) -> dict[str, str]:
    """Return an environment in which all ways lead to the server at `url`.

    Of `texts`, which stand for connections, those are put in whose variable is there.
    """
    led = {name: environ[name] for name in environ if name not in REMOVED}
    led |= {name: text for name, text in texts.items() if environ.get(name, "").strip()}
    if CONN_ID_VARIABLE in texts:
        led[CONN_ID_VARIABLE] = texts[CONN_ID_VARIABLE]
    led |= dict.fromkeys(METADATA_VARIABLES, f"{url}/")
    led |= {f"AWS_ENDPOINT_URL_{issuer}": url for issuer in ISSUERS}
    if is_machine_endpoint(environ):
        led.pop(RELATIVE_URI, None)
        led[FULL_URI] = url + CONTAINER
    led["NO_PROXY"] = led["no_proxy"] = f"{LOOPBACK},localhost"
    return led


def signs_in(environ: Environ) -> bool:
    """Return whether the profile in effect, or one that it builds on, signs in."""
    path = environ.get("AWS_CONFIG_FILE") or f"{environ.get('HOME', '~')}/.aws/config"
    try:
        profiles = load_config(path)["profiles"]
    except BotoCoreError:
        return False
    name = environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or "default"
    for _ in profiles:  # a chain is no longer than that
        profile = profiles.get(name, {})
        if any(option.startswith(SIGN_IN) for option in profile):
            return True
        name = profile.get("source_profile", "")
    return False


def lead_abroad(url: str) -> dict[str, str]:
    """Return the variables of a proxy, which HTTPS to anywhere has to pass."""
    return dict.fromkeys(HTTPS_PROXIES, url)
