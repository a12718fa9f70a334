"""The pages say what the code says: words, examples, links, sections and files."""

from __future__ import annotations

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
WEB_IDENTITY = CODE / "federation" / "web_identity"
ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
SLASH = "aws://AKIAIOSFODNN7EXAMPLE:wJalr/XUtn@/?region_name=eu-central-1"


def read_page(name: str) -> str:
    return (DOCS / name).read_text()


def read_section(heading: str) -> str:
    """Return one section of the troubleshooting page."""
    found = read_page("troubleshooting.md").partition(f"\n## {heading}\n")[2]
    return found.partition("\n## ")[0]


def read_example(heading: str) -> str:
    """Return the example message of a section of the troubleshooting page."""
    match = re.search(r"^    (Connection .+)$", read_section(heading), re.MULTILINE)
    assert match
    return match[1]


def list_quotes(text: str) -> list[str]:
    """Return the words of messages that the tables of a page quote."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def read_code(place: Path = CODE) -> str:
    """Return the code, each text that stands on several lines joined."""
    code = "".join(path.read_text() for path in sorted(place.rglob("*.py")))
    return re.sub(r'"\s+f?"', "", code)


def find_unsaid(quotes: list[str], code: str) -> list[str]:
    return [
        q for q in quotes if q.removesuffix(" 400").removesuffix(" 403") not in code
    ]


def find_anchor(heading: str) -> str:
    """Return the anchor that a heading has on code hosts."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def list_anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {find_anchor(heading) for heading in headings}


def test_troubleshooting_uses_the_errors_words() -> None:
    quoted = list_quotes(read_page("troubleshooting.md"))
    assert len(quoted) > 50
    assert find_unsaid(quoted, read_code()) == []


def test_web_identity_section_uses_the_words_of_its_errors() -> None:
    quoted = list_quotes(read_section("Web identity token"))
    assert len(quoted) > 10
    assert find_unsaid(quoted, read_code(WEB_IDENTITY)) == []


def list_error_classes(
    kind: type[ConnProviderError] = ConnProviderError,
) -> list[type[ConnProviderError]]:
    below = kind.__subclasses__()
    return [kind, *(deeper for each in below for deeper in list_error_classes(each))]


def test_each_error_class_has_its_section() -> None:
    sections = {kind.section for kind in list_error_classes()}
    assert len(sections) == 10
    assert sections <= list_anchors(DOCS / "troubleshooting.md")


def test_examples_of_messages_are_what_is_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_AWS_PROD", raising=False)
    with pytest.raises(InvalidConnectionError) as wrong:
        Connection.parse(SLASH, "aws_prod", variable="AIRFLOW_CONN_AWS_PROD")
    with pytest.raises(ConnectionNotFoundError) as absent:
        session("aws_prod")
    assert read_example("Invalid connection") in str(wrong.value)
    assert read_example("Connection not found") in str(absent.value)


def test_each_connection_of_the_guide_is_right() -> None:
    guide = read_page("connection.md")
    objects = re.findall(r"^```json\n(.+?)^```$", guide, re.MULTILINE | re.DOTALL)
    uris = re.findall(r"^(?:AIRFLOW\w+=')?(aws://[^'\s]*)", guide, re.MULTILINE)
    assert (len(objects) > 7, len(uris) > 2) == (True, True)
    for text in [*objects, *uris]:
        assert Connection.parse(text).settings.notices == ()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    broken = [link for link in links if "://" not in link and not leads(page, link)]
    assert broken == []


def leads(page: Path, link: str) -> bool:
    path, _, fragment = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not fragment or fragment in list_anchors(target))


def test_cited_sections_of_the_specification_exist() -> None:
    texts = [read_code(), *(page.read_text() for page in PAGES)]
    cited = re.findall(r"specification\.md, sections? ([\d., andto]+)", " ".join(texts))
    numbers = {n for each in cited for n in re.findall(r"\d+(?:\.\d+)?", each)}
    headings = re.findall(
        r"^#+ (\d+(?:\.\d+)?)\.? ", read_page("specification.md"), re.MULTILINE
    )
    assert len(numbers) > 10
    assert numbers <= set(headings)


def test_files_that_the_architecture_page_names_exist() -> None:
    words = set(re.findall(r"`([\w./]+(?:\.py|/))`", read_page("architecture.md")))
    names = {path.name for path in CODE.rglob("*.py")}
    planned = {"bridges/", "endpoint/", "fleet/", "rehearsal/"}
    missing = [
        word
        for word in words - planned
        if word not in names and not find_file(word).exists()
    ]
    assert len(words) > 40
    assert missing == []


def find_file(word: str) -> Path:
    """Return the file of a name in the package, or in the repository."""
    below = [room / word for room in (CODE, CODE / "cli", CODE / "sessions")]
    return next((path for path in below if path.exists()), ROOT / word)
