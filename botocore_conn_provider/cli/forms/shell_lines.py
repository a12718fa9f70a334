"""Write the lines that set variables, for each shell. They hold secrets: never show them.

Sources: POSIX.1-2017, Shell Command Language, 2.2.2; the manual of fish, "Quotes";
PowerShell's about_Quoting_Rules; cmd's `set /?`. The names of the forms are those of
`aws configure export-credentials`, but for fish.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# PowerShell takes each of these for a single quote.
POWERSHELL_QUOTES = "['\u2018\u2019\u201a\u201b]"
# Where cmd reads a line it replaces %NAME% and !NAME!, a quote ends what is quoted, and
# what is not ASCII depends on its code page. There is no way to write these that is
# right both at a prompt and in a file.
CMD_TAKES = r"[ -~]*"
CMD_REPLACES = '"%!'


class UnquotableError(Exception):
    """The shell has no way to write the value of `variable`."""

    def __init__(self, variable: str) -> None:
        super().__init__(variable)
        self.variable = variable


class Shell(NamedTuple):
    """How a shell sets a variable, removes one, and quotes a value."""

    set_line: str
    remove_line: str
    quote: Callable[[str], str]


def write_lines(shell: Shell, variables: Mapping[str, str | None]) -> str:
    """Return the lines that set the variables, and remove those that are None.

    Raises:
        UnquotableError: A value cannot be written.
    """
    lines = []
    for name, value in variables.items():
        if value is None:
            lines.append(shell.remove_line.format(name))
            continue
        try:
            lines.append(shell.set_line.format(name, shell.quote(value)))
        except ValueError:
            raise UnquotableError(name) from None
    return "".join(f"{line}\n" for line in lines)


def quote_for_fish(text: str) -> str:
    """Return the text in single quotes, in which fish knows two escapes."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def quote_for_powershell(text: str) -> str:
    """Return the text in single quotes, in which a quote is written twice."""
    return "'" + re.sub(f"({POWERSHELL_QUOTES})", r"\1\1", text) + "'"


def quote_for_cmd(text: str) -> str:
    """Return the text, which stands between quotes already.

    Raises:
        ValueError: cmd would make another text of it.
    """
    if not re.fullmatch(CMD_TAKES, text) or any(c in text for c in CMD_REPLACES):
        raise ValueError
    return text


SHELLS = {
    "env": Shell("export {}={}", "unset {}", shlex.quote),
    "fish": Shell("set -gx {} {}", "set -e {}", quote_for_fish),
    "powershell": Shell("$Env:{}={}", "$Env:{}=$null", quote_for_powershell),
    "env-no-export": Shell("{}={}", "unset {}", shlex.quote),
    "windows-cmd": Shell('set "{}={}"', 'set "{}="', quote_for_cmd),
}
