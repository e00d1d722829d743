"""The columns of a class list, its dates, and what is said of wrong cells."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from eseal.bulk.dates import DateFormat, read_date
from eseal.bulk.faults import BadCell, BadInput, Mistake
from eseal.bulk.learners import Columns, Person, is_heading
from eseal.bulk.table import Table
from eseal_client import Learner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from eseal_client import MicroCredential

    Write = Callable[..., Path]


def people(path: Path, course: MicroCredential, dates: DateFormat | None = None) -> list[Person | list[Mistake]]:
    """Read a class list."""
    return list(Columns(Table(path, is_heading), course, dates).people())


def wrong(path: Path, course: MicroCredential) -> list[tuple[int, str, str]]:
    """Row, column and rule of each mistake in the rows."""
    found = [one for one in people(path, course) if isinstance(one, list)]
    return [(mistake.row, mistake.column, mistake.rule) for several in found for mistake in several]


def test_every_column(write: Write, course: MicroCredential) -> None:
    """A row may say everything that a Learner can."""
    course = type(course).FromString(course.SerializeToString())
    course.type_of_assessment.add(key="quiz")
    path = write(
        "given_name;family_name;full_name;date_of_birth;national_id;national_id_country;national_id_scheme;identifier;"
        "identifier:Student number;citizenship_countries;email_address;date_of_issuing;grade_achieved;grade_achieved:ga;"
        "assessment_grade:quiz;assessment_grade:quiz:ga;credential_identifier:Certificate;request_id;#note",
        "Ada;Lovelace;Ada King;1815-12-10;12-34;irl;PPS;p-1;s-1;IRL, nld;ada@dcu.ie;30.6.2026;Pass;Pas;A;Á;c-1;mine-1;x",
    )
    (person,) = people(path, course)

    learner = Learner(
        given_name="Ada",
        family_name="Lovelace",
        full_name="Ada King",
        date_of_birth={"year": 1815, "month": 12, "day": 10},
        national_id={"notation": "12-34", "country": "irl", "scheme": "PPS"},
        identifiers=[{"notation": "p-1"}, {"notation": "s-1", "scheme": "Student number"}],
        citizenship_countries=["IRL", "NLD"],
        email_address="ada@dcu.ie",
        date_of_issuing={"year": 2026, "month": 6, "day": 30},
        grade_achieved={"en": "Pass", "ga": "Pas"},
        assessment_grades=[{"assessment": "quiz", "grade": {"en": "A", "ga": "Á"}}],
        credential_identifiers=[{"notation": "c-1", "scheme": "Certificate"}],
    )
    assert learner == person.learner
    assert "mine-1" == person.request_id


def test_a_grade_has_an_assessment_to_belong_to(write: Write, course: MicroCredential) -> None:
    """A grade column is the only assessment's, whatever its key; where no one is the overall one the heading is refused."""
    course = type(course).FromString(course.SerializeToString())
    course.type_of_assessment[0].key = "exam"
    path = write("given_name,grade_achieved", "Ada,Distinction")
    (person,) = people(path, course)
    assert {"en": "Distinction"} == dict(person.learner.grade_achieved)

    course.type_of_assessment.add(key="essay")
    with pytest.raises(BadInput) as caught:
        people(path, course)

    assert ["grade_achieved"] == [mistake.column for mistake in caught.value.mistakes]


def test_every_field_of_a_learner_has_a_column() -> None:
    """What the protocol gets, the list gets too."""
    said = {
        "identifiers": "identifier",
        "credential_identifiers": "credential_identifier",
        "assessment_grades": "assessment_grade",
    }

    assert all(is_heading(said.get(field.name, field.name)) for field in Learner.DESCRIPTOR.fields)


def test_headings_as_people_write_them(write: Write, course: MicroCredential) -> None:
    """Case, spaces, hyphens and common names do not matter."""
    path = write("First name,SURNAME,e-mail,Award Date,Result", "Ada,Lovelace,a@b.ie,2026-06-30,Pass")
    (person,) = people(path, course)

    assert ["date_of_issuing", "email_address", "family_name", "given_name", "grade_achieved"] == sorted(person.cells)


def test_white_space(write: Write, course: MicroCredential) -> None:
    """Space around a cell is not part of it, and lines within it become words."""
    path = write("given_name,family_name", '"  Ada\nAugusta ",\u00a0Lovelace ')
    (person,) = people(path, course)

    assert ("Ada Augusta", "Lovelace") == (person.learner.given_name, person.learner.family_name)


@pytest.mark.parametrize(
    ("headings", "rule", "words"),
    [
        ("given_name,famly_name", "headings-known", "family_name"),
        ("given_name,first name", "headings-twice", "Two columns"),
        ("email,grade", "annex-i", "identifies"),
        ("given_name,assessment_grade:quizz", "headings-known", "no assessment"),
        ("given_name,grade_achieved:english", "headings-known", "ISO 639-1"),
        ("given_name,given_name:x", "headings-known", "not known"),
        ("Name,Surname", "headings-ambiguous", "write full_name, given_name or family_name"),
        ("first name,NAME", "headings-ambiguous", "write full_name, given_name or family_name"),
    ],
)
def test_headings_that_are_wrong(write: Write, course: MicroCredential, headings: str, rule: str, words: str) -> None:
    """Each is named, with the nearest known."""
    with pytest.raises(BadInput) as caught:
        people(write(headings, "a,b"), course)

    (mistake,) = caught.value.mistakes
    assert (1, rule) == (mistake.row, mistake.rule)
    assert words in mistake.message


