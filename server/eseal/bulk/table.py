"""CSV as spreadsheets write it (RFC 4180 and its relatives), read row by row.

UTF-8 with or without BOM; commas, semicolons or tabs, whichever makes known headings of the first row, or what a first
line ``sep=;`` says; quotes, cells of several lines, blank rows, rows that stop early and empty columns at the end.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eseal.bulk.faults import BadInput, Mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DELIMITERS: Final = (",", ";", "\t")
WHAT_TO_DO: Final = "Save it as “CSV UTF-8” (Excel), or with character set UTF-8 (LibreOffice)."
_BEGINNINGS: Final = {
    b"PK\x03\x04": "This is a workbook, not a CSV file.",
    b"\xd0\xcf\x11\xe0": "This is a workbook, not a CSV file.",
    b"\xff\xfe": "This file is in UTF-16.",
    b"\xfe\xff": "This file is in UTF-16.",
}
LONGEST_CELL: Final = 131_072


@dataclass(frozen=True, slots=True)
class Row:
    """One row. ``number`` counts rows as a spreadsheet does, ``line`` is where it begins; cells are as written."""

    number: int
    line: int
    cells: list[str]


class Table:
    """A CSV file. ``headings`` are those of its first row that is not blank, as written, without empty ones at the end.

    ``rows`` may be asked for once. Raises BadInput, at once or from ``rows``, where the file cannot be read on.
    """

    def __init__(self, path: Path, known: Callable[[str], bool]) -> None:
        """``known`` tells headings: the delimiter that makes most of them known is the right one."""
        self.name = path.name
        self._path = path
        self._hinted = False
        self._check_beginning()
        self._rows = self._read(self._delimiter(known))
        first = next(self._rows, None)
        if first is None:
            raise BadInput([Mistake(self.name, "headings", "The file is empty: its first row names the columns.")])
        self.heading_row = first
        self.headings = _trimmed(first.cells)

    def rows(self) -> Iterator[Row]:
        """The rows below the headings; blank ones are left out."""
        return self._rows

    def _check_beginning(self) -> None:
        """Refuse what is no UTF-8 text at the first look."""
        try:
            with self._path.open("rb") as file:
                start = file.read(4096)
        except OSError as error:
            raise BadInput([Mistake(self.name, "file", f"It cannot be read: {error.strerror}.")]) from error
        for beginning, sentence in _BEGINNINGS.items():
            if start.startswith(beginning):
                raise BadInput([Mistake(self.name, "encoding", f"{sentence} {WHAT_TO_DO}")])
        if b"\0" in start:
            raise BadInput(
                [Mistake(self.name, "encoding", f"This file holds zero bytes, as UTF-16 does. {WHAT_TO_DO}")]
            )

    def _delimiter(self, known: Callable[[str], bool]) -> str:
        """The delimiter that a ``sep=`` line names, or under which most headings are known, or are most."""
        first = next(self._lines(), "").rstrip("\r\n")
        if first.lower().startswith("sep=") and len(first) == len("sep=") + 1:
            self._hinted = True
            return first[-1]

        def score(delimiter: str) -> tuple[int, int]:
            try:
                row = next(self._read(delimiter), None)
            except BadInput:
                return -1, 0
            cells = _trimmed(row.cells) if row else []
            return sum(known(cell) for cell in cells), len(cells)

        return max(DELIMITERS, key=score)

    def _lines(self) -> Iterator[str]:
        # Lines end in \n, \r\n or \r, and keep their ends: those inside a quoted cell are part of it.
        with self._path.open(encoding="utf-8-sig", newline="") as text:
            try:
                if self._hinted:
                    next(text)
                yield from text
            except UnicodeDecodeError:
                raise BadInput([self._undecodable()]) from None

    def _read(self, delimiter: str) -> Iterator[Row]:
        reader = csv.reader(self._lines(), delimiter=delimiter, strict=True)
        number, before = 0, int(self._hinted)
        line = 1 + before
        while True:
            number += 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise BadInput([self._broken(str(error), number, line, reader.line_num + before)]) from None
            if cells is None:
                return
            if any(cell and not cell.isspace() for cell in cells):
                yield Row(number, line, cells)
            line = reader.line_num + before + 1

    def _broken(self, said: str, number: int, line: int, last: int) -> Mistake:
        if "unexpected end of data" in said or "field limit" in said:
            message = (
                f'A cell of this row opens with a quote (") that is never closed, or is longer than {LONGEST_CELL}.'
            )
        elif "expected after" in said:
            message = f'On line {last} text follows a closing quote ("): a quote inside a cell is written twice ("").'
        else:
            message = f"Line {last} is not CSV: {said}."
        return Mistake(self.name, "csv", f"{message} Nothing after it was read.", number, line)

    def _undecodable(self) -> Mistake:
        """Find the first byte that is not UTF-8, by line."""
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    line.decode()
                except UnicodeDecodeError as error:
                    place = f"Byte {error.start + 1} of this line is not UTF-8 (the file may be in Windows-1252)."
                    return Mistake(self.name, "encoding", f"{place} {WHAT_TO_DO}", line=number)
        return Mistake(self.name, "encoding", f"The file is not UTF-8. {WHAT_TO_DO}")


def _trimmed(cells: list[str]) -> list[str]:
    """Without the empty cells at the end, which a spreadsheet writes for columns that were used once."""
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]
