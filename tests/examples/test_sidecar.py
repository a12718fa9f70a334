"""The sidecar's files: what they start is right, and their parts agree."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import yaml

from botocore_conn_provider.cli.main import build_parser
from botocore_conn_provider.cli.serve import PATH
from botocore_conn_provider.endpoint.variables import IDENTITIES

if TYPE_CHECKING:
    import argparse

EXAMPLE = Path(__file__).parents[2] / "examples" / "sidecar"
FILES = sorted(path for path in EXAMPLE.iterdir() if path.is_file())
URL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
# A key's id, a secret key or something longer, and what is called a password.
SECRETS = re.compile(
    r"A[KS]IA[A-Z0-9]{8}|[A-Za-z0-9/+]{40}|(password|secret_access_key)\"?[:=] ?\"?\w",
    re.IGNORECASE,
)


def read_yaml(name: str) -> Any:
    return yaml.safe_load((EXAMPLE / name).read_text())


class Unit(configparser.RawConfigParser):
    """A unit of systemd, whose keys may come again: then they are joined."""

    def __init__(self, name: str) -> None:
        super().__init__(strict=False, delimiters=["="], comment_prefixes=["#"])
        self.optionxform = str  # type: ignore[assignment,method-assign]
        text = (EXAMPLE / name).read_text()
        self.environment = dict(
            pair.split("=", 1)
            for line in re.findall(r"^Environment=(.+)$", text, re.MULTILINE)
            for pair in shlex.split(line)
        )
        self.read_string(text)


def parse(words: list[str]) -> argparse.Namespace:
    """Parse as the command does."""
    assert Path(words[0]).name == "botocore-conn"
    parsed = build_parser(words[1:]).parse_args(words[1:])
    assert words[1] == "serve"
    return parsed


@pytest.fixture
def of_compose() -> argparse.Namespace:
    return parse(
        shlex.split(read_yaml("compose.yaml")["services"]["credentials"]["command"])
    )


@pytest.fixture
def sidecar() -> Any:
    (found,) = read_yaml("pod.yaml")["spec"]["initContainers"]
    return found


@pytest.fixture
def of_unit() -> argparse.Namespace:
    unit = Unit("botocore-conn-serve.service")
    return parse(shlex.split(unit["Service"]["ExecStart"]))


def check_variables(variables: dict[str, str], served: argparse.Namespace) -> None:
    url = urlsplit(variables[URL])
    assert (url.hostname, url.port) == ("127.0.0.1", served.port)
    assert url.path == PATH
    assert variables["AWS_EC2_METADATA_DISABLED"] == "true"
    assert set(variables) & set(IDENTITIES) == {URL, TOKEN_FILE}
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"]


def test_compose_app_asks_what_is_served(of_compose: argparse.Namespace) -> None:
    services = read_yaml("compose.yaml")["services"]
    variables = services["app"]["environment"]
    check_variables(variables, of_compose)
    assert variables[TOKEN_FILE] == of_compose.token_file
    assert services["app"]["network_mode"] == "service:credentials"
    assert services["app"]["user"] == services["credentials"]["user"]
    assert "ports" not in services["credentials"]


def test_compose_shares_the_place_of_the_token_and_the_app_cannot_write_it(
    of_compose: argparse.Namespace,
) -> None:
    services = read_yaml("compose.yaml")["services"]
    volume, place = services["credentials"]["volumes"][0].split(":")
    assert services["app"]["volumes"] == [f"{volume}:{place}:ro"]
    for path in (of_compose.token_file, of_compose.ready_file):
        assert str(Path(path).parent) == place
    assert volume in read_yaml("compose.yaml")["volumes"]


def test_compose_asks_health_at_the_port(of_compose: argparse.Namespace) -> None:
    words = read_yaml("compose.yaml")["services"]["credentials"]["healthcheck"]["test"]
    assert words[:3] == ["CMD", "python", "-c"]
    compile(words[3], "healthcheck", "exec")
    assert f'"127.0.0.1", {of_compose.port}' in words[3]
    assert "/healthz" in words[3]


def test_image_starts_the_command() -> None:
    text = (EXAMPLE / "Dockerfile").read_text()
    found = re.search(r"^CMD (\[.+\])$", text, re.MULTILINE)
    assert found
    parse(yaml.safe_load(found[1]))
    assert "USER 10001:10001" in text


def test_pod_starts_a_native_sidecar_and_waits_for_its_ready_file(sidecar: Any) -> None:
    served = parse(sidecar["command"])
    assert sidecar["restartPolicy"] == "Always"
    assert sidecar["startupProbe"]["exec"]["command"] == ["cat", served.ready_file]
    (app,) = read_yaml("pod.yaml")["spec"]["containers"]
    assert f". {served.ready_file};" in app["command"][-1]


def test_pod_keeps_the_token_in_memory_for_one_user(sidecar: Any) -> None:
    served = parse(sidecar["command"])
    spec = read_yaml("pod.yaml")["spec"]
    (app,) = spec["containers"]
    (shown,) = app["volumeMounts"]
    (mount,) = [m for m in sidecar["volumeMounts"] if m["name"] == shown["name"]]
    assert shown == {**mount, "readOnly": True}
    for path in (served.token_file, served.ready_file):
        assert str(Path(path).parent) == mount["mountPath"]
    (volume,) = [v for v in spec["volumes"] if v["name"] == mount["name"]]
    assert volume["emptyDir"]["medium"] == "Memory"
    assert spec["securityContext"]["runAsNonRoot"]
    for container in (app, sidecar):
        assert "runAsUser" not in container["securityContext"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert not container["securityContext"]["allowPrivilegeEscalation"]


def test_unit_is_started_when_it_is_ready(of_unit: argparse.Namespace) -> None:
    service = Unit("botocore-conn-serve.service")["Service"]
    assert f"[ -e {of_unit.ready_file} ]" in service["ExecStartPost"]
    place = f"/run/{service['RuntimeDirectory']}"
    for path in (of_unit.token_file, of_unit.ready_file):
        assert str(Path(path).parent) == place
    assert service["RuntimeDirectoryPreserve"] == "restart"


def test_unit_takes_a_port_that_no_user_can_take(of_unit: argparse.Namespace) -> None:
    service = Unit("botocore-conn-serve.service")["Service"]
    assert 0 < of_unit.port < 1024
    assert service["AmbientCapabilities"] == "CAP_NET_BIND_SERVICE"


def test_neighbours_unit_asks_what_is_served(of_unit: argparse.Namespace) -> None:
    unit = Unit("neighbour.conf")
    name, _, loaded = unit["Service"]["LoadCredential"].partition(":")
    check_variables(unit.environment, of_unit)
    assert loaded == of_unit.token_file
    assert unit.environment[TOKEN_FILE] == f"%d/{name}"
    for key in ("Wants", "After"):
        assert (EXAMPLE / unit["Unit"][key]).exists()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_secret_stands_in_the_files(path: Path) -> None:
    assert SECRETS.findall(path.read_text()) == []


def test_what_looks_like_a_secret_is_found() -> None:
    for text in ("AKIAIOSFODNN7EXAMPLE", '"password": "x"', "ab1+" * 10):
        assert SECRETS.search(text)
