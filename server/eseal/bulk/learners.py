"""The columns of a class list, and a learner out of a row. docs/bulk.md lists the columns for registrars."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from eseal.bulk.dates import read_date
from eseal.bulk.faults import BadCell, BadInput, Mistake, nearest
from eseal.credential.achievement import NO_OVERALL_ASSESSMENT, overall_assessment
from eseal_client import Learner

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from datetime import date
    from typing import Any

    from eseal.bulk.dates import DateFormat
    from eseal.bulk.table import Row, Table
    from eseal_client import MicroCredential

TEXTS: Final = ("given_name", "family_name", "full_name", "email_address")
DATES: Final = ("date_of_birth", "date_of_issuing")
LEGAL: Final = {"national_id": "notation", "national_id_country": "country", "national_id_scheme": "scheme"}
# Headings that may say more after a colon: whose identifier it is, in which language or assessment a grade is.
QUALIFIED: Final = ("identifier", "credential_identifier", "grade_achieved", "assessment_grade")
PLAIN: Final = (*TEXTS, *DATES, *LEGAL, "citizenship_countries", "request_id")
ALIASES: Final = {
    "first_name": "given_name",
    "given_names": "given_name",
    "last_name": "family_name",
    "surname": "family_name",
    "name": "full_name",
    "email": "email_address",
    "e_mail": "email_address",
    "birth_date": "date_of_birth",
    "award_date": "date_of_issuing",
    "issue_date": "date_of_issuing",
    "grade": "grade_achieved",
    "result": "grade_achieved",
    "citizenship": "citizenship_countries",
}
# A learner is identified by one of these.
IDENTIFYING: Final = ("given_name", "family_name", "full_name", "national_id", "identifier")
# What is no word but a sequence of characters, which a spreadsheet may take for a number.
IDENTIFIERS: Final = ("identifier", "credential_identifier", "national_id", "request_id")
IGNORED: Final = "#"
_SPREADSHEET_ERROR: Final = re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|SPILL!|CALC!|#+)", re.IGNORECASE)
# Control characters but the white space that a cell may hold, and the mark that a broken conversion leaves.
_UNREADABLE: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffd]")
# What takes no place on the page by itself: spaces, joiners, marks of direction, fillers. Names may have some in them.
_INVISIBLE: Final = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff"
)
_BLANK: Final = re.compile(f"[ {_INVISIBLE}]+")
# What a spreadsheet makes of a long number, and has lost digits of: 1.23457E+11.
_ROUNDED: Final = re.compile(r"[+-]?\d([.,]\d+)?E[+-]\d{2,}", re.IGNORECASE)
_SUSPECT: Final = re.compile(f"[#={_INVISIBLE}]|E[+-]|{_UNREADABLE.pattern}", re.IGNORECASE)
_REQUEST_ID: Final = re.compile(r"[\x21-\x7e]{1,128}")
_LANGUAGE: Final = re.compile(r"[a-z]{2}")


@dataclass(frozen=True, slots=True)
class Person:
    """A learner, and the cells it was read from: heading in its one spelling, value in its one form."""

    row: Row
    learner: Learner
    cells: Mapping[str, str]

    @property
    def request_id(self) -> str:
        """The request id that the list itself gives, or empty."""
        return self.cells.get("request_id", "")


@dataclass(frozen=True, slots=True)
class _Column:
    """One column: its heading as written, in its one spelling, and how a cell becomes part of a learner."""

    written: str
    name: str
    put: Callable[[Learner, str], str]


@dataclass(slots=True)
class Columns:
    """How the columns of one list make learners of ``course``. Raises BadInput with every heading that is wrong."""

    table: Table
    course: MicroCredential
    dates: DateFormat | None = None
    _columns: list[_Column | None] = field(init=False)
    _headed: int = field(init=False)
    _identifying: set[str] = field(init=False)

    def __post_init__(self) -> None:
        mistakes: list[Mistake] = []
        self._columns = [self._column(place, heading, mistakes) for place, heading in enumerate(self.table.headings)]
        # As many columns from the left as have headings without a gap.
        blank = (place for place, heading in enumerate(self.table.headings) if not heading.strip())
        self._headed = next(blank, len(self.table.headings))
        names = Counter(column.name for column in self._columns if column)
        mistakes += [
            self._heading_mistake("headings-twice", "Two columns have this heading.", name)
            for name, count in names.items()
            if count > 1
        ]
        mistakes += self._ambiguous(names)
        self._identifying = {name for name in names if name.partition(":")[0] in IDENTIFYING}
        if not (mistakes or self._identifying):
            sentence = f"No column identifies the learner: one of {', '.join(IDENTIFYING)} must be there."
            mistakes.append(self._heading_mistake("annex-i", sentence))
        if mistakes:
            raise BadInput(mistakes)

    def people(self) -> Iterator[Person | list[Mistake]]:
        """Each row as a learner, or what is wrong with it."""
        for row in self.table.rows():
            yield self._person(row)

    def written(self, *names: str) -> str:
        """The headings, as written, of the columns that make these fields of a learner; empty where there are none."""
        return ", ".join(
            column.written for column in self._columns if column and column.name.partition(":")[0] in names
        )

    def _person(self, row: Row) -> Person | list[Mistake]:
        learner = Learner()
        cells: dict[str, str] = {}
        mistakes: list[Mistake] = []
        suspect = _SUSPECT.search("".join(row.cells)) is not None
        for column, cell in zip(self._columns, row.cells, strict=False):
            text = " ".join(cell.split())
            if not text or column is None:
                continue
            try:
                if suspect:
                    _require_text(text, column.name)
                cells[column.name] = column.put(learner, text)
            except BadCell as error:
                mistakes.append(self._mistake(row, column.written, error.rule, str(error)))
        if len(row.cells) > self._headed:
            mistakes += self._beyond(row)
        if not mistakes and self._identifying.isdisjoint(cells):
            mistakes.append(self._mistake(row, "", "annex-i", "Nothing in this row identifies the learner."))
        if "national_id" in cells and "national_id_country" not in cells:
            sentence = "A national identification number needs the country of its register (national_id_country)."
            mistakes.append(self._mistake(row, "national_id", "edc-generic:LegalIdentifier.spatial.minCount", sentence))
        return mistakes or Person(row, learner, cells)

    def _ambiguous(self, names: Collection[str]) -> Iterator[Mistake]:
        """A heading “Name” beside a part of the name: some mean all of it by that, and some the other part."""
        if "given_name" in names or "family_name" in names:
            for column in filter(None, self._columns):
                if _words(column.written) == "name":
                    sentence = "Beside a column for a part of the name this can be read in two ways: "
                    sentence += "write full_name, given_name or family_name."
                    yield self._heading_mistake("headings-ambiguous", sentence, column.written)

    def _beyond(self, row: Row) -> list[Mistake]:
        """Cells that stand under no heading."""
        headings = self.table.headings
        beyond = [
            place
            for place, cell in enumerate(row.cells)
            if (place >= len(headings) or not headings[place].strip()) and cell.strip()
        ]
        sentence = "There is something under no heading: is a delimiter in a cell that is not quoted?"
        return [self._mistake(row, str(place + 1), "headings-absent", sentence) for place in beyond]

    def _column(self, place: int, heading: str, mistakes: list[Mistake]) -> _Column | None:
        """The column of a heading; None for one that is left out."""
        written = " ".join(heading.split())
        if not written or written.startswith(IGNORED):
            return None
        name, _, qualifier = (part.strip() for part in written.partition(":"))
        name = _spelt(name)
        put = self._plain(name) if name in PLAIN and not qualifier else self._qualified(name, qualifier)
        if put is None:
            known = [*PLAIN, *QUALIFIED, *ALIASES]
            sentence = f"Column {place + 1} has a heading that is not known.{nearest(_spelt(written), known)}"
            sentence += f" A heading that begins with {IGNORED} is left out."
            mistakes.append(self._heading_mistake("headings-known", sentence, written))
            return None
        if isinstance(put, str):
            mistakes.append(self._heading_mistake("headings-known", put, written))
            return None
        return _Column(written, f"{name}:{qualifier}" if qualifier else name, put)

    def _plain(self, name: str) -> Callable[[Learner, str], str]:
        if name in DATES:
            return self._put_date(name)
        if name == "citizenship_countries":
            return _put_countries
        if name == "request_id":
            return _put_request_id
        if name in LEGAL:
            return _putter(lambda learner, text: setattr(learner.national_id, LEGAL[name], text))
        return _putter(lambda learner, text: setattr(learner, name, text))

    def _qualified(self, name: str, qualifier: str) -> Callable[[Learner, str], str] | str | None:
        """How to put a cell of a heading with a colon; a sentence where what follows the colon is wrong."""
        if name == "identifier":
            return _putter(lambda learner, text: learner.identifiers.add(notation=text, scheme=qualifier))
        if name == "credential_identifier":
            return _putter(lambda learner, text: learner.credential_identifiers.add(notation=text, scheme=qualifier))
        if name == "grade_achieved":
            return self._grade_achieved(qualifier or self._language())
        if name == "assessment_grade":
            return self._assessment_grade(*(part.strip() for part in qualifier.partition(":")))
        return None

    def _grade_achieved(self, language: str) -> Callable[[Learner, str], str] | str:
        if overall_assessment(self.course.type_of_assessment) is None:
            return NO_OVERALL_ASSESSMENT
        if not _LANGUAGE.fullmatch(language):
            return "After the colon stands the language of the grade (ISO 639-1), such as grade_achieved:en."
        return _putter(lambda learner, text: learner.grade_achieved.__setitem__(language, text))

    def _assessment_grade(self, key: str, _: str, language: str) -> Callable[[Learner, str], str] | str:
        keys = [assessment.key for assessment in self.course.type_of_assessment if assessment.key]
        if key not in keys:
            return f"The course has no assessment with this key (assessment_grade:KEY).{nearest(key, keys)}"
        language = language or self._language()

        def put(learner: Learner, text: str) -> None:
            graded = next((one for one in learner.assessment_grades if one.assessment == key), None)
            (graded or learner.assessment_grades.add(assessment=key)).grade[language] = text

        return _putter(put)

    def _language(self) -> str:
        """The course's first language: what is said in no language is said in it."""
        return next(iter(self.course.languages), "") or min(self.course.title, default="en")

    def _put_date(self, name: str) -> Callable[[Learner, str], str]:
        written = self.dates

        def put(learner: Learner, text: str) -> str:
            day: date = read_date(text, written)
            said: Any = getattr(learner, name)
            said.year, said.month, said.day = day.year, day.month, day.day
            return day.isoformat()

        return put

    def _mistake(self, row: Row, column: str, rule: str, message: str) -> Mistake:
        return Mistake(self.table.name, rule, message, row.number, row.line, column)

    def _heading_mistake(self, rule: str, message: str, heading: str = "") -> Mistake:
        row = self.table.heading_row
        return Mistake(self.table.name, rule, message, row.number, row.line, heading)


