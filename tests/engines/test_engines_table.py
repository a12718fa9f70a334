"""The table of docs/engines.md is what `whoami` sees."""

from __future__ import annotations

from docs.engines_table import build_table, read_table


def test_table_of_the_page_is_what_whoami_sees() -> None:
    assert read_table() == build_table()
