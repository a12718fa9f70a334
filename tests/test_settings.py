"""Every setting that the page lists is one, and changes what it says."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import botocore_conn_provider
from botocore_conn_provider.connection.record import Connection
from botocore_conn_provider.connection.settings import OwnSettings
from botocore_conn_provider.errors import ConnProviderError, PresignedUrlError
from botocore_conn_provider.federation.plugin_lookup import TOKEN_SOURCES
from botocore_conn_provider.plugins import Secret, TokenRequest
from botocore_conn_provider.renewal.schedule import Issued, RenewalPolicy, hold
from botocore_conn_provider.renewal.store.directory import LOCK
from tests.plugins import install_entry_points
from tests.renewal.simulation import EPOCH, HOUR, Simulation, build_fault, issue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import boto3.session

    from tests.aws import Aws
    from tests.leaks import Leaks

DOCS = Path(__file__).parent.parent / "docs"
ROLE = "arn:aws:iam::123456789012:role/federated"
# The pages that list the settings, with the column of the default.
PAGES = [
    ("connection.md", "## Settings of this package\n", 1),
    ("specification.md", "### 2.11 Our own settings\n", 2),
]
NAME = re.compile(r"`(\w+)`")


class SlowTokens:
    """A token source that takes a little more than a second."""

    def __init__(self, request: TokenRequest) -> None:
        self._slow = request.audience == "slow"

    def check(self) -> None:
        """Nothing can be wrong."""

    def fetch(self) -> Secret:
        time.sleep(1.2 if self._slow else 0)
        return Secret("opaque-token")


class Observed:
    """A connection with one setting more, in the connection or in a variable."""

    def __init__(
        self, aws_url: str, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.place = place
        self._aws_url = aws_url
        self._monkeypatch = monkeypatch
        self._own: dict[str, Any] = {}

    def set(self, way: str, name: str, value: object) -> None:
        """Set one of our settings, in either way."""
        if way == "connection":
            self._own[name] = value
        else:
            text = value if isinstance(value, str) else json.dumps(value)
            self._monkeypatch.setenv(f"BOTOCORE_CONN_{name.upper()}", text)

    def write(self, **more: Any) -> str:
        """Return the connection's text."""
        extra = {
            "region_name": "eu-west-1",
            "role_arn": ROLE,
            "assume_role_method": "assume_role_with_web_identity",
            "assume_role_with_web_identity_federation": "slow",
            "service_config": {"sts": {"endpoint_url": self._aws_url}},
            "botocore_conn_provider": self._own,
        }
        return json.dumps({"conn_type": "aws", "extra": extra | more})

    def policy(self) -> RenewalPolicy:
        """Return how credentials of this connection are renewed."""
        read = Connection.parse(self.write(), environ=os.environ)
        return RenewalPolicy.from_settings(read.settings.own)

    def make_session(self, **more: Any) -> boto3.session.Session:
        """Return a session that uses the connection."""
        self._monkeypatch.setenv("AIRFLOW_CONN_OBSERVED", self.write(**more))
        return botocore_conn_provider.session("observed")

    def fetch(self, **more: Any) -> str:
        """Return whether a session gets credentials, else what the error says."""
        try:
            found = self.make_session(**more).get_credentials()
            assert found is not None
            found.get_frozen_credentials()
        except ConnProviderError as error:
            return str(error)
        return "credentials"


@pytest.fixture
def observed(
    aws: Aws, leaks: Leaks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Observed]:
    points = {TOKEN_SOURCES: {"slow": f"{__name__}:SlowTokens"}}
    install_entry_points(tmp_path, monkeypatch, points)
    with leaks.user_calls():
        yield Observed(aws.url, tmp_path / "store", monkeypatch)


def see_strict(observed: Observed) -> str:
    text = observed.write(my_tags=1)
    try:
        read = Connection.parse(text, environ=os.environ)
    except ConnProviderError as error:
        return str(error)
    return " ".join(read.settings.notices)


def see_store(observed: Observed) -> str:
    assert observed.fetch() == "credentials"
    return f"store {observed.place.exists()}"


def see_plugins(observed: Observed) -> str:
    return observed.fetch()


def see_sign_in_deadline_seconds(observed: Observed) -> str:
    audience = {"assume_role_with_web_identity_federation_audience": "slow"}
    return observed.fetch(**audience)


