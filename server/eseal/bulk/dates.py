"""Dates as spreadsheets write them. What can be read in two ways is refused until somebody says which."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Final

from eseal.bulk.faults import BadCell


class DateFormat(StrEnum):
    """How 03/04/2026 is meant. Year first (2026-04-03) is always understood."""

    ISO = "iso"
    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


# A time that a spreadsheet adds to a bare day is midnight.
_YEAR_FIRST: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?Z?)?")
_YEAR_LAST: Final = re.compile(r"(\d{1,2})\s?([-/.])\s?(\d{1,2})\s?\2\s?(\d{4})(?: 00:00(?::00)?)?")
_SERIAL: Final = re.compile(r"\d{4,5}(?:[.,]\d+)?")


@lru_cache(maxsize=4096)
def read_date(text: str, written: DateFormat | None) -> date:
    """Read a date. ``written`` None: day first, as long as it cannot be month first as well; BadCell else."""
    if match := _YEAR_FIRST.fullmatch(text):
        return _date(*map(int, match.groups()))
    if match := _YEAR_LAST.fullmatch(text):
        first, separator, second, year = int(match[1]), match[2], int(match[3]), int(match[4])
        if written is DateFormat.ISO:
            raise BadCell("date-format", "A date is written year first here (2026-06-30), as --date-format iso says.")
        if written is DateFormat.MONTH_FIRST:
            return _date(year, first, second)
        # With points every country writes the day first.
        if written is None and separator != "." and first != second and max(first, second) <= 12:  # noqa: PLR2004 - months
            message = (
                "This date can be day first or month first: write it year first (2026-06-30), or give --date-format."
            )
            raise BadCell("date-ambiguous", message)
        if written is None and second > 12:  # noqa: PLR2004 - months
            raise BadCell("date-format", "This date is month first: give --date-format mdy if that is meant.")
        return _date(year, second, first)
    if _SERIAL.fullmatch(text):
        message = "This is a spreadsheet's serial number of a date: format the column as a date (2026-06-30)."
        raise BadCell("date-format", message)
    raise BadCell("date-format", "This is not a date: write it year first, such as 2026-06-30, or as 30.06.2026.")


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise BadCell("date-exists", "There is no such day.") from None
