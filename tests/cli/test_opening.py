"""A browser is opened without its arguments telling the address."""

from __future__ import annotations

import http.client
import json
import os
import sys
import threading
import webbrowser
from typing import TYPE_CHECKING

import pytest

from botocore_conn_provider.cli.console.opening import Redirection, open_once
from botocore_conn_provider.errors import ConnProviderError
from botocore_conn_provider.secret import Secret
from tests.cli.conftest import CONNECTION

if TYPE_CHECKING:
    from pathlib import Path

    from tests.child import Children
    from tests.cli.console_parts import Console
    from tests.leaks import Leaks, Secrets

BROWSER = """
import http.client, json, sys, urllib.parse
address = urllib.parse.urlsplit(sys.argv[2])
def fetch():
    connection = http.client.HTTPConnection(address.netloc)
    connection.request("GET", address.path)
    answer = connection.getresponse()
    return answer.status, answer.headers["Location"]
seen = {"argv": sys.argv, "first": fetch(), "second": fetch()}
open(sys.argv[1], "w").write(json.dumps(seen))
"""
OPEN = """
    import sys
    from botocore_conn_provider.cli.main import main
    raise SystemExit(main(["console", "--open"]))
"""


def test_browser_is_sent_there_and_its_arguments_say_nothing(
    console: Console, tmp_path: Path, run_python: Children, leaks: Leaks
) -> None:
    program, noted = tmp_path / "browser.py", tmp_path / "noted"
    program.write_text(BROWSER)
    env = {
        CONNECTION: os.environ[CONNECTION],
        "BROWSER": f"{sys.executable} {program} {noted} %s",
    }

    ended = run_python(OPEN, env=env)

    seen = json.loads(noted.read_text())
    assert (ended.stdout, ended.returncode) == ("", 0)
    assert ended.stderr.startswith("botocore-conn: a browser is signed in. The")
    leaks.check_text(" ".join(seen["argv"]))
    assert seen["first"][0] == 302
    assert f"SigninToken={console.token}" in seen["first"][1]
    assert seen["second"] == [404, None]


def test_no_browser_is_an_error_that_says_what_to_do(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    ended = console("--open")
    assert (ended.out, ended.code) == ("", 1)
    assert "no browser could be started here." in ended.err
    assert "Without --open the address is printed." in ended.err


def test_browser_that_does_not_come_is_an_error(
    secrets: Secrets, monkeypatch: pytest.MonkeyPatch, leaks: Leaks
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: True)
    address = Secret(secrets.new("address"))
    with pytest.raises(ConnProviderError, match="the browser did not come") as caught:
        open_once(address, conn_id="c", patience_seconds=0.01)
    leaks.check_error(caught.value)


def ask(server: Redirection, method: str, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1])
    connection.request(method, path)
    status = connection.getresponse().status
    connection.close()
    return status


def test_who_guesses_gets_nothing_and_takes_nothing_away() -> None:
    with Redirection(Secret("https://there")) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert ask(server, "GET", "/") == 404
        assert ask(server, "GET", f"{server.path}x") == 404
        assert ask(server, "HEAD", server.path) == 501
        assert ask(server, "POST", server.path) == 501
        assert not server.came.is_set()
        assert ask(server, "GET", server.path) == 302
        server.shutdown()
