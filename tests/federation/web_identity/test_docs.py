"""The troubleshooting table uses the errors' own words."""

from __future__ import annotations

import re
from pathlib import Path

import botocore_conn_provider

ROOT = Path(botocore_conn_provider.__file__).parent
PAGE = Path(__file__).parents[3] / "docs" / "web-identity.md"


def test_troubleshooting_uses_the_errors_words() -> None:
    table = PAGE.read_text().partition("## Troubleshooting")[2]
    quoted = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    sources = (ROOT / "federation" / "web_identity").rglob("*.py")
    code = "".join(path.read_text() for path in sources)
    words = re.sub(r'"\s+f?"', "", code)
    missing = [
        q for q in quoted if q.removesuffix(" 400").removesuffix(" 403") not in words
    ]
    assert len(quoted) > 10
    assert missing == []
