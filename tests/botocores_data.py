"""Read botocore's own data files and folders once, not once for each session.

Reading them was a third of what a test of a session cost. botocore shares what it
read among the clients of a session; in the tests the sessions share it too. And what
botocore works out from names and functions alone is worked out once.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import botocore.endpoint_provider
import botocore.hooks
from botocore.endpoint_provider import RuleSet
from botocore.hooks import EventAliaser
from botocore.loaders import JSONFileLoader, Loader

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

OF_BOTOCORE = f"{Loader.BUILTIN_DATA_PATH}{os.sep}"


def share(replace: Callable[[object, str, Any], None]) -> None:
    """Share for as long as `replace` (`setattr`, or a monkey patch's) says."""
    replace(JSONFileLoader, "load_file", share_files())
    replace(Loader, "list_available_services", share_services())
    replace(EventAliaser, "__init__", share_names())
    replace(botocore.hooks, "accepts_kwargs", share_signatures())
    replace(botocore.endpoint_provider, "RuleSet", share_rules())


def share_files() -> Callable[[JSONFileLoader, str], Any]:
    """Return a `load_file` that reads each file of botocore's once."""
    read = JSONFileLoader.load_file
    data: dict[str, Any] = {}

    def read_once(self: JSONFileLoader, file_path: str) -> Any:
        if not file_path.startswith(OF_BOTOCORE):
            return read(self, file_path)
        if file_path not in data:
            data[file_path] = read(self, file_path)
        return data[file_path]

    return read_once


def share_services() -> Callable[[Loader, str], list[str]]:
    """Return a `list_available_services` that looks at the same folders once."""
    look = Loader.list_available_services
    data: dict[tuple[str, ...], list[str]] = {}

    def look_once(self: Loader, type_name: str) -> list[str]:
        folders = [path for path in self.search_paths if os.path.isdir(path)]  # noqa: PTH112
        key = (type_name, *folders)
        if key not in data:
            data[key] = look(self, type_name)
        return list(data[key])

    return look_once


def share_names() -> Callable[..., None]:
    """Return an `__init__` after which all aliasers know what one has looked up."""
    set_up = EventAliaser.__init__
    names: dict[str, str] = {}

    def set_up_knowing(
        self: EventAliaser, event_emitter: Any, event_aliases: Any = None
    ) -> None:
        set_up(self, event_emitter, event_aliases)
        if event_aliases is None:
            self._alias_name_cache = names  # type: ignore[attr-defined]

    return set_up_knowing


def share_signatures() -> Callable[[Any], Any]:
    """Return an `accepts_kwargs` that looks at each function's code once."""
    look = botocore.hooks.accepts_kwargs
    answers: dict[CodeType, Any] = {}

    def look_once(func: Any) -> Any:
        code = getattr(func, "__code__", None)
        if code is None:
            return look(func)
        if code not in answers:
            answers[code] = look(func)
        return answers[code]

    return look_once


def share_rules() -> Callable[..., RuleSet]:
    """Return a `RuleSet` that builds the rules of each file once."""
    # The list that was read is kept, so that no other takes its id.
    built: dict[int, tuple[object, RuleSet]] = {}

    def build_once(*, rules: Any, **others: Any) -> RuleSet:
        if id(rules) not in built:
            built[id(rules)] = rules, RuleSet(rules=rules, **others)
        return built[id(rules)][1]

    return build_once
