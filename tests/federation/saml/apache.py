"""Apache httpd with mod_auth_gssapi in front of a page, as a process of ours."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.federation.saml.realm import Realm

MODULES = Path("/usr/lib/apache2/modules")
CONFIG = """
ServerName localhost
ServerRoot {directory}
PidFile {directory}/apache.pid
ErrorLog {directory}/error.log
LogFormat "%>s" status
CustomLog {directory}/access.log status
Listen 127.0.0.1:{port}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule auth_gssapi_module {modules}/mod_auth_gssapi.so
LoadModule mime_module {modules}/mod_mime.so
TypesConfig /dev/null
AddType text/html .html
DocumentRoot {directory}/www
<Directory {directory}/www>
  AuthType GSSAPI
  AuthName "corp"
  GssapiCredStore keytab:{keytab}
  GssapiAcceptorName HTTP@localhost
  Require valid-user
</Directory>
"""


class Apache:
    """The running server and the statuses it answered with."""

    def __init__(self, directory: Path, port: int) -> None:
        self.url = f"http://localhost:{port}/page.html"
        self._log = directory / "access.log"

    def statuses(self, count: int) -> list[int]:
        """Return the statuses logged so far, waiting for `count` of them."""
        for _ in range(100):
            found = [int(line) for line in self._log.read_text().splitlines()]
            if len(found) >= count:
                break
            time.sleep(0.02)
        return found


@contextlib.contextmanager
def run_apache(realm: Realm, page: str) -> Iterator[Apache]:
    """Serve `page` to whoever signs in."""
    # Not in pytest's directories: Apache serves as another user where we are root,
    # and only this one may be opened to others.
    with (
        tempfile.TemporaryDirectory() as made,
        _run(Path(made), realm, page) as apache,
    ):
        yield apache


@contextlib.contextmanager
def _run(directory: Path, realm: Realm, page: str) -> Iterator[Apache]:
    binary = shutil.which("apache2", path="/usr/sbin")
    missing = not binary or not (MODULES / "mod_auth_gssapi.so").exists()
    assert not missing, "apt-get install apache2-bin libapache2-mod-auth-gssapi"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (directory / "www").mkdir()
    (directory / "www" / "page.html").write_text(page)
    directory.chmod(0o755)
    (directory / "www").chmod(0o755)
    keytab = directory / "keytab"
    shutil.copy(realm.service_keytab, keytab)
    keytab.chmod(0o644)  # of a realm that ends with the tests
    replays = directory / "replays"
    replays.mkdir()
    replays.chmod(0o777)
    config = directory / "apache.conf"
    config.write_text(
        CONFIG.format(directory=directory, port=port, modules=MODULES, keytab=keytab)
        + "User www-data\nGroup www-data\n"
        + f"LoadModule unixd_module {MODULES}/mod_unixd.so\n" * _is_shared("unixd")
    )
    environment = {**realm.environment("MEMORY:a"), "KRB5RCACHEDIR": str(replays)}
    process = subprocess.Popen(
        [str(binary), "-f", str(config), "-DFOREGROUND"], env=environment
    )
    try:
        _wait_for(port, process)
        yield Apache(directory, port)
    finally:
        process.terminate()
        process.wait()


def _is_shared(name: str) -> bool:
    return (MODULES / f"mod_{name}.so").exists()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, "Apache ended at once"
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port)),
        ):
            return
        time.sleep(0.05)
    raise AssertionError("Apache does not listen")