def is_heading(text: str) -> bool:
    """Whether a first row's cell looks like one of our headings."""
    name = _spelt(text.partition(":")[0].strip())
    return name in PLAIN or name in QUALIFIED


def _spelt(heading: str) -> str:
    """A heading in its one spelling: lower case, words joined by underscores, no parentheses."""
    name = _words(heading)
    return ALIASES.get(name, name)


def _words(heading: str) -> str:
    return re.sub(r"[\s\-_./]+", "_", heading.strip().lower().replace("(s)", "s")).strip("_")


def _require_text(text: str, name: str) -> None:
    """Refuse what a broken conversion, a formula or a spreadsheet's idea of a number left in a cell of column ``name``.

    And a cell that only looks empty.
    """
    if _BLANK.fullmatch(text):
        raise BadCell("blank", "The cell looks empty, and holds characters that nobody sees: empty it, or fill it in.")
    if _UNREADABLE.search(text):
        raise BadCell(
            "character", "The cell holds a character that no text has: it was converted wrongly on the way here."
        )
    if _SPREADSHEET_ERROR.fullmatch(text):
        raise BadCell("spreadsheet-error", "The cell holds an error value.")
    if text.startswith("="):
        raise BadCell("spreadsheet-formula", "The cell holds a formula: put its value there, as text.")
    if name.partition(":")[0] in IDENTIFIERS and _ROUNDED.fullmatch(text):
        sentence = "A spreadsheet made a rounded number of this: make the column one of text, and enter it again."
        raise BadCell("spreadsheet-number", sentence)


def _putter(put: Callable[[Learner, str], Any]) -> Callable[[Learner, str], str]:
    """A cell that is taken as it is written."""

    def putting(learner: Learner, text: str) -> str:
        put(learner, text)
        return text

    return putting


def _put_countries(learner: Learner, text: str) -> str:
    countries = re.findall(r"[^\s,;/]+", text.upper())
    learner.citizenship_countries.extend(countries)
    return " ".join(countries)


def _put_request_id(learner: Learner, text: str) -> str:
    del learner  # it is no part of a learner
    if not _REQUEST_ID.fullmatch(text):
        raise BadCell("request-id", "A request id has 1 to 128 visible ASCII characters.")
    return text
