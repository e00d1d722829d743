"""What is wrong with a register, told with file, line and rule so that a reviewer can go there.

The register is judged as a whole: every problem is listed, and one is enough for the register not to load. TOML parsers
do not keep lines, so a line is looked for only once there is a problem to report: the same parser reads ever longer
beginnings of the file, and the statement that brings a key in is where that key stands.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic_core import PydanticCustomError

from eseal.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Location: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One broken rule: ``file`` is relative to the register's folder, ``line`` counts from 1."""

    file: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.message}"


class InvalidRegister(SetupError):
    """The register does not load; ``problems`` lists everything found, in the order of files and lines."""

    def __init__(self, folder: str, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        listed = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(
            "INVALID_REGISTER",
            f"The register in {folder} has {len(self.problems)} problem(s) and is not used:\n{listed}",
        )


def broken(rule: str, message: str, *, key: str = "") -> PydanticCustomError:
    """Make an error for a validator to raise; ``rule`` is the stable name that the problem carries.

    A table's validator says by ``key`` at which of the table's keys the problem stands.
    """
    # Braces would be read as placeholders of pydantic's own templates.
    return PydanticCustomError(rule, "{message}", {"message": message, "key": key})


def line_of(text: str, location: Location) -> int:
    """Find the line of the statement that gives ``location`` its value; its nearest parent's, where none does."""
    statements = _statements(text)
    for length in range(len(location), 0, -1):
        for line, document in statements:
            if _present(document, location[:length]):
                return line
    return 1


def line_of_syntax_error(error: tomllib.TOMLDecodeError, text: str) -> int:
    """Find the line that the parser names; the last one, where it found the end too early."""
    named = re.search(r"at line (\d+)", str(error))
    return int(named[1]) if named else max(1, text.count("\n"))


@lru_cache(maxsize=1)
def _statements(text: str) -> tuple[tuple[int, dict[str, Any]], ...]:
    """The beginnings of a text; kept, since a file that has one problem often has many."""
    return tuple(_beginnings(text))


def _beginnings(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each beginning of the text that is TOML by itself, with the line on which its last statement began."""
    # Not splitlines(): to TOML only a line feed ends a line.
    lines = [f"{line}\n" for line in text.split("\n")]
    begin = 1
    for end in range(1, len(lines) + 1):
        try:
            document = tomllib.loads("".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            # A value that goes on over the next lines.
            continue
        if lines[end - 1].strip():
            yield begin, document
        begin = end + 1


def _present(document: Any, location: Location) -> bool:
    for step in location:
        held = range(len(document)) if isinstance(document, list) else document if isinstance(document, dict) else ()
        if step not in held:
            return False
        document = document[step]
    return True
