"""`/metrics` of `serve`: figures that Prometheus reads, for who shows the token."""

from __future__ import annotations

import contextlib
import http.client
import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from botocore_conn_provider.cli.serve_metrics import ServeMetrics
from botocore_conn_provider.endpoint.endpoint import Answered
from botocore_conn_provider.endpoint.supply import FixedSupply
from botocore_conn_provider.events import Event, announce
from botocore_conn_provider.renewal.runtime import Runtime
from botocore_conn_provider.renewal.store.ask_log import AskNotes, Subject
from botocore_conn_provider.renewal.store.directory import open_directory
from tests.cli.serving import ROLE, find_port, get
from tests.endpoint.asking import make_credentials, open_fixed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.serving import Neighbourhood
    from tests.leaks import Leaks, Secrets

EXPIRY = "botocore_conn_credentials_expiry_timestamp_seconds"
STORE_ASKS = "botocore_conn_store_asks_total"


class Scraped:
    """What Prometheus makes of an answer."""

    def __init__(self, body: str) -> None:
        self.families = list(text_string_to_metric_families(body))
        self.samples = [s for family in self.families for s in family.samples]

    def find(self, name: str, **labels: str) -> list[float]:
        """Return the values of a metric with at least these labels."""
        return [
            sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]


def scrape(port: int, token: str) -> tuple[str, str]:
    """Return the body and its type."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.request("GET", "/metrics", headers={"Authorization": token})
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.read().decode(), str(answer.headers["Content-Type"])


def test_figures_of_the_endpoint_and_of_the_store(
    neighbourhood: Neighbourhood, tmp_path: Path, leaks: Leaks
) -> None:
    neighbourhood.environ["BOTOCORE_CONN_STORE"] = str(tmp_path)
    variables = neighbourhood.serve().read_variables()
    port, token = find_port(variables), read_token(variables)
    assert get(port, "/credentials", token).status == 200
    assert get(port, "/credentials", "wrong").status == 401
    body, kind = scrape(port, token)
    scraped = Scraped(body)
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    (expiry,) = scraped.find(EXPIRY, connection="aws_default")
    assert 3500 < expiry - time.time() <= 3602
    answers = "botocore_conn_answers_total"
    assert scraped.find(answers, code="Success") == [1]
    assert scraped.find(answers, code="WrongToken") == [1]
    assert scraped.find(STORE_ASKS, role_arn=ROLE, outcome="succeeded") == [1]
    assert scraped.find(STORE_ASKS, role_arn=ROLE, outcome="failed") == [0]
    assert scraped.find("botocore_conn_store_failing", role_arn=ROLE) == [0]
    (shared,) = scraped.find("botocore_conn_store_expiry_timestamp_seconds")
    assert abs(shared - expiry) < 2
    (renewed,) = scraped.find("botocore_conn_store_last_renewal_timestamp_seconds")
    assert abs(time.time() - renewed) < 300
    leaks.check_text(body, place="/metrics")


def read_token(variables: dict[str, str]) -> str:
    return variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]


def test_nothing_is_told_without_the_token(neighbourhood: Neighbourhood) -> None:
    variables = neighbourhood.serve().read_variables()
    port = find_port(variables)
    assert get(port, "/metrics").status == 401
    assert get(port, "/metrics", "wrong").status == 401


def test_token_may_be_sent_as_prometheus_does(neighbourhood: Neighbourhood) -> None:
    variables = neighbourhood.serve().read_variables()
    port, token = find_port(variables), read_token(variables)
    assert scrape(port, f"Bearer {token}")[0].startswith("# HELP botocore_conn_")
    assert get(port, "/metrics", "Bearer wrong").status == 401
    assert get(port, "/credentials", f"Bearer {token}").status == 401


def test_without_a_store_the_endpoint_tells_of_itself(
    neighbourhood: Neighbourhood,
) -> None:
    variables = neighbourhood.serve().read_variables()
    body, _ = scrape(find_port(variables), read_token(variables))
    scraped = Scraped(body)
    assert len(scraped.find(EXPIRY)) == 1
    assert scraped.find(STORE_ASKS) == []


def test_endpoint_of_a_program_has_no_metrics(secrets: Secrets) -> None:
    with open_fixed(secrets) as endpoint:
        assert get(endpoint.port, "/metrics", endpoint.token.reveal()).status == 404


@pytest.fixture
def metrics(secrets: Secrets, tmp_path: Path) -> ServeMetrics:
    supply = FixedSupply(make_credentials(secrets))
    return ServeMetrics(supply, conn_id="lake", store_path=tmp_path / "store")


def read(metrics: ServeMetrics) -> Scraped:
    return Scraped(metrics.write().decode())


def test_renewals_are_counted_by_their_outcome(metrics: ServeMetrics) -> None:
    def renew(kind: Any) -> None:
        announce(Event(kind, "lake"))

    with metrics.counting():
        for kind in ("renewal_started", "renewal_succeeded", "renewal_failed"):
            renew(kind)
        renew("renewal_failed")
    renew("renewal_failed")
    name = "botocore_conn_renewals_total"
    assert read(metrics).find(name, outcome="succeeded") == [1]
    assert read(metrics).find(name, outcome="failed") == [2]


def note_ask(place: Path, name: str, role_arn: str) -> None:
    """Note, in a store, an ask for a role."""
    directory = open_directory(place)
    clocks = Runtime()
    notes = AskNotes(directory, name, subject=Subject("lake", role_arn), clocks=clocks)
    notes.add(began=clocks.elapsed(), ends_at=clocks.elapsed() + 60)
    os.close(directory)


def test_odd_names_are_written_so_that_they_are_read_again(
    metrics: ServeMetrics, tmp_path: Path
) -> None:
    odd = 'a"b\\n\\c\nd'
    note_ask(tmp_path / "store", "a" * 64, odd)
    assert read(metrics).find(STORE_ASKS, role_arn=odd, outcome="succeeded") == [1]


def test_half_a_character_is_written_as_a_question_mark(
    metrics: ServeMetrics, tmp_path: Path
) -> None:
    note_ask(tmp_path / "store", "a" * 64, "plain")
    (path,) = (tmp_path / "store").glob("asks-*")
    path.write_bytes(path.read_bytes().replace(b'"plain"', b'"\\udc80"'))
    assert read(metrics).find(STORE_ASKS, role_arn="?", outcome="succeeded") == [1]


def test_figures_that_cannot_be_written_end_no_endpoint(secrets: Secrets) -> None:
    def fail() -> bytes:
        raise OSError

    with open_fixed(secrets, write_metrics=fail) as endpoint:
        token = endpoint.token.reveal()
        assert get(endpoint.port, "/metrics", token).status == 500
        assert get(endpoint.port, "/healthz").status == 200


def test_two_identities_of_one_role_are_two_series(
    metrics: ServeMetrics, tmp_path: Path
) -> None:
    for name in ("a" * 64, "b" * 64):
        note_ask(tmp_path / "store", name, ROLE)
    found = read(metrics).samples
    series = [(s.name, tuple(sorted(s.labels.items()))) for s in found]
    assert len(series) == len(set(series))
    assert len(read(metrics).find(STORE_ASKS, outcome="failed")) == 2


def test_closed_store_takes_nothing_from_the_endpoints_own_figures(
    metrics: ServeMetrics, tmp_path: Path
) -> None:
    (tmp_path / "store").mkdir(mode=0o755)
    metrics.count_answer(Answered(200, "Success"))
    assert read(metrics).find("botocore_conn_answers_total") == [1]
