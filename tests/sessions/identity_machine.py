"""Random programs of two tenants, and the rule that none of them may break.

Every call that a session makes is signed for the tenant that the session was created
as. Never for the other, never for the machine that all of it runs on; where what the
session names is missing, the call is an error. Hypothesis draws the programs: which
environment, which session, what the program says on it, when files change, how much time passes and
what two threads do at once.
"""

from __future__ import annotations

import contextlib
import copy
import datetime
import functools
import json
import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import botocore.session
from botocore.exceptions import BotoCoreError, ProfileNotFound
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

import botocore_conn_provider
from botocore_conn_provider.exchange import assume_role_flow
from botocore_conn_provider.renewal import registry
from botocore_conn_provider.renewal.runtime import Runtime
from botocore_conn_provider.renewal.store import machine_store
from tests.loopback import LOOPBACK, serve
from tests.sessions.tenants import ALICE, BOB, WAYS, Cloud, Tenants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hypothesis import settings as Settings  # noqa: N812

MACHINE = "machine"
ROLE = "arn:aws:iam::123456789012:role/job"
REGION = {"region_name": "eu-west-1"}
ASSUMING = {**REGION, "role_arn": ROLE}
# Older than any of the stand-in's credentials, younger, and just long enough for an
# error to be forgotten.
SHORT, LONG = 10, 7 * 3600
MOST_SESSIONS = 4


# What a variable holds, or an endpoint answers, goes away with no file.
SOLID = (
    Tenants.variables,
    Tenants.variables_with_token,
    Tenants.container,
    Tenants.container_token,
    Tenants.metadata,
)
# botocore refuses these itself if their files are missing.
STRICT = (
    Tenants.web_identity,
    Tenants.named_profile,
    Tenants.credential_source,
    Tenants.container_token_file,
    Tenants.ec2_file,
)
# The session variable, and its value in the folder, by which a program makes a session
# that of a tenant.
SAID = {
    Tenants.shared_file: ("credentials_file", "{folder}/{tenant}/credentials"),
    Tenants.variable_in_a_path: ("credentials_file", "{folder}/{tenant}/credentials"),
    Tenants.relative_path: ("credentials_file", "{folder}/{tenant}/credentials"),
    Tenants.home: ("credentials_file", "{folder}/{tenant}/.aws/credentials"),
    Tenants.config_file: ("config_file", "{folder}/{tenant}/config"),
    Tenants.source_profile: ("config_file", "{folder}/{tenant}/config"),
    Tenants.named_profile: ("profile", "{tenant}"),
}


# Kinds without a role of the connection's whose credentials the keeper renews.
RENEWED = ("source-profile", "token-file")


class Kind(NamedTuple):
    """A way to be a tenant: its variables and its connection.

    `fragile` says that it needs files. `falls_back` says that botocore's chain goes on
    to the machine's identity where they are absent when a session first needs it.
    `of_chain` says that the identity is that of botocore's chain. `said` is the session
    variable that makes a session another tenant's, where there is one.
    """

    name: str
    arrange: Callable[[Tenants, str], dict[str, str]]
    fragile: bool = True
    falls_back: bool = False
    of_chain: bool = False
    said: tuple[str, str] | None = None

    @property
    def is_deferred(self) -> bool:
        """Whether no credentials are looked for when a client is made."""
        return self.name.startswith("role-") or self.name in RENEWED

    def __repr__(self) -> str:
        return self.name


def connect(extra: Any, **record: str) -> dict[str, str]:
    return {"AIRFLOW_CONN_AWS_DEFAULT": json.dumps({**record, "extra": extra})}


def from_chain(way: Any, extra: Any, name: str) -> Kind:
    def arrange(tenants: Tenants, tenant: str) -> dict[str, str]:
        return {**way(tenants, tenant), **connect(extra)}

    return Kind(
        f"{name}-{way.__name__}",
        arrange,
        fragile=way not in SOLID,
        falls_back=way not in (*SOLID, *STRICT),
        of_chain=True,
        said=SAID.get(way),
    )


def keys(tenants: Tenants, tenant: str, extra: Any) -> dict[str, str]:
    found = tenants.variables(tenant)
    return connect(
        extra,
        login=found["AWS_ACCESS_KEY_ID"],
        password=found["AWS_SECRET_ACCESS_KEY"],
    )


def profile(tenants: Tenants, tenant: str, extra: Any) -> dict[str, str]:
    files = tenants.named_profile(tenant)
    del files["AWS_PROFILE"]
    return {**files, **connect({**extra, "profile_name": tenant})}


def source_profile(tenants: Tenants, tenant: str) -> dict[str, str]:
    files = tenants.source_profile(tenant)
    return {**files, **connect({**REGION, "profile_name": "default"})}


