"""Presigned URLs live as long as they are asked for, or somebody is told."""

from __future__ import annotations

import base64
import contextvars
import datetime
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.config import Config

from botocore_conn_provider import PresignedUrlError, StsExchangeError
from botocore_conn_provider.events import Event, add_listener, remove_listener
from botocore_conn_provider.renewal.registry import keepers
from tests.aws import Fault
from tests.sessions.signing import (
    DENIED,
    HOUR,
    LOGGER,
    OBJECT,
    WEEK,
    hold,
    make_s3,
    warnings_of,
    watch_waits,
)

if TYPE_CHECKING:
    from tests.leaks import Leaks
    from tests.sessions.signing import Signing


def test_url_is_signed_with_new_credentials_where_the_old_would_end_before_it(
    signing: Signing, caplog: pytest.LogCaptureFixture
) -> None:
    session = signing.arrange()
    first = signing.hold(session, age=600, left=3000)
    url = make_s3(session).generate_presigned_url("get_object", Params=OBJECT)
    seen = signing.use(url)
    new = session.get_credentials().get_frozen_credentials()
    assert first != new.access_key
    assert (seen.access_key_id, seen.security_token) == (new.access_key, new.token)
    assert seen.parameters["X-Amz-Expires"] == "3600"
    assert signing.count() == 2
    assert warnings_of(caplog) == []


def test_credentials_that_outlast_the_url_sign_it(signing: Signing) -> None:
    session = signing.arrange()
    first = signing.hold(session, age=600, left=3000)
    url = make_s3(session).generate_presigned_url("get_object", OBJECT, 900)
    seen = signing.use(url)
    assert seen.access_key_id == first
    assert seen.parameters["X-Amz-Expires"] == "900"
    assert signing.count() == 1


