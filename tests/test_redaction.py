"""What looks like a secret is hidden wherever it stands; what people need stays."""

from __future__ import annotations

import base64
import random
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botocore_conn_provider.errors import (
    InvalidConnectionError,
    Problem,
    describe_error,
)
from botocore_conn_provider.masking import LARGEST_TEXT, mask
from botocore_conn_provider.redaction import (
    show_error,
    show_label,
    show_origin,
    show_system_error,
    show_words,
)
from tests.thoroughness import examples

MESSAGES = [
    line
    for line in (Path(__file__).parent / "cases/redaction/readable.txt")
    .read_text(encoding="utf-8")
    .splitlines()
    if not line.startswith("#")
]
LONGEST_PIECE = 15
KEY_LETTERS = string.ascii_letters + string.digits + "+/"
URL_LETTERS = string.ascii_letters + string.digits + "-_"
# `isolated` and `leaks` run once for all examples, which is enough here. Always the
# same examples: one half of a key in some 25,000 reads like a word (docs/decisions.md).
tried = settings(
    derandomize=True,
    max_examples=examples(400),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def draw_from(letters: str, *, least: int, most: int) -> st.SearchStrategy[str]:
    """Texts as a random generator makes them: an example is a seed and a length."""

    def build(seed: int, length: int) -> str:
        return "".join(random.Random(seed).choices(letters, k=length))  # noqa: S311

    return st.builds(build, st.integers(0, 2**64), st.integers(least, most))


secret_keys = draw_from(KEY_LETTERS, least=40, most=40)
session_tokens = draw_from(KEY_LETTERS, least=200, most=900).map("IQoJ{}==".format)
opaque_tokens = draw_from(URL_LETTERS, least=60, most=300).map("ya29.{}".format)
signatures = draw_from(URL_LETTERS, least=43, most=342)
jwts = st.builds(
    "eyJ{}.eyJ{}.{}".format,
    draw_from(URL_LETTERS, least=20, most=60),
    draw_from(URL_LETTERS, least=60, most=300),
    signatures,
)
assertions = st.builds(
    lambda name, tail: base64.b64encode(
        f'<saml2p:Response ID="{name}"><saml2:Issuer>{tail}'.encode()
    ).decode(),
    draw_from(KEY_LETTERS, least=32, most=32),
    draw_from(KEY_LETTERS, least=100, most=400),
)


def find_pieces(secret: str, shown: str) -> list[str]:
    """Return every piece of `secret` in `shown` that is too long to be shown."""
    size = LONGEST_PIECE + 1
    starts = range(len(secret) - size + 1)
    return [
        secret[start : start + size]
        for start in starts
        if secret[start : start + size] in shown
    ]


@st.composite
def embedded(draw: st.DrawFn, secrets: st.SearchStrategy[str]) -> tuple[str, str]:
    """Put a secret at any place of any message, set off or glued to its words."""
    secret, message = draw(secrets), draw(st.sampled_from(MESSAGES))
    place = draw(st.integers(0, len(message)))
    before, after = draw(
        st.sampled_from(
            [("", ""), (" ", " "), ("'", "'"), ("=", "&"), ("\n", "\n"), ('":"', '"')]
        )
    )
    return secret, f"{message[:place]}{before}{secret}{after}{message[place:]}"


@tried
@given(case=embedded(secret_keys | session_tokens | assertions))
def test_secret_at_any_place_of_any_message_never_survives(
    case: tuple[str, str],
) -> None:
    secret, text = case
    assert find_pieces(secret, mask(text)) == []


@tried
@given(case=embedded(jwts))
def test_token_at_any_place_of_any_message_never_survives(
    case: tuple[str, str],
) -> None:
    token, text = case
    shown = mask(text)
    assert token not in shown
    assert find_pieces(token.partition(".")[2][:40], shown) == []


@tried
@given(token=opaque_tokens)
def test_opaque_token_is_hidden_as_a_whole(token: str) -> None:
    assert mask(f"the token {token} has expired") == "the token *** has expired"


@tried
@given(
    secret=secret_keys,
    cut=st.integers(16, 24),
    between=st.sampled_from(["\n", '" "', "' '", "\\\n", "\r\n    "]),
)
def test_halves_of_a_key_never_survive(secret: str, cut: int, between: str) -> None:
    shown = mask(f"key: {secret[:cut]}{between}{secret[cut:]} end")
    assert find_pieces(secret, shown) == []


@tried
@given(case=embedded(secret_keys), longest=st.integers(1, 400))
def test_shortening_never_brings_a_piece_back(
    case: tuple[str, str], longest: int
) -> None:
    secret, text = case
    shown = show_words(text, longest)
    assert find_pieces(secret, shown) == []
    assert len(shown) <= longest


@tried
@given(secret=secret_keys, filler=st.integers(LARGEST_TEXT - 60, LARGEST_TEXT + 20))
def test_end_of_what_is_read_cuts_no_key(secret: str, filler: int) -> None:
    shown = mask("a " * (filler // 2) + secret + " b")
    assert find_pieces(secret, shown) == []


@pytest.mark.parametrize("message", MESSAGES)
def test_message_that_people_need_stays(message: str) -> None:
    assert mask(message) == message


def test_there_are_sixty_messages_and_more() -> None:
    assert len(MESSAGES) >= 60


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic ***"),
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer ***"),
        ("sent Negotiate YIIZxgYGKwYB", "sent Negotiate ***"),
        ("offers Basic, Negotiate", "offers Basic, Negotiate"),
        ("Basic authentication failed", "Basic authentication failed"),
        ("http://jane:pa55@proxy.corp:3128", "http://***@proxy.corp:3128"),
        ("http://jane:pa/55@proxy.corp:3128/x", "http://***@proxy.corp:3128/x"),
        ("http://token@proxy.corp/", "http://***@proxy.corp/"),
        (
            "https://s3.amazonaws.com/b/k?X-Amz-Security-Token=IQ&X-Amz-Date=1",
            "https://s3.amazonaws.com/b/k?***",
        ),
        ("https://idp.corp/sso#id_token=ab", "https://idp.corp/sso#***"),
        (
            "https://h.corp:443/users/jane@corp.org",
            "https://h.corp:443/users/jane@corp.org",
        ),
        ("password=hunter2 and more", "password=*** and more"),
        ("aws_session_token = abc", "aws_session_token = ***"),
        ('{"SecretAccessKey": "abc", "x": 1}', '{"SecretAccessKey": "***", "x": 1}'),
        ('{"SessionToken":"a b', '{"SessionToken":"***"'),
        ("client_secret: 'a b c'", "client_secret: '***'"),
        ("Password: hunter2", "Password: ***"),
        ("password: swordfish", "password: ***"),
        ("SAMLResponse=PHNhbWw&RelayState=x", "SAMLResponse=***&RelayState=x"),
        ("token_file=/run/token", "token_file=/run/token"),
        ("AKIAIOSFODNN7EXAMPLE is inactive", "…MPLE is inactive"),
        ("key AKIAIOSFODNN7EXAMPLE/20261124", "key …MPLE/20261124"),
    ],
)
def test_secret_by_its_name_or_place_is_hidden(text: str, shown: str) -> None:
    assert mask(text) == shown


def test_arn_that_holds_a_key_is_hidden() -> None:
    key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    assert key[:16] not in mask(f"arn:aws:iam::123456789012:role/{key}")


def test_known_value_is_hidden_and_a_tiny_one_is_not() -> None:
    assert show_words("code 123456 of a", known=[123456, "a"]) == "code *** of a"


def test_longer_known_value_is_hidden_first() -> None:
    assert show_words("it is abcdef", known=["abcd", "abcdef"]) == "it is ***"


def test_words_are_on_one_line_and_printable() -> None:
    assert show_words("one\n  two\tthree\x1b[0m") == "one two three?[0m"


def test_label_is_short() -> None:
    assert len(show_label("word " * 40)) == 80


def test_error_is_shown_with_its_kind() -> None:
    assert show_error(ValueError("password=x")) == "ValueError: password=***"


def test_system_error_is_shown_by_the_systems_words() -> None:
    assert show_system_error(PermissionError(13, "Permission denied", "/f")) == (
        "Permission denied"
    )
    assert show_system_error(OSError("made up")) == "OSError"


def test_own_error_is_shown_as_it_is_and_a_foreign_one_is_masked() -> None:
    own = InvalidConnectionError(
        conn_id="a", problems=[Problem("f", "is token=x", "Fix it.")]
    )
    assert "is token=x" in describe_error(own)
    assert describe_error(ValueError("token=x")) == "token=***"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "https://user:hunter2@idp.corp.test:8443/login?code=1",
            "https://idp.corp.test:8443",
        ),
        ("http://[fd00:ec2::254]/latest", "http://[fd00:ec2::254]"),
        ("http://[::1]:1338/latest", "http://[::1]:1338"),
        ("https://AKIA:hunter2", "https://akia"),
        ("https://idp.corp.test", "https://idp.corp.test"),
    ],
)
def test_of_a_url_scheme_host_and_port_are_shown(url: str, shown: str) -> None:
    assert show_origin(url) == shown
