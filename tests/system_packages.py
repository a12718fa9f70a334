"""What tests marked `kerberos` need beyond Python: a KDC, Apache, xmlsec1.

They are never skipped: where the packages are missing, a test that was asked for fails
with the command that installs them.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

COMMAND = (
    "development/system-packages tests/system-packages.txt &&"
    " python -m pip install -e '.[dev,test-kerberos]'"
)
PROGRAMS = ("krb5kdc", "kadmin.local", "kinit", "apache2", "xmlsec1")
APACHE_MODULE = Path("/usr/lib/apache2/modules/mod_auth_gssapi.so")
MODULES = ("gssapi", "requests_gssapi", "k5test", "saml2")


def find_missing() -> list[str]:
    """Return the names of the programs and modules that are not there."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    missing = [name for name in PROGRAMS if not shutil.which(name, path=path)]
    missing += [APACHE_MODULE.name] * (not APACHE_MODULE.exists())
    return missing + [
        name for name in MODULES if importlib.util.find_spec(name) is None
    ]


def explain(missing: list[str]) -> str:
    """Return what a test that cannot run says."""
    return f"Missing: {', '.join(missing)}. Run: {COMMAND}"