def test_first_url_of_a_session_costs_the_one_exchange_that_it_needs(
    signing: Signing, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_s3(signing.arrange())
    client.generate_presigned_url("get_object", Params=OBJECT)
    assert signing.count() == 1
    assert warnings_of(caplog) == []


@pytest.mark.parametrize("seconds", [HOUR, WEEK])
def test_thousand_urls_cost_one_exchange_at_most(
    signing: Signing, seconds: int
) -> None:
    session = signing.arrange()
    signing.hold(session, age=600, left=3000)
    client = make_s3(session)
    for _ in range(1000):
        client.generate_presigned_url("get_object", OBJECT, seconds)
    assert signing.count() == 2


def test_urls_of_many_threads_cost_one_exchange(signing: Signing) -> None:
    session = signing.arrange()
    first = signing.hold(session, age=600, left=3000)
    client = make_s3(session)
    release = threading.Event()
    signing.aws.inject(Fault(until=release))
    with ThreadPoolExecutor(16) as pool:
        urls = [
            pool.submit(
                contextvars.copy_context().run,
                client.generate_presigned_url,
                "get_object",
                OBJECT,
            )
            for _ in range(64)
        ]
        release.set()
        texts = [url.result() for url in urls]
    assert not any(first in text for text in texts)
    assert signing.count() == 2


def test_young_credentials_are_not_renewed_for_a_url(signing: Signing) -> None:
    session = signing.arrange()
    first = signing.hold(session, age=290, left=3310)
    url = make_s3(session).generate_presigned_url("get_object", OBJECT, WEEK)
    assert signing.use(url).access_key_id == first
    assert signing.count() == 1


def test_url_that_no_credentials_outlast_is_one_warning_with_the_true_end(
    signing: Signing, caplog: pytest.LogCaptureFixture
) -> None:
    session = signing.arrange()
    signing.hold(session, age=0, left=HOUR)
    client = make_s3(session)
    for _ in range(3):
        url = client.generate_presigned_url("get_object", OBJECT, WEEK)
    assert signing.use(url).parameters["X-Amz-Expires"] == str(WEEK)
    (said,) = warnings_of(caplog)
    ends = session.get_credentials().keeper.settled.expires_at
    assert "Connection 'aws_default'" in said
    assert "asked for 604800 s" in said
    assert ends.isoformat(timespec="seconds") in said
    assert "DurationSeconds" in said
    assert said.startswith("WARNING ")


def test_source_that_is_down_fails_no_url_and_is_asked_once(
    signing: Signing, caplog: pytest.LogCaptureFixture
) -> None:
    session = signing.arrange()
    first = signing.hold(session, age=600, left=3000)
    signing.aws.inject(DENIED, times=9)
    client = make_s3(session)
    for _ in range(100):
        url = client.generate_presigned_url("get_object", OBJECT)
    assert signing.use(url).access_key_id == first
    assert signing.count() == 2
    (said,) = warnings_of(caplog)
    assert "no new ones could be had now" in said


def test_source_that_hangs_is_waited_for_no_longer_than_by_others(
    signing: Signing, caplog: pytest.LogCaptureFixture
) -> None:
    session = signing.arrange(sign_in_deadline_seconds=1)
    first = signing.hold(session, age=600, left=3000)
    release = threading.Event()
    signing.aws.inject(Fault(until=release))
    client = make_s3(session)
    # The second finds the attempt given up, and the next one not due yet.
    urls = [client.generate_presigned_url("get_object", OBJECT) for _ in range(2)]
    release.set()
    assert all(first in url for url in urls)
    assert signing.count() == 2
    assert len(warnings_of(caplog)) == 1


def test_url_is_not_waited_for_twice_in_the_last_minute(
    signing: Signing, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = signing.arrange()
    first = signing.hold(session, age=600, left=3000)
    ends = watch_waits(session.get_credentials(), monkeypatch)
    release = threading.Event()
    signing.aws.inject(Fault(until=release))
    assert first in make_s3(session).generate_presigned_url("get_object", OBJECT)
    release.set()
    assert set(ends) == {ends[0]}


def test_rds_token_of_a_quarter_of_an_hour_gets_credentials_for_it(
    signing: Signing,
) -> None:
    session = signing.arrange()
    first = signing.hold(session, age=3100, left=500)
    rds = session.client("rds")
    token = rds.generate_db_auth_token("host", 5432, "user")
    asked = parse_qs(urlsplit(f"https://{token}").query)
    assert first not in asked["X-Amz-Credential"][0]
    assert asked["X-Amz-Expires"] == ["900"]
    assert signing.count() == 2


def test_dsql_token_gets_credentials_for_it(signing: Signing) -> None:
    session = signing.arrange()
    if "dsql" not in session.get_available_services():
        pytest.skip("this botocore has none")
    first = signing.hold(session, age=3100, left=500)
    dsql = session.client("dsql")
    for make in (
        dsql.generate_db_connect_auth_token,
        dsql.generate_db_connect_admin_auth_token,
    ):
        assert first not in make("host", ExpiresIn=900)
        assert make("host", None, 60)
    assert signing.count() == 2


def test_presigned_post_gets_credentials_for_it_and_keeps_its_end(
    signing: Signing,
) -> None:
    session = signing.arrange()
    first = signing.hold(session, age=600, left=3000)
    before = datetime.datetime.now(datetime.timezone.utc)
    post = make_s3(session).generate_presigned_post("b", "k", None, None, 3600)
    new = session.get_credentials().get_frozen_credentials()
    assert first not in post["fields"]["x-amz-credential"]
    assert post["fields"]["x-amz-security-token"] == new.token
    policy = json.loads(base64.b64decode(post["fields"]["policy"]))
    ends = datetime.datetime.fromisoformat(policy["expiration"].replace("Z", "+00:00"))
    assert 3590 < (ends - before).total_seconds() < 3660
    assert signing.count() == 2


def test_url_of_s3s_old_signature_gets_credentials_for_it(signing: Signing) -> None:
    session = signing.arrange()
    first = signing.hold(session, age=600, left=3000)
    client = session.client("s3", config=Config(signature_version="s3"))
    asked = parse_qs(
        urlsplit(client.generate_presigned_url("get_object", OBJECT)).query
    )
    new = session.get_credentials().get_frozen_credentials()
    assert first != new.access_key
    assert asked["AWSAccessKeyId"] == [new.access_key]
    assert asked["x-amz-security-token"] == [new.token]
    assert signing.count() == 2


def test_url_that_would_end_early_is_an_error_where_the_connection_says_so(
    signing: Signing, leaks: Leaks, caplog: pytest.LogCaptureFixture
) -> None:
    session = signing.arrange(presigned_urls="error")
    signing.hold(session, age=0, left=HOUR)
    client = make_s3(session)
    key = signing.program.world.texts["OTHER_SECRET"]  # of the customer's, for S3
    with pytest.raises(PresignedUrlError) as raised:
        client.generate_presigned_url(
            "get_object", {**OBJECT, "SSECustomerKey": key}, WEEK
        )
    leaks.check_error(raised.value)
    text = str(raised.value)
    for part in ("'aws_default'", "ExpiresIn", "604800 s", "3600 s", "Ask for less"):
        assert part in text
    assert "'presigned_urls'" in text
    assert text.endswith("docs/troubleshooting.md#presigned-url")
    assert raised.value.conn_id == "aws_default"
    assert client.generate_presigned_url("get_object", OBJECT, 900)
    assert warnings_of(caplog) == []


@pytest.mark.parametrize("age", [0, 290, 310, 3000])
def test_hour_of_credentials_that_last_an_hour_is_no_error_at_any_age(
    signing: Signing, age: float
) -> None:
    session = signing.arrange(presigned_urls="error")
    signing.hold(session, age=age, left=HOUR - age)
    assert make_s3(session).generate_presigned_url("get_object", OBJECT)


@pytest.mark.parametrize(("asked", "warned"), [(3600, 0), (3650, 0), (3900, 1)])
def test_young_credentials_that_never_last_as_long_are_told_of(
    signing: Signing, caplog: pytest.LogCaptureFixture, asked: int, warned: int
) -> None:
    # New ones would end early by less than a twelfth, and these by more.
    session = signing.arrange()
    signing.hold(session, age=299, left=HOUR - 299)
    make_s3(session).generate_presigned_url("get_object", OBJECT, asked)
    said = warnings_of(caplog)
    assert len(said) == warned
    assert all("even new ones last 3600 s" in each for each in said)
    assert signing.count() == 1


@pytest.mark.parametrize(
    ("lifetime", "asked", "warned"),
    [(60, 64, 0), (60, 120, 1), (300, 325, 0), (300, 350, 1)],
)
def test_credentials_of_minutes_that_end_early_are_told_of(
    signing: Signing,
    caplog: pytest.LogCaptureFixture,
    lifetime: int,
    asked: int,
    warned: int,
) -> None:
    session = signing.arrange()
    signing.hold(session, age=0, left=lifetime)
    make_s3(session).generate_presigned_url("get_object", OBJECT, asked)
    assert len(warnings_of(caplog)) == warned


def test_error_comes_only_after_the_renewal_failed(signing: Signing) -> None:
    session = signing.arrange(presigned_urls="error")
    first = signing.hold(session, age=600, left=3000)
    client = make_s3(session)
    assert first not in client.generate_presigned_url("get_object", OBJECT)
    hold(session.get_credentials(), age=600)
    session.get_credentials().keeper.settled.state.held = held_less(session, by=600)
    signing.aws.inject(DENIED)
    with pytest.raises(PresignedUrlError, match="could be had now"):
        client.generate_presigned_url("get_object", OBJECT)
    assert signing.count() == 3


def test_expired_credentials_that_are_served_in_an_outage_are_told_of(
    signing: Signing, caplog: pytest.LogCaptureFixture
) -> None:
    session = signing.arrange(static_stability_seconds=HOUR)
    first = signing.hold(session, age=HOUR, left=30)
    state = session.get_credentials().keeper.settled.state
    state.held = held_less(session, by=60)._replace(serve_until=state.held.ends_at)
    signing.aws.inject(Fault(status=503), times=9)
    client = make_s3(session)
    assert first in client.generate_presigned_url("get_object", OBJECT, -1)
    assert warnings_of(caplog) == []
    assert first in client.generate_presigned_url("get_object", OBJECT, 900)
    (said,) = warnings_of(caplog)
    assert "in 0 s" in said


def held_less(session: Any, *, by: float) -> Any:
    """Return the credentials in memory as they are so many seconds later."""
    held = session.get_credentials().keeper.settled.state.held
    return held._replace(ends_at=held.ends_at - by)


def test_without_any_credentials_the_sources_own_error_is_raised(
    signing: Signing,
) -> None:
    session = signing.arrange(presigned_urls="error")
    signing.aws.inject(DENIED)
    with pytest.raises(StsExchangeError, match="AccessDenied"):
        make_s3(session).generate_presigned_url("get_object", OBJECT)
    assert signing.count() == 1


def test_outage_is_said_again_when_there_is_another_one(
    signing: Signing, caplog: pytest.LogCaptureFixture
) -> None:
    session = signing.arrange()
    client = make_s3(session)
    for outage in (1, 2):
        signing.hold(session, age=600, left=3000 - 60 * outage)
        signing.aws.inject(DENIED)
        for _ in range(3):
            client.generate_presigned_url("get_object", OBJECT)
        assert len(warnings_of(caplog)) == outage
        # The next day: those credentials are gone, and the source is back.
        state = session.get_credentials().keeper.settled.state
        state.held = state.failure = None


def test_rejected_credentials_are_replaced_for_the_next_url(signing: Signing) -> None:
    session = signing.arrange()
    first = signing.hold(session, age=100, left=3500)
    client = make_s3(session)
    assert first in client.generate_presigned_url("get_object", OBJECT)
    assert keepers.reject(first)
    assert first not in client.generate_presigned_url("get_object", OBJECT)
    assert signing.count() == 2


def test_short_lived_credentials_are_not_renewed_for_each_url(
    signing: Signing, caplog: pytest.LogCaptureFixture
) -> None:
    session = signing.arrange()
    first = signing.hold(session, age=55, left=545)
    client = make_s3(session)
    assert first in client.generate_presigned_url("get_object", OBJECT, 600)
    assert signing.count() == 1
    assert warnings_of(caplog) == []


@pytest.mark.parametrize("asked", ["soon", -1, 0, float("nan")])
def test_what_is_no_time_is_left_to_botocore(
    signing: Signing, caplog: pytest.LogCaptureFixture, asked: Any
) -> None:
    session = signing.arrange(presigned_urls="error")
    first = signing.hold(session, age=600, left=3000)
    url = make_s3(session).generate_presigned_url("get_object", OBJECT, asked)
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == [str(asked)]
    assert first in url
    assert signing.count() == 1
    assert warnings_of(caplog) == []


# botocore's signers take an hour where no time is given.
@pytest.mark.parametrize("asked", ["3600", 3600.0, None])
def test_time_may_be_written_as_botocore_reads_it(signing: Signing, asked: Any) -> None:
    session = signing.arrange()
    first = signing.hold(session, age=600, left=3000)
    url = make_s3(session).generate_presigned_url("get_object", OBJECT, asked)
    (shown,) = parse_qs(urlsplit(url).query)["X-Amz-Expires"]
    assert float(shown) == HOUR
    assert first not in url
    assert signing.count() == 2


@pytest.mark.parametrize(
    ("asked", "shown"), [(10**300, "1e+300 s"), (10**400, "inf s")]
)
def test_huge_time_is_said_in_few_words(
    signing: Signing, caplog: pytest.LogCaptureFixture, asked: int, shown: str
) -> None:
    client = make_s3(signing.arrange())
    client.generate_presigned_url("get_object", OBJECT, asked)
    (said,) = warnings_of(caplog)
    assert shown in said
    assert len(said) < 600


def test_handler_of_the_warning_may_sign_urls_itself(signing: Signing) -> None:
    session = signing.arrange()
    signing.hold(session, age=0, left=HOUR)
    client = make_s3(session)
    signed: list[str] = []

    class Uploader(logging.Handler):
        def emit(self, _: logging.LogRecord) -> None:
            signed.append(client.generate_presigned_url("put_object", OBJECT, WEEK))
            raise OSError

    handler = Uploader()
    logging.getLogger(LOGGER).addHandler(handler)
    try:
        assert client.generate_presigned_url("get_object", OBJECT, WEEK)
    finally:
        logging.getLogger(LOGGER).removeHandler(handler)
    assert len(signed) == 1


def test_listener_of_the_renewal_may_sign_urls_itself(signing: Signing) -> None:
    session = signing.arrange()
    first = signing.hold(session, age=600, left=3000)
    client = make_s3(session)
    signed: list[str] = []

    def listen(event: Event) -> None:
        if event.kind == "renewal_started":
            with signing.leaks.user_calls():
                signed.append(client.generate_presigned_url("put_object", OBJECT))

    add_listener(listen)
    try:
        url = client.generate_presigned_url("get_object", OBJECT)
    finally:
        remove_listener(listen)
    # It runs in the thread of the renewal, which it cannot wait for.
    assert [first in each for each in signed] == [True]
    assert first not in url
    assert signing.count() == 2
