"""CSV as spreadsheets write it."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eseal.bulk.faults import BadInput
from eseal.bulk.learners import is_heading
from eseal.bulk.table import Table

HEADINGS = ["given_name", "family_name", "date_of_birth"]
# Whatever UTF-8 can say; a zero byte is what UTF-16 looks like.
cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
rows = st.lists(cells, min_size=1, max_size=3).filter(lambda row: any(cell and not cell.isspace() for cell in row))


def mistakes(content: bytes, tmp_path: Path) -> list[str]:
    """What is said of a file."""
    path = tmp_path / "learners.csv"
    path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        list(Table(path, is_heading).rows())
    return [str(mistake) for mistake in caught.value.mistakes]


@settings(max_examples=400, deadline=None)
@given(
    content=st.lists(rows, max_size=8),
    delimiter=st.sampled_from([",", ";", "\t"]),
    # The csv module quotes no line end but its own, unless it quotes everything.
    written=st.sampled_from([(csv.QUOTE_MINIMAL, "\r\n"), *((csv.QUOTE_ALL, end) for end in ("\r\n", "\n", "\r"))]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig"]),
    hinted=st.booleans(),
)
def test_what_was_written_is_read(
    content: list[list[str]], delimiter: str, written: tuple[int, str], encoding: str, *, hinted: bool
) -> None:
    """Any cells, written with any delimiter, line end, quoting and BOM, are read back as they are."""
    quoting, end = written
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "learners.csv"
        with path.open("w", encoding=encoding, newline="") as file:
            if hinted:
                file.write(f"sep={delimiter}{end}")
            csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows([HEADINGS, *content])
        table = Table(path, is_heading)

        assert HEADINGS == table.headings
        assert content == [row.cells for row in table.rows()]


def test_rows_are_counted_as_spreadsheets_do(tmp_path: Path) -> None:
    """Blank rows count and are left out, a cell of three lines is one row, and the line is where the row begins."""
    path = tmp_path / "learners.csv"
    path.write_text('given_name;family_name\n;\n"Ada\n\nAugusta";L\n\nBob;M\n')

    found = [(row.number, row.line, row.cells[0]) for row in Table(path, is_heading).rows()]

    assert [(3, 3, "Ada\n\nAugusta"), (5, 7, "Bob")] == found


def test_empty_columns_at_the_end(tmp_path: Path) -> None:
    """Headings end with the last one that says something."""
    path = tmp_path / "learners.csv"
    path.write_text("given_name,family_name,,,\nAda,L,,,\nBob\n")
    table = Table(path, is_heading)

    assert ["given_name", "family_name"] == table.headings
    assert [["Ada", "L", "", "", ""], ["Bob"]] == [row.cells for row in table.rows()]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("utf-16", "given_name\nAda\n"), ("utf-16-le", "given_name\nAda\n"), ("utf-16-be", "given_name\nAda\n")],
)
def test_utf_16_is_refused(tmp_path: Path, encoding: str, text: str) -> None:
    """With BOM or without; the sentence says how to save instead."""
    (said,) = mistakes(text.encode(encoding), tmp_path)

    assert "[encoding]" in said
    assert "CSV UTF-8" in said


def test_windows_1252_is_refused_by_line(tmp_path: Path) -> None:
    """The line and byte of the first letter that is not UTF-8, nothing of what stands there."""
    content = "given_name;family_name\nAda;L\nZoë;M\n".encode("windows-1252")
    (said,) = mistakes(content, tmp_path)

    assert "line 3" in said
    assert "Byte 3" in said
    assert "Windows-1252" in said
    assert "Zo" not in said


def test_a_workbook_is_refused(tmp_path: Path) -> None:
    """An .xlsx under the name of a CSV file."""
    (said,) = mistakes(b"PK\x03\x04\x14\x00", tmp_path)

    assert "workbook" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('given_name,family_name\nAda,L\n"Bob,M\nEve,N\n', ("row 3", "never closed")),
        ('given_name,family_name\n"Ada"x,L\n', ("row 2", "written twice")),
        ("", ("empty",)),
        ("\n\n  \n", ("empty",)),
    ],
)
def test_broken_files(tmp_path: Path, content: str, words: tuple[str, ...]) -> None:
    """What cannot be read is said by row, with what to do."""
    (said,) = mistakes(content.encode(), tmp_path)

    assert all(word in said for word in words)
    assert "Ada" not in said


def test_absent_file(tmp_path: Path) -> None:
    """A file that is not there is a mistake like any other."""
    with pytest.raises(BadInput, match="No such file"):
        Table(tmp_path / "absent.csv", is_heading)
