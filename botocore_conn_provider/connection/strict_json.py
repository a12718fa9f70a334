"""Read JSON strictly; each fault is one short reason that does not quote the text.

Python's parser accepts what cannot be written back (NaN, lone surrogates), and on
hostile text (deep nesting, numbers with thousands of digits) it raises other errors
than its own.
"""

from __future__ import annotations

import json
import math
from typing import Any

DEEPEST = 40


class JsonFaultError(ValueError):
    """The text is not usable JSON; `str()` is the reason and does not quote it."""


def read_json(text: str, *, deepest: int = DEEPEST) -> Any:
    """Return the value of `text`.

    Raises:
        JsonFaultError: The text is not JSON, is nested deeper than `deepest`, or
            contains a number or a character that is not allowed.
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
        raise JsonFaultError("it contains a number that is too long") from None
    _check(value, deepest)
    return value


def has_surrogates(text: str) -> bool:
    """Return whether `text` contains a lone surrogate, which UTF-8 cannot encode."""
    return not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text)


def _refuse(constant: str) -> None:
    raise JsonFaultError(f"it contains {constant}, which is not JSON")


def _read_float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise JsonFaultError("it contains a number that is too large")
    return number


def _check(value: Any, deepest: int) -> None:
    """Walk the whole value level by level, without recursion."""
    level = [value]
    for _ in range(deepest):
        following: list[Any] = []
        for item in level:
            if isinstance(item, str) and has_surrogates(item):
                raise JsonFaultError("it contains a lone surrogate (half a character)")
            if isinstance(item, dict):
                following.extend(item)
                following.extend(item.values())
            elif isinstance(item, list):
                following.extend(item)
        if not following:
            return
        level = following
    raise JsonFaultError("it is nested too deeply")
