from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.child import Children

DEMO = Path(__file__).parents[2] / "examples" / "demo"
# It runs as `python saml_flow.py` would, with its own folder to import from.
RUN = """
    import runpy, sys
    sys.path.insert(0, sys.argv[1])
    runpy.run_path(sys.argv[1] + "/saml_flow.py", run_name="__main__")
"""


@pytest.mark.kerberos
def test_demo_signs_in_and_is_refused_without_a_ticket(run_python: Children) -> None:
    ended = run_python(RUN, str(DEMO))

    assert ended.returncode == 0, ended.stderr
    (notice,) = ended.stderr.splitlines()  # of the connection: it is true here
    assert "'assume_role_with_saml.idp_url' is plain http" in notice
    assert "The IdP answered        [401, 200]" in ended.stdout
    assert "arn:aws:sts::123456789012:assumed-role/analyst/" in ended.stdout
    assert "Requests to AWS         3, one of them to sign in" in ended.stdout
    assert "Kerberos: there is no ticket" in ended.stdout
    assert ended.stdout.endswith("Requests to AWS         0\n\n")
    assert "SAMLResponse" not in ended.stdout


def test_demo_says_in_one_line_what_is_missing(run_python: Children) -> None:
    # None of the programs is there, wherever this machine has its own.
    hide = "import shutil; shutil.which = lambda *_, **__: None\n"
    ended = run_python(hide + RUN.replace("\n    ", "\n"), str(DEMO))

    assert (ended.returncode, ended.stderr) == (0, "")
    (line,) = ended.stdout.splitlines()
    assert line.startswith("The SAML flow is left out; missing: krb5-kdc (apt)")