def test_every_wrong_cell_is_found(write: Write, course: MicroCredential) -> None:
    """By row and column, all of them, without a word of what the cells say."""
    path = write(
        "given_name,family_name,date_of_birth,national_id,request_id",
        "Ada,L,03/04/2001,,ok",
        "Eve,#N/A,2001-02-30,,not ok",
        ",,2001-02-03,,",
        "Bob,M,46203,77-77,",
        "Kim,\ufffd,,,,beyond",
        "Dan,M\x01,,,",
        "\u200b,\u2060 \ufeff,,,",
    )
    found = [one for one in people(path, course) if isinstance(one, list)]
    text = "\n".join(str(mistake) for several in found for mistake in several)

    assert [
        (2, "date_of_birth", "date-ambiguous"),
        (3, "family_name", "spreadsheet-error"),
        (3, "date_of_birth", "date-exists"),
        (3, "request_id", "request-id"),
        (4, "", "annex-i"),
        (5, "date_of_birth", "date-format"),
        (5, "national_id", "edc-generic:LegalIdentifier.spatial.minCount"),
        (6, "family_name", "character"),
        (6, "6", "headings-absent"),
        (7, "family_name", "character"),
        (8, "given_name", "blank"),
        (8, "family_name", "blank"),
    ] == wrong(path, course)
    assert not any(value in text for value in ("03/04/2001", "N/A", "not ok", "46203", "77-77", "beyond", "Bob"))


@pytest.mark.parametrize("name", ["نگار می\u200cشناسد", "ශ්\u200dරී", "O\u00adNeill", "👩\ufe0f"])
def test_names_with_what_nobody_sees_in_them(write: Write, course: MicroCredential, name: str) -> None:
    """Joiners belong to how some languages are written: a name is taken as it is."""
    (person,) = people(write("full_name", name), course)

    assert name == person.learner.full_name


def test_a_name_alone_is_the_full_name(write: Write, course: MicroCredential) -> None:
    """Where nothing else is said of the name, and a full name beside its parts."""
    (alone,) = people(write("Name,identifier", "Ada Lovelace,1"), course)
    (beside,) = people(write("given_name,full_name", "Ada,Ada Lovelace"), course)

    assert "Ada Lovelace" == alone.learner.full_name == beside.learner.full_name


@pytest.mark.parametrize(
    ("column", "cell", "rule"),
    [
        ("identifier", "1.23457E+11", "spreadsheet-number"),
        ("identifier:Student number", '"1,23457E+11"', "spreadsheet-number"),
        ("national_id", "1e+15", "spreadsheet-number"),
        ("credential_identifier", "1.2E-05", "spreadsheet-number"),
        ("request_id", "2E+12", "spreadsheet-number"),
        ("identifier", '"=""00123"""', "spreadsheet-formula"),
        ("given_name", "=A1", "spreadsheet-formula"),
    ],
)
def test_what_a_spreadsheet_damaged(write: Write, course: MicroCredential, column: str, cell: str, rule: str) -> None:
    """Is told by row and column, for it would be sealed as it stands."""
    path = write(f"full_name,national_id_country,{column}", f"Ada Lovelace,IRL,{cell}")

    assert [(2, column, rule)] == wrong(path, course)


@pytest.mark.parametrize("identifier", ["12E4", "E+11", "A1E+11", "123457000000", "dcu=1"])
def test_identifiers_that_only_look_damaged(write: Write, course: MicroCredential, identifier: str) -> None:
    """What no spreadsheet writes of a number is taken as it is."""
    (person,) = people(write("full_name,identifier", f"Ada,{identifier}"), course)

    assert identifier == person.learner.identifiers[0].notation


@pytest.mark.parametrize(
    ("text", "written", "day"),
    [
        ("2026-06-30", None, date(2026, 6, 30)),
        ("2026-06-30", DateFormat.MONTH_FIRST, date(2026, 6, 30)),
        ("2026/6/3", None, date(2026, 6, 3)),
        ("2026-06-30 00:00:00", None, date(2026, 6, 30)),
        ("2026-06-30T00:00:00", None, date(2026, 6, 30)),
        ("30/06/2026", None, date(2026, 6, 30)),
        ("30.06.2026", None, date(2026, 6, 30)),
        ("3.4.2026", None, date(2026, 4, 3)),
        ("3. 4. 2026", None, date(2026, 4, 3)),
        ("30-6-2026", None, date(2026, 6, 30)),
        ("04/04/2026", None, date(2026, 4, 4)),
        ("03/04/2026", DateFormat.DAY_FIRST, date(2026, 4, 3)),
        ("03/04/2026", DateFormat.MONTH_FIRST, date(2026, 3, 4)),
    ],
)
def test_dates(text: str, written: DateFormat | None, day: date) -> None:
    """Year first, day first, and month first where somebody says so."""
    assert day == read_date(text, written)


@pytest.mark.parametrize(
    ("text", "written", "rule"),
    [
        ("03/04/2026", None, "date-ambiguous"),
        ("06/30/2026", None, "date-format"),
        ("30/06/26", None, "date-format"),
        ("30 June 2026", None, "date-format"),
        ("46203", None, "date-format"),
        ("31.06.2026", None, "date-exists"),
        ("30/06/2026", DateFormat.MONTH_FIRST, "date-exists"),
        ("30/06/2026", DateFormat.ISO, "date-format"),
        ("2026-06-30T12:00:00", None, "date-format"),
    ],
)
def test_dates_that_are_refused(text: str, written: DateFormat | None, rule: str) -> None:
    """What can be read in two ways, or in none; never with the cell's text in the sentence."""
    with pytest.raises(BadCell) as caught:
        read_date(text, written)

    assert rule == caught.value.rule
    assert text not in str(caught.value)
