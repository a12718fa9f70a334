"""No text in a variable breaks the look at proxies, and none of a proxy's URL is told."""

from __future__ import annotations

import os
import re
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

import pytest
from botocore.utils import get_environ_proxies
from hypothesis import given, settings
from hypothesis import strategies as st

from botocore_conn_provider.cli.neighbours.proxy_exceptions import (
    find_endpoint_by_proxy,
    find_metadata_by_proxy,
    is_bypassed,
)
from botocore_conn_provider.endpoint.variables import FULL_URI, NO_PROXY, PROXIES
from tests.thoroughness import examples

words = st.one_of(
    st.text(max_size=12),
    st.text("/:@[]%#?.*0129ahtp", max_size=20).map("http://".__add__),
    st.text("0123456789./:*, ", max_size=20),
)
names = st.sampled_from(
    [FULL_URI, *PROXIES, "Http_Proxy", *NO_PROXY, "_PROXY", "_proxy"]
)


@settings(max_examples=examples(300), deadline=None)
@given(environ=st.dictionaries(names, words), url=words)
def test_no_text_breaks_it(environ: dict[str, str], url: str) -> None:
    for found in (
        *find_endpoint_by_proxy(environ),
        *find_metadata_by_proxy(environ, url),
    ):
        assert found.name in environ
        assert found.text.isprintable()


@settings(max_examples=examples(300), deadline=None)
@given(
    exceptions=st.lists(
        st.sampled_from(
            [
                "169.254.169.254",
                "*",
                ".254",
                "254",
                "169.254.0.0/16",
                " a.b ",
                "A.B",
                "b",
                "169.254.169.254:80",
                "fd00:ec2::254",
                "[fd00:ec2::254]",
                "",
            ]
        ),
        max_size=3,
    ).map(",".join),
    address=st.sampled_from(
        [
            "169.254.169.254",
            "169.254.169.254:80",
            "a.b",
            "x.a.b:1",
            "[fd00:ec2::254]",
            "[fd00:ec2::254]:80",
        ]
    ),
)
def test_bypass_is_urllibs_which_botocore_goes_by(
    exceptions: str, address: str
) -> None:
    theirs = proxy_bypass_environment(address, {"no": exceptions})
    assert is_bypassed(exceptions, address) is bool(theirs)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254",
        "http://[fd00:ec2::254]",
        "http://[fd00:ec2::254]:80/",
        "http://Metadata.example:80/",
    ],
)
def test_exception_that_is_asked_for_has_botocore_ask_without_the_proxy(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"HTTP_PROXY": "http://proxy.example:3128"}
    (found,) = find_metadata_by_proxy(environ, url)
    (added,) = re.findall(r"^Add (\S+) to NO_PROXY and no_proxy", found.fix)
    environ |= dict.fromkeys(NO_PROXY, added)
    assert list(find_metadata_by_proxy(environ, url)) == []
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert get_environ_proxies(url) == {}


@pytest.mark.parametrize(
    "password", ["p/a", "p@b", "p#c", "p?d", "p:e", "p%2Ff", "p g", "[p"]
)
def test_password_of_a_proxy_is_not_told(password: str) -> None:
    proxy = f"http://robot:{password}sesame@proxy.example:3128"
    environ = {"HTTP_PROXY": proxy, FULL_URI: "http://127.0.0.1:1/x"}
    found = [
        *find_endpoint_by_proxy(environ),
        *find_metadata_by_proxy(environ, "http://169.254.169.254"),
    ]
    assert len(found) == 2
    assert "sesame" not in repr(found)
    assert "robot" not in repr(found)
    assert os.linesep not in "".join(each.text for each in found)