def token_file(tenants: Tenants, tenant: str) -> dict[str, str]:
    path = tenants.web_identity(tenant)["AWS_WEB_IDENTITY_TOKEN_FILE"]
    named = {
        "assume_role_method": "assume_role_with_web_identity",
        "assume_role_with_web_identity_federation": "file",
        "assume_role_with_web_identity_token_file": path,
    }
    return connect({**ASSUMING, **named})


KINDS = (
    *(from_chain(way, ASSUMING, "role") for way in WAYS),
    *(from_chain(way, REGION, "chain") for way in WAYS),
    Kind("role-keys", functools.partial(keys, extra=ASSUMING), fragile=False),
    Kind("keys", functools.partial(keys, extra=REGION), fragile=False),
    Kind("role-profile", functools.partial(profile, extra=ASSUMING)),
    Kind("profile", functools.partial(profile, extra=REGION)),
    Kind("source-profile", source_profile),
    Kind("token-file", token_file),
)


class Session:
    """A session under test: who it was created as, and who it has turned out to be.

    `is_now` is None until the session has resolved who it is. A copy of a session that
    has made a client has the same credentials, so it turns out to be the same.
    """

    def __init__(self, of: Any, kind: Kind, tenant: str) -> None:
        self.of = of
        self.kind = kind
        self.tenant = tenant
        self.client: Any = None
        self.has_credentials = False
        self._found: dict[str, str] = {}
        self.failed = False

    @property
    def is_now(self) -> str | None:
        return self._found.get("tenant")

    def resolve(self, tenant: str | None) -> None:
        if tenant is not None:
            self._found["tenant"] = tenant

    def copied(self) -> Session:
        try:
            of = copy.deepcopy(self.of)
        except TypeError:  # credentials of botocore's own that hold a client
            of = copy.copy(self.of)
        twin = Session(of, self.kind, self.tenant)
        twin._found = self._found if self.has_credentials else dict(self._found)
        twin.has_credentials, twin.failed = self.has_credentials, self.failed
        return twin

    def expect(self, *, absent: bool) -> str | None:
        """Return who must sign; None where there must be an error."""
        if self.is_now or not absent:
            return self.is_now or self.tenant
        return MACHINE if self.kind.falls_back else None

    def __repr__(self) -> str:
        return f"{self.tenant}'s {self.kind}"