def see_store_lock_seconds(observed: Observed) -> str:
    """Meet another process's renewal, which holds every lock of the store."""
    observed.set("connection", "store", str(observed.place))
    observed.place.mkdir(mode=0o700)
    with contextlib.ExitStack() as held:
        for number in range(256):
            path = observed.place / f"{LOCK}{number:02x}"
            lock = held.enter_context(path.open("w"))
            path.chmod(0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
        before = time.monotonic()
        assert observed.fetch() == "credentials"
    return f"waited {(time.monotonic() - before) // 1.5 * 1.5:g} s"


def see_advisory_seconds(observed: Observed) -> str:
    world = Simulation()
    keeper = world.build_keeper(observed.policy())
    keeper.current()
    world.pass_time(HOUR - 910)  # by the default, the window begins 900 s before
    keeper.current()
    return f"asked {len(world.asked)} times"


def see_mandatory_seconds(observed: Observed) -> str:
    issued = Issued(issue(1, EPOCH + HOUR), EPOCH, EPOCH + HOUR)
    held = hold(
        issued, observed.policy(), exchange_seconds=0.0, uniform=lambda low, _: low
    )
    return f"callers wait {EPOCH + HOUR - held.wait_at:g} s before expiry"


def see_static_stability_seconds(observed: Observed) -> str:
    world = Simulation()
    keeper = world.build_keeper(observed.policy())
    keeper.current()
    world.fault = build_fault()
    world.pass_time(HOUR + 60)
    try:
        keeper.current()
    except ConnProviderError as error:
        return str(error)
    return "served"


def see_presigned_urls(observed: Observed) -> str:
    client = observed.make_session().client("sts")
    try:
        client.generate_presigned_url("get_caller_identity", ExpiresIn=24 * HOUR)
    except PresignedUrlError as error:
        return str(error)
    return "signed"


def see_start_spread_seconds(observed: Observed) -> str:
    observed.set("connection", "store", str(observed.place))
    told: list[str] = []
    logger = logging.getLogger("botocore_conn_provider.renewal.store.turn")
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    try:
        assert observed.fetch() == "credentials"
    finally:
        logger.removeHandler(handler)
    return f"told {len(told)} times"


SEEN: dict[str, tuple[object, Callable[[Observed], str], str, str]] = {
    "strict": (True, see_strict, "is not used", "strict is on"),
    "store": ("@PLACE@", see_store, "store False", "store True"),
    "store_lock_seconds": (0.1, see_store_lock_seconds, "", "waited 0 s"),
    "sign_in_deadline_seconds": (
        1,
        see_sign_in_deadline_seconds,
        "credentials",
        "gave no token within 1 s",
    ),
    "advisory_seconds": (1800, see_advisory_seconds, "asked 1 times", "asked 2 times"),
    "mandatory_seconds": (600, see_mandatory_seconds, "wait 60 s", "wait 600 s"),
    "static_stability_seconds": (3600, see_static_stability_seconds, "down.", "served"),
    "plugins": (False, see_plugins, "credentials", "Use one of file, google"),
    "presigned_urls": ("error", see_presigned_urls, "signed", "was asked for 86400 s"),
    "start_spread_seconds": (0.9, see_start_spread_seconds, "told 0", "told 1 times"),
}


@pytest.mark.parametrize("way", ["connection", "variable"])
@pytest.mark.parametrize("name", SEEN)
def test_setting_changes_what_happens(name: str, way: str, observed: Observed) -> None:
    value, see, _, changed = SEEN[name]
    if value == "@PLACE@":
        value = str(observed.place)
    observed.set(way, name, value)
    assert changed in see(observed)


# The default of the lock would be waited for: 24 s.
@pytest.mark.parametrize("name", sorted(SEEN.keys() - {"store_lock_seconds"}))
def test_without_the_setting_something_else_happens(
    name: str, observed: Observed
) -> None:
    _, see, usual, changed = SEEN[name]
    seen = see(observed)
    assert usual in seen
    assert changed not in seen


def list_settings(page: str, column: int, *, heading: str = "") -> dict[str, str]:
    """Return the names in a column of a page's table, each with its row."""
    text = (DOCS / page).read_text(encoding="utf-8").partition(heading)[2]
    rows = [
        line.strip("|").split("|")
        for line in re.split(r"\n##+ ", text)[0].splitlines()
        if line.startswith("| ")
    ]
    return {name: "|".join(row) for row in rows for name in NAME.findall(row[column])}


def test_every_setting_is_tried_here() -> None:
    assert SEEN.keys() == set(OwnSettings._fields)


@pytest.mark.parametrize(("page", "heading", "_"), PAGES)
def test_page_lists_exactly_the_settings_there_are(
    page: str, heading: str, _: int
) -> None:
    assert set(list_settings(page, 0, heading=heading)) == set(OwnSettings._fields)


@pytest.mark.parametrize(("page", "heading", "column"), PAGES)
def test_page_names_the_defaults(page: str, heading: str, column: int) -> None:
    listed = list_settings(page, 0, heading=heading)
    for name, default in OwnSettings()._asdict().items():
        if default is not None:
            written = listed[name].split("|")[column].strip().strip("`")
            assert json.loads(written) == default, name


def test_renewal_page_names_settings_and_nothing_else() -> None:
    listed = list_settings("renewal.md", 3, heading="#")
    assert set(listed) <= set(OwnSettings._fields)
    assert len(listed) == 5
