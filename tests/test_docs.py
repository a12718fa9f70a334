"""The pages say what the code says: words, examples, links and sections."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import botocore_conn_provider
from botocore_conn_provider import Connection, ConnProviderError, session
from botocore_conn_provider.errors import (
    ConnectionNotFoundError,
    InvalidConnectionError,
)

CODE = Path(botocore_conn_provider.__file__).parent
ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
TROUBLESHOOTING = DOCS / "troubleshooting.md"
PAGES = sorted([ROOT / "README.md", *DOCS.glob("*.md")])
SLASH = "aws://AKIAIOSFODNN7EXAMPLE:wJalr/XUtn@/?region_name=eu-central-1"


def read_code() -> str:
    """Return all code, with the texts joined that stand on several lines."""
    code = "".join(path.read_text() for path in sorted(CODE.rglob("*.py")))
    return re.sub(r'"\s+f?"', "", code)


def list_classes(kind: type) -> list[type]:
    below = kind.__subclasses__()
    return [*below, *(deeper for each in below for deeper in list_classes(each))]


def list_headings(page: Path) -> list[str]:
    return re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)


def anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def list_examples(section: str) -> str:
    """Return the example message of a section of the troubleshooting page."""
    text = TROUBLESHOOTING.read_text().partition(f"\n## {section}\n")[2]
    match = re.search(r"^    (Connection .+)$", text, re.MULTILINE)
    assert match
    return match[1]


def test_troubleshooting_uses_the_errors_words() -> None:
    table = TROUBLESHOOTING.read_text().partition("\n## Invalid connection")[2]
    quoted = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    words = read_code()
    missing = [
        q for q in quoted if q.removesuffix(" 400").removesuffix(" 403") not in words
    ]
    assert len(quoted) > 50
    assert missing == []


def test_each_error_class_has_its_section() -> None:
    anchors = {anchor(heading) for heading in list_headings(TROUBLESHOOTING)}
    names = {kind.__name__.removesuffix("Error") for kind in errors_of_ours()}
    wanted = {re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower() for name in names}
    assert len(wanted) == 8
    assert wanted - anchors == set()


def errors_of_ours() -> set[type]:
    found = list_classes(ConnProviderError)
    return {kind for kind in found if kind.__module__ == ConnProviderError.__module__}


def test_examples_of_messages_are_what_is_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_AWS_PROD", raising=False)
    with pytest.raises(InvalidConnectionError) as wrong:
        Connection.parse(SLASH, "aws_prod", variable="AIRFLOW_CONN_AWS_PROD")
    with pytest.raises(ConnectionNotFoundError) as absent:
        session("aws_prod")
    assert list_examples("Invalid connection") in str(wrong.value)
    assert list_examples("Connection not found") in str(absent.value)


def test_each_json_connection_of_the_guide_is_right() -> None:
    blocks = re.findall(
        r"^```json\n(.+?)^```$", read_page("connection.md"), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) > 7
    for block in blocks:
        connection = Connection.parse(json.dumps(json.loads(block)))
        assert connection.settings.notices == ()


def test_each_uri_of_the_guide_is_right() -> None:
    uris = re.findall(r"^(?:AIRFLOW\w+=')?(aws://[^'\s]*)", read_page("connection.md"), re.M)
    assert len(uris) > 2
    for uri in uris:
        assert Connection.parse(uri).settings.notices == ()


def read_page(name: str) -> str:
    return (DOCS / name).read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    broken = [link for link in links if "://" not in link and not leads(page, link)]
    assert broken == []


def leads(page: Path, link: str) -> bool:
    path, _, fragment = link.partition("#")
    target = page.parent / path if path else page
    if not fragment:
        return target.exists()
    return fragment in {anchor(heading) for heading in list_headings(target)}


def test_sections_that_the_code_cites_exist() -> None:
    cited = set(re.findall(r"specification\.md, sections? ([\d., and]+)", read_code()))
    numbers = {n for text in cited for n in re.findall(r"\d+(?:\.\d+)?", text)}
    there = set(re.findall(r"^#+ (\d+(?:\.\d+)?)\.? ", read_page("specification.md"), re.M))
    assert len(numbers) > 5
    assert numbers - there == set()