class Standing:
    """The stand-in STS, the clock and the folder that all random programs share."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud = cloud
        self.folder = folder
        self.environ = dict(os.environ)
        self.ahead = 0.0
        self.programs = 0

    def runtime(self) -> Runtime:
        return Runtime(
            now=lambda: time.time() + self.ahead,
            elapsed=lambda: time.monotonic() + self.ahead,
            uniform=lambda _, high: high,
            start_thread=lambda work: work(),
        )

    def pass_time(self, seconds: float) -> None:
        self.ahead += seconds
        self.cloud.ahead_seconds = self.ahead


@contextlib.contextmanager
def standing(folder: Path) -> Iterator[Standing]:
    """Install the product against the stand-in STS, on a clock that rules move."""
    cloud = Cloud()
    before = dict(os.environ), os.getcwd()  # noqa: PTH109
    replaced = (
        (registry, "Keeper"),
        (registry, "DeferredKeeper"),
        (machine_store, "MachineStore"),
    )
    originals = [vars(module)[name] for module, name in replaced]
    with serve(cloud) as port:
        cloud.url = f"http://{LOOPBACK}:{port}"
        here = Standing(cloud, folder)
        for (module, name), original in zip(replaced, originals, strict=True):
            vars(module)[name] = functools.partial(original, runtime=here.runtime())
        # A base identity that was found is for some seconds of the same clock.
        vars(assume_role_flow)["time"] = SimpleNamespace(monotonic=lambda: here.ahead)
        botocore_conn_provider.install()
        try:
            yield here
        finally:
            botocore_conn_provider.uninstall()
            registry.keepers.forget()
            for (module, name), original in zip(replaced, originals, strict=True):
                vars(module)[name] = original
            vars(assume_role_flow)["time"] = time
            put_environment(*before)


def put_environment(environ: dict[str, str], directory: str) -> None:
    stand_in(directory)
    os.environ.clear()
    os.environ.update(environ)


def stand_in(directory: str) -> None:
    os.makedirs(directory, exist_ok=True)  # noqa: PTH103 - deleted by a rule, perhaps
    os.chdir(directory)


class IdentityMachine(RuleBasedStateMachine):
    """One random program. Its rules are what may happen to one."""

    def __init__(self, here: Standing, among: tuple[Kind, ...] = KINDS) -> None:
        super().__init__()
        self.here = here
        self.among = among
        self.cloud = here.cloud
        self.sessions: list[Session] = []
        self.missing: set[Kind] = set()
        self.arranged: dict[tuple[Kind, str], dict[str, str]] = {}
        here.programs += 1
        self.folder = here.folder / str(here.programs)
        self.now: tuple[Kind, str] = (KINDS[0], ALICE)
        self.common = {
            name: value
            for name, value in here.environ.items()
            if not name.startswith(("AWS_", "AIRFLOW_", "BOTOCORE_CONN_"))
        } | {
            "AWS_ENDPOINT_URL_STS": self.cloud.url,
            "AWS_EC2_METADATA_DISABLED": "false",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"{self.cloud.url}/{MACHINE}/",
            "HOME": str(self.folder / "nobody"),
        }

    # What may happen

    @initialize(data=st.data())
    def draw(self, data: st.DataObject) -> None:
        """Draw few kinds for each program, so that sessions of one kind meet."""
        kinds = st.lists(st.sampled_from(self.among), min_size=1, max_size=2)
        self.begin(data.draw(kinds), store=data.draw(st.booleans()))

    def begin(self, kinds: list[Kind], *, store: bool) -> None:
        self.kinds = kinds
        if store:
            self.common["BOTOCORE_CONN_STORE"] = str(self.folder / "store")
        for kind in kinds:
            self._write(kind)
        self._become(kinds[0], ALICE)

    @rule(tenant=st.sampled_from([ALICE, BOB]), which=st.integers(0, 1))
    def become(self, tenant: str, which: int) -> None:
        """Make the process's environment another's, and create a session there."""
        self._become(self.kinds[which % len(self.kinds)], tenant)
        self.create_session()

    @rule()
    def create_session(self) -> None:
        self.sessions.append(Session(botocore.session.Session(), *self.now))
        del self.sessions[:-MOST_SESSIONS]

    @precondition(lambda self: self.sessions)
    @rule(which=st.integers(0, MOST_SESSIONS - 1))
    def call(self, which: int) -> None:
        self._check(self._choose(which), self._ask)

    @precondition(lambda self: self.sessions)
    @rule()
    def call_all(self) -> None:
        for session in self.sessions:
            self._check(session, self._ask)

    @precondition(lambda self: self.sessions)
    @rule(which=st.integers(0, MOST_SESSIONS - 1))
    def renew(self, which: int) -> None:
        """Have one session's credentials expire, and call."""
        self.pass_time(LONG)
        self.call(which)

    @precondition(lambda self: self.sessions)
    @rule(which=st.integers(0, MOST_SESSIONS - 1))
    def make_client(self, which: int) -> None:
        """Make a client, which resolves who the session is and calls nothing."""
        session = self._choose(which)
        with self._excusing(session):
            session.client = self._create_client(session)

    @rule(
        tenant=st.sampled_from([ALICE, BOB]),
        call_first=st.booleans(),
        alone=st.booleans(),
    )
    def say(self, tenant: str, *, call_first: bool, alone: bool) -> None:
        """Set a variable of a new session, before or after its first call, and renew.

        What a program says counts until the session has resolved who it is. One that is
        alone shares no credentials with others.
        """
        if alone:
            self.drop_sessions()
        self.create_session()
        session = self.sessions[-1]
        if session.kind.said is None:
            return
        if call_first:
            self._check(session, self._ask)
            if session.failed:  # and is half resolved: no rule says by what
                return
        name, value = session.kind.said
        place = self._place(session.kind)
        session.of.set_config_variable(name, value.format(folder=place, tenant=tenant))
        if not session.is_now:
            session.tenant = tenant
        self.pass_time(LONG)
        self._check(session, self._ask)

    @rule(same=st.booleans())
    def call_in_threads(self, *, same: bool) -> None:
        """Have two threads make clients of a new session at once, or of two tenants'."""
        self.create_session()
        one = self.sessions[-1]
        if not same:
            kind, tenant = self.now
            self._become(kind, BOB if tenant == ALICE else ALICE)
            self.create_session()
        begun = threading.Barrier(2)

        def ask(session: Session) -> str:
            begun.wait(60)
            answer = self._ask_by(self._create_client(session))
            session.resolve(self._expect(session))
            return answer

        with ThreadPoolExecutor(2) as threads:
            check = functools.partial(self._check, ask=ask)
            list(threads.map(check, [one, self.sessions[-1]]))

    @precondition(lambda self: self.sessions)
    @rule(which=st.integers(0, MOST_SESSIONS - 1))
    def copy_session(self, which: int) -> None:
        self.sessions.append(self._choose(which).copied())
        del self.sessions[:-MOST_SESSIONS]

    @precondition(lambda self: self.sessions)
    @rule(which=st.integers(0, MOST_SESSIONS - 1))
    def call_in_child(self, which: int) -> None:
        session = self._choose(which)
        self._check(session, functools.partial(in_child, self._ask))

    @rule(seconds=st.sampled_from([SHORT, 3600, LONG]))
    def pass_time(self, seconds: float) -> None:
        self.here.pass_time(seconds)
        if seconds == LONG:
            for session in self.sessions:
                expire_what_botocore_holds(session.of)

    @rule(which=st.integers(0, 1))
    def rotate(self, which: int) -> None:
        """Write the files of a kind again, with new keys of the same tenants."""
        self._write(self.kinds[which % len(self.kinds)])
        stand_in(self.directory)  # the folder of that name is another now

    @rule(which=st.integers(0, 1))
    def delete(self, which: int) -> None:
        """Delete the files of a kind."""
        kind = self.kinds[which % len(self.kinds)]
        shutil.rmtree(self._place(kind), ignore_errors=True)
        if kind.fragile:
            self.missing.add(kind)

    @rule()
    def drop_sessions(self) -> None:
        """Drop all sessions and what the process remembers; the store stays."""
        self.sessions.clear()
        registry.keepers.forget()

    def teardown(self) -> None:
        registry.keepers.forget()

    # How

    def _place(self, kind: Kind) -> Path:
        return self.folder / kind.name

    def _write(self, kind: Kind) -> None:
        place = self._place(kind)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        tenants = Tenants(self.cloud, place)
        for tenant in (ALICE, BOB):
            self.arranged[kind, tenant] = kind.arrange(tenants, tenant)
        self.missing.discard(kind)
        self.here.pass_time(SHORT)  # errors of before are no longer remembered

    def _become(self, kind: Kind, tenant: str) -> None:
        own = {**self.common, **self.arranged[kind, tenant]}
        self.directory = own.pop("@directory", "/")
        put_environment(own, self.directory)
        self.now = (kind, tenant)

    def _choose(self, which: int) -> Session:
        return self.sessions[which % len(self.sessions)]

    def _expect(self, session: Session) -> str | None:
        return session.expect(absent=session.kind in self.missing)

    def _create_client(self, session: Session) -> Any:
        session.has_credentials = True
        # With a region, because a profile that the program names has none.
        client = session.of.create_client(
            "sts", "eu-west-1", endpoint_url=self.cloud.url
        )
        # A role finds out at its first use who asks for it, and the others here.
        if not session.kind.is_deferred:
            session.resolve(self._expect(session))
        return client

    def _ask(self, session: Session) -> str:
        """Return whose key signed a call."""
        if session.client is None:
            session.client = self._create_client(session)
        answer = self._ask_by(session.client)
        session.resolve(self._expect(session))
        return answer

    def _ask_by(self, client: Any) -> str:
        arn: str = client.get_caller_identity()["Arn"]
        return arn.rpartition("/")[2]

    def _check(self, session: Session, ask: Callable[[Session], str]) -> None:
        """Hold the rule of this module for one call."""
        expected = self._expect(session)
        with self._excusing(session):
            answer = ask(session)
            assert answer == expected, f"{session} was {answer}, not {expected}"

    @contextlib.contextmanager
    def _excusing(self, session: Session) -> Iterator[None]:
        """Let an error pass where something is missing, or was."""
        absent = session.kind in self.missing
        excused = absent or session.failed or session.is_now == MACHINE
        try:
            yield
        except (BotoCoreError, OSError) as error:
            session.failed = True
            # botocore reads AWS_PROFILE again for each client, for its settings, and
            # looks for it in the files that the session has read before.
            unknown = (
                isinstance(error, ProfileNotFound)
                and session.kind.of_chain
                and os.environ.get("AWS_PROFILE") not in session.of.available_profiles
            )
            if not excused and not unknown:
                raise AssertionError(f"{session} failed with all it names") from error


