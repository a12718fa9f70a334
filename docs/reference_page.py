"""Write docs/reference.md from the docstrings of the public names.

Run from the checkout: `python -m docs.reference_page`. A test fails while the page
is not what this writes.
"""

from __future__ import annotations

import importlib
import inspect
import re
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

PAGE = Path(__file__).parent / "reference.md"
PACKAGE = "botocore_conn_provider"
MODULES = (
    PACKAGE,
    *(
        f"{PACKAGE}.{each}"
        for each in (
            "bridges",
            "events",
            "fleet.dask",
            "fleet.ray",
            "fleet.spark",
            "plugins",
        )
    ),
)
HEAD = """\
<!-- Written by docs/reference_page.py from the docstrings: change those. -->

# Reference

Public are the names on this page: those in `__all__` of `botocore_conn_provider`, and
of its `bridges`, `events`, `fleet.dask`, `fleet.ray`, `fleet.spark` and `plugins`. Import them from there. All other modules and names of the package are private and may change in
any release. The command line has [a page of its own](command-line.md), and so have the
[fields and settings](connection.md) of a connection.
"""
SECTIONS = ("Args", "Attributes", "Raises", "Example", "Source")
SECTION = re.compile(rf"^({'|'.join(SECTIONS)}):(?: (.*))?$")
ITEM = re.compile(r"^(\w+(?:, \w+)*): (.*)$")
LONGEST_LINE = 78


def build_page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for name in MODULES:
        parts += _describe_module(importlib.import_module(name))
    return "\n".join(parts)


def list_public(module: ModuleType) -> list[str]:
    """Return the public names of a module, functions before classes."""
    names: list[str] = module.__all__
    return sorted(
        names, key=lambda name: (isinstance(getattr(module, name), type), name)
    )


def list_members(value: object) -> list[tuple[str, Any]]:
    """Return the public methods that a class defines itself."""
    if not inspect.isclass(value):
        return []
    fields = (*getattr(value, "_fields", ()), *_list_properties(value))
    return [
        (name, member)
        for name, member in vars(value).items()
        if not name.startswith("_")
        and name not in fields
        and callable(getattr(value, name))
    ]


def _list_properties(kind: type) -> list[str]:
    return [name for name, each in vars(kind).items() if isinstance(each, property)]


def _describe_module(module: ModuleType) -> Iterator[str]:
    yield f"## {module.__name__}\n"
    yield _lay_out(inspect.getdoc(module) or "")
    for name in list_public(module):
        yield from _describe(f"{module.__name__}.{name}", getattr(module, name))


def _describe(path: str, value: Any) -> Iterator[str]:
    name = path.rpartition(".")[2]
    yield f"### {name}\n"
    if not inspect.isclass(value) and not inspect.isfunction(value):
        words = ", ".join(f"`{word}`" for word in typing.get_args(value))
        yield f"One of the texts {words}.\n"
        return
    yield _fence(_write_signature(name, value))
    if inspect.isclass(value) and (bases := _list_bases(value)):
        yield f"A kind of {bases}.\n"
    yield _lay_out(inspect.getdoc(value) or "")
    for own, member in list_members(value):
        yield f"#### {name}.{own}\n"
        yield _fence(_write_signature(f"{name}.{own}", getattr(value, own)))
        yield _lay_out(inspect.getdoc(member) or "")


def _list_bases(kind: type) -> str:
    bases = [base for base in kind.__bases__ if issubclass(base, Exception)]
    return " and ".join(
        f"`{base.__name__}`" + ("" if _is_ours(base) else " (botocore's)")
        for base in bases
    )


def _is_ours(kind: type) -> bool:
    return kind.__module__.startswith(PACKAGE)


def _write_signature(name: str, value: Any) -> str:
    """Return the signature as a reader writes the call, without `self`."""
    signature = inspect.signature(value)
    parameters = [each for each in signature.parameters.values() if each.name != "self"]
    if any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters):
        return f"class {name}(Protocol)"  # one without a constructor
    returned = "" if inspect.isclass(value) else f" -> {signature.return_annotation}"
    written = list(_write_parameters(parameters))
    line = f"{name}({', '.join(written)}){returned}"
    if len(line) <= LONGEST_LINE:
        return line
    return "\n".join([f"{name}(", *(f"    {one}," for one in written), f"){returned}"])


def _write_parameters(parameters: list[inspect.Parameter]) -> Iterator[str]:
    starred = False
    for each in parameters:
        if each.kind is inspect.Parameter.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        kind = each.annotation
        text = f"{each.name}: {kind if isinstance(kind, str) else _name(kind)}"
        default = each.default
        yield text if default is inspect.Parameter.empty else f"{text} = {default!r}"


def _name(kind: Any) -> str:
    """Return an annotation as it was written: named tuples hold ForwardRefs."""
    return str(getattr(kind, "__forward_arg__", getattr(kind, "__name__", kind)))


def _fence(code: str) -> str:
    return f"```python\n{code}\n```\n"


def _lay_out(text: str) -> str:
    """Return a docstring as Markdown: its Google sections become lists."""
    sections: list[tuple[str, list[str]]] = [("", [])]
    for line in text.splitlines():
        name, lines = sections[-1]
        if found := SECTION.match(line):
            sections.append((found[1], [found[2]] if found[2] else []))
        else:
            lines.append(line.removeprefix("    ") if name else line)
    return "\n".join(_write_section(name, lines) for name, lines in sections)


def _write_section(section: str, lines: list[str]) -> str:
    body = "\n".join(lines).strip("\n")
    if not section:
        return f"{_fence_examples(body)}\n"
    if section == "Example":
        return _fence(body)
    if section == "Source":
        return f"Source: {body}\n"
    return f"{section}:\n\n{_write_items(lines)}"


def _fence_examples(body: str) -> str:
    """Write indented blocks of prose as fenced code, as the other examples are."""
    return re.sub(
        r"(?m)(?:^    .*\n?|^\n(?=    ))+",
        lambda found: f"\n{_fence(inspect.cleandoc(found[0])).rstrip()}\n",
        body,
    ).rstrip("\n")


def _write_items(lines: list[str]) -> str:
    written: list[str] = []
    for line in lines:
        if found := ITEM.match(line):
            names = ", ".join(f"`{name}`" for name in found[1].split(", "))
            written.append(f"- {names}: {found[2]}")
        elif line.strip():
            written.append(f"  {line.strip()}")
    return "\n".join(written) + "\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(build_page().rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
