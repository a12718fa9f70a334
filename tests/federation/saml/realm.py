"""A Kerberos realm of our own: MIT's KDC on a loopback port."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

REALM = "CORP.TEST"
HOSTS = ("idp.corp.test", "idp2.corp.test", "localhost")
COMMANDS = ("krb5kdc", "kinit", "kadmin.local")


def load_k5test() -> Any:
    """Import k5test, which cannot be had without the system packages.

    Where it is not compiled yet, Python warns of its source text, which is not ours.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import k5test
    return k5test


class Realm:
    """The realm, its users and what a process needs to be in it."""

    def __init__(self) -> None:
        path = f"{os.environ.get('PATH', '')}:/usr/sbin"
        missing = [name for name in COMMANDS if not shutil.which(name, path=path)]
        assert not missing, (
            f"{missing}: apt-get install krb5-kdc krb5-admin-server krb5-user"
        )
        self._k5 = load_k5test().K5Realm(
            realm=REALM,
            portbase=_find_port(),
            get_creds=False,
            create_host=False,
            krb5_conf={
                "libdefaults": {"dns_canonicalize_hostname": "false", "rdns": "false"},
                "realms": {"$realm": {"kdc": "127.0.0.1:$port0"}},
                "domain_realm": {".corp.test": REALM},
            },
        )
        self.directory = Path(self._k5.tmpdir)
        self.directory.chmod(0o755)  # Apache reads krb5.conf as another user
        self.user = str(self._k5.user_princ)
        for host in HOSTS:
            self._k5.addprinc(f"HTTP/{host}@{REALM}")
            self._k5.extract_keytab(f"HTTP/{host}@{REALM}", self._k5.keytab)
        self.service_keytab = str(self._k5.keytab)
        self._counter = 0

    def stop(self) -> None:
        self._k5.stop()

    def environment(self, cache: str) -> dict[str, str]:
        """Return the variables of a process of the realm with a cache of its own."""
        return {
            "KRB5_CONFIG": str(self._k5.env["KRB5_CONFIG"]),
            "KRB5CCNAME": cache,
            "KRB5_CLIENT_KTNAME": str(self.directory / "no-client-keytab"),
            "KRB5_KTNAME": self.service_keytab,
            "KRB5RCACHEDIR": str(self.directory),
        }

    def new_cache(self, kind: str = "FILE") -> str:
        """Return the name of a cache that is not there yet."""
        self._counter += 1
        path = self.directory / f"cache-{self._counter}"
        if kind == "DIR":
            path.mkdir()
        return f"{kind}:{path}"

    def log_in(self, cache: str, *, life: str = "1h") -> None:
        """Put a ticket of the user into a cache."""
        subprocess.run(
            [str(self._k5._kinit), "-l", life, "-c", cache, self.user],
            input=self._k5.password("user").encode(),
            env={**os.environ, **self._k5.env},
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def make_keytab(self, principal: str) -> Path:
        """Return a client keytab of a new principal of that name."""
        self._k5.addprinc(f"{principal}@{REALM}", "password")
        path = self.directory / f"{principal}.keytab"
        self._k5.extract_keytab(f"{principal}@{REALM}", str(path))
        return path

    def change_key(self, principal: str) -> None:
        self._k5.run_kadminl(["cpw", "-randkey", f"{principal}@{REALM}"])

    def remove(self, principal: str) -> None:
        self._k5.run_kadminl(["delprinc", "-force", f"{principal}@{REALM}"])

    def write_config(self, name: str, settings: Mapping[str, str]) -> str:
        """Return another krb5.conf, with other lines in [libdefaults]."""
        text = Path(self._k5.env["KRB5_CONFIG"]).read_text()
        for key, value in settings.items():
            kept = [
                line for line in text.splitlines() if not line.strip().startswith(key)
            ]
            text = "\n".join(kept).replace(
                "[libdefaults]", f"[libdefaults]\n\t{key} = {value}"
            )
        path = self.directory / name
        path.write_text(text + "\n")
        return str(path)

    def stop_kdc(self) -> None:
        self._k5.stop_kdc()

    def start_kdc(self) -> None:
        self._k5.start_kdc()


def _find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