def in_child(ask: Callable[[Session], str], session: Session) -> str:
    """Return what `ask` returns in a forked child."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:  # pragma: no cover - in the child
        try:
            told = [ask(session), "", ""]
        except (BotoCoreError, OSError) as error:
            told = ["", type(error).__name__, str(error)]
        except BaseException as error:  # noqa: BLE001 - told to the parent
            told = [repr(error), "", ""]
        os.write(writing, json.dumps(told).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told_by_child:
        answer, failure, text = json.loads(told_by_child.read())
    os.waitpid(child, 0)
    if failure == ProfileNotFound.__name__:
        raise ProfileNotFound(profile=text)
    if failure:
        raise OSError(text)
    return str(answer)


def expire_what_botocore_holds(session: Any) -> None:
    """Let credentials expire that botocore itself renews, by the real clock."""
    held = session._credentials
    if vars(held or session).get("_expiry_time") is not None:
        held._expiry_time = datetime.datetime.now(datetime.timezone.utc)


def run_programs(
    here: Standing, settings: Settings, among: tuple[Kind, ...] = KINDS
) -> None:
    """Run random programs; fail on the first that breaks the rule."""
    machine: Any = functools.partial(IdentityMachine, here, among)
    run_state_machine_as_test(machine, settings=settings)
