"""Read JSON so that every fault is one short reason, without the text itself.

The standard parser lets through what cannot be written back (NaN, lone
surrogates) and fails in other ways than its own error on hostile text (deep
nesting, numbers of thousands of digits).
"""

from __future__ import annotations

import json
import math
from typing import Any

DEEPEST = 40


class JsonFaultError(ValueError):
    """The text is not usable JSON; `str()` is the reason, free of the text."""


def read_json(text: str, *, deepest: int = DEEPEST) -> Any:
    """Return the value of `text`.

    Raises:
        JsonFaultError: Not JSON, nested deeper than `deepest`, or with a number
            or a character that no JSON may hold.
    """
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_read_float)
    except json.JSONDecodeError as error:
        reason = f"{error.msg} (line {error.lineno}, column {error.colno})"
        raise JsonFaultError(reason) from None
    except RecursionError:
        raise JsonFaultError("it is nested too deeply") from None
    except JsonFaultError:
        raise
    except ValueError:
        raise JsonFaultError("it holds a number that is too long") from None
    _check(value, deepest)
    return value


def has_surrogates(text: str) -> bool:
    """Return whether `text` holds half a character, which no UTF-8 can carry."""
    return not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text)


def _refuse(constant: str) -> None:
    raise JsonFaultError(f"it holds {constant}, which is not JSON")


def _read_float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise JsonFaultError("it holds a number that is too large")
    return number


def _check(value: Any, deepest: int) -> None:
    """Walk the whole value level by level, without recursion."""
    level = [value]
    for _ in range(deepest):
        following: list[Any] = []
        for item in level:
            if isinstance(item, str) and has_surrogates(item):
                raise JsonFaultError("it holds half a character (a lone surrogate)")
            if isinstance(item, dict):
                following.extend(item)
                following.extend(item.values())
            elif isinstance(item, list):
                following.extend(item)
        if not following:
            return
        level = following
    raise JsonFaultError("it is nested too deeply")
