"""The page about signers shows the examples as they are, and the versions tried."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "signers.md").read_text()
EXAMPLES = sorted((ROOT / "examples" / "signers").glob("*.py"))


def read_extra() -> dict[str, str]:
    """Return the oldest version of each library of the extra."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup["options.extras_require"]["test-signers"].splitlines()
    found = (
        re.fullmatch(r"([\w-]+)(?:\[[\w,-]+\])?>=([\d.]+)", each) for each in lines
    )
    return {each[1]: each[2] for each in found if each}


def test_page_shows_each_example_as_it_is() -> None:
    shown = re.findall(r"^```python\n(.+?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    texts = {path.name: path.read_text() for path in EXAMPLES}
    missing = [name for name, text in texts.items() if text not in shown]
    assert len(texts) > 10
    assert missing == [], "docs/signers.md has another text than these examples"
    assert len(shown) == len(texts)


def test_page_names_the_versions_that_are_tried() -> None:
    table = re.findall(
        r"^\| \[([\w-]+)\]\(#[\w-]+\) \| ([\d.]+) \|", PAGE, re.MULTILINE
    )
    tried = read_extra()
    assert len(table) > 10
    assert dict(table) == {name: tried[name] for name, _ in table}
    # What is tried through another library of the table.
    assert set(tried) - set(dict(table)) == {"psycopg"}
