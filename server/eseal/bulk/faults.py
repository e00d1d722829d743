"""Mistakes in what a registrar hands over: where, which rule, and what to do; never what the cell says."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Mistake:
    """One broken rule. ``row`` counts as a spreadsheet does (the headings are row 1), ``line`` as a text editor does.

    ``row`` 0 is the file as a whole; ``column`` is a heading, or a key of a course file, or empty.
    """

    file: str
    rule: str
    message: str
    row: int = 0
    line: int = 0
    column: str = ""

    @property
    def place(self) -> str:
        """Row, line where that differs, and column, in words."""
        parts = [f"row {self.row}"] if self.row else []
        if self.line and self.line != self.row:
            parts.append(f"line {self.line}")
        if self.column:
            parts.append(f"column {self.column}" if self.row else self.column)
        return ", ".join(parts)

    def __str__(self) -> str:
        place = f"{self.place}: " if self.place else ""
        return f"{self.file}: {place}[{self.rule}] {self.message}"


class BadInput(Exception):
    """The input cannot be used; every mistake that was found is here."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = tuple(mistakes)


class BadCell(ValueError):
    """A cell does not hold what its column asks for: ``rule`` says what."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence that names the known words that come close, or empty."""
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f" Nearest known: {', '.join(close)}." if close else ""
