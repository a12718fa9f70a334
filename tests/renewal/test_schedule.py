from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botocore_conn_provider.connection.settings import OwnSettings
from botocore_conn_provider.renewal.schedule import (
    RenewalPolicy,
    Windows,
    choose_renewal,
    choose_retry,
    plan_windows,
)

MINUTE, HOUR = 60, 3600


@pytest.mark.parametrize(
    ("lifetime", "advisory", "mandatory"),
    [
        (40, 20, 10),
        (8 * MINUTE, 4 * MINUTE, 60),
        (15 * MINUTE, 5 * MINUTE, 60),
        (20 * MINUTE, 5 * MINUTE, 60),
        (21 * MINUTE, 10.5 * MINUTE, 60),
        (HOUR, 15 * MINUTE, 60),
        (90 * MINUTE, 45 * MINUTE, 60),
        (12 * HOUR, HOUR, 60),
    ],
)
def test_windows_follow_from_the_lifetime(
    lifetime: float, advisory: float, mandatory: float
) -> None:
    assert plan_windows(lifetime, RenewalPolicy()) == Windows(advisory, mandatory)


@pytest.mark.parametrize(
    ("asked", "planned"),
    [
        ((600.0, 120.0), Windows(600, 120)),
        ((9999.0, 9999.0), Windows(1800, 900)),
        ((0.0, 30.0), Windows(30, 30)),
        ((0.0, 0.0), Windows(0, 0)),
    ],
)
def test_overridden_windows_keep_their_bounds(
    asked: tuple[float, float], planned: Windows
) -> None:
    policy = RenewalPolicy(advisory_seconds=asked[0], mandatory_seconds=asked[1])
    assert plan_windows(HOUR, policy) == planned


def test_policy_takes_over_what_the_connection_says() -> None:
    own = OwnSettings(
        sign_in_deadline_seconds=7.0,
        advisory_seconds=1.0,
        mandatory_seconds=2.0,
        static_stability_seconds=3.0,
    )
    assert RenewalPolicy.from_settings(own) == RenewalPolicy(1.0, 2.0, 3.0, 7.0)


@given(
    st.floats(1, 48 * HOUR),
    st.floats(0, 7200),
    st.floats(0, 7200),
    st.floats(0, 600),
    st.integers(),
)
def test_renewal_lies_between_the_windows(
    lifetime: float, advisory: float, mandatory: float, took: float, seed: int
) -> None:
    policy = RenewalPolicy(advisory_seconds=advisory, mandatory_seconds=mandatory)
    windows = plan_windows(lifetime, policy)
    uniform = random.Random(seed).uniform  # noqa: S311
    point = choose_renewal(lifetime, windows, exchange_seconds=took, uniform=uniform)
    middle = (windows.advisory_seconds + windows.mandatory_seconds) / 2
    assert lifetime - windows.advisory_seconds <= point <= lifetime - middle + 1e-6


def test_slow_exchange_begins_earlier() -> None:
    windows = Windows(900, 60)
    last = choose_renewal(
        3600, windows, exchange_seconds=20, uniform=lambda _low, high: high
    )
    assert last == 3600 - 900 + 420 - 20


@given(st.floats(0, 7200), st.integers())
def test_attempts_before_a_boundary_are_few_and_one_is_near(
    gap: float, seed: int
) -> None:
    uniform = random.Random(seed).uniform  # noqa: S311
    now, points = 0.0, []
    while now < gap:
        now = choose_retry(now, gap, within=(300, 600), uniform=uniform)
        assert now <= gap
        points.append(now)
    assert len(points) <= 8 + gap / 300
    assert points == [] or points[-1] == gap
