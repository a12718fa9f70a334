"""Which texts are the ARN of a role. No pattern is compiled for it at a start."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from botocore_conn_provider.connection.role import is_role_arn

# As AWS's reference of STS has it.
PATTERN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,576}", re.ASCII)
RIGHT = "arn:aws-us-gov:iam::123456789012:role/path/na_me+=,.@-"
PARTS = ("arn:", "aws", "-cn", ":iam::", "123456789012", ":role/", "a", "/", "\n", "é")


@pytest.mark.parametrize("cut", range(len(RIGHT)))
def test_arn_with_a_wrong_character_anywhere_is_judged_as_the_pattern_does(
    cut: int,
) -> None:
    for character in ("", ":", "Z", "٣", "\n"):
        text = RIGHT[:cut] + character + RIGHT[cut + 1 :]
        assert is_role_arn(text) == bool(PATTERN.fullmatch(text)), text


@given(st.lists(st.sampled_from(PARTS), max_size=12).map("".join))
@example("arn:aws:iam::123456789012:role/" + "a" * 576)
@example("arn:aws:iam::123456789012:role/" + "a" * 577)
@example("arn:aws:iam::123456789012:role/a:role/b")
@example("arn:aws:iam::123456789012:iam::123456789012:role/a")
def test_arn_is_judged_as_the_pattern_does(text: str) -> None:
    assert is_role_arn(text) == bool(PATTERN.fullmatch(text))
