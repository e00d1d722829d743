"""Lines of TOML keys, found with the parser's own eyes."""

from __future__ import annotations

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from eseal.mandate.problems import line_of

TEXT = """\
# a comment
a = 1

b = [
  1,
  2,
]
c = { d = 2, e = [ { f = 1 } ] }
[t]
x = \"""
[not.a.table]
y = 1
\"""

[[many]]
n = 1
[[many]]
n = 2
[many.inner]
z = 1
"""


@pytest.mark.parametrize(
    ("location", "line"),
    [
        (("a",), 2),
        (("b", 1), 4),
        (("c", "d"), 8),
        (("c", "e", 0, "f"), 8),
        (("t",), 9),
        (("t", "x"), 10),
        (("t", "y"), 9),
        (("many", 0, "n"), 16),
        (("many", 1), 17),
        (("many", 1, "n"), 18),
        (("many", 1, "inner", "z"), 20),
        (("many", 1, "absent"), 17),
        (("absent",), 1),
        ((), 1),
    ],
)
def test_lines(location: tuple[str | int, ...], line: int) -> None:
    """A key stands where its statement begins; one that is absent stands with its nearest parent."""
    assert line == line_of(TEXT, location)


names = st.text("abcdefghij", min_size=1, max_size=6)
values = st.one_of(st.integers(), st.text(max_size=20), st.lists(st.integers(), max_size=3))


@given(st.dictionaries(names, values, min_size=1, max_size=8))
def test_each_key_is_found_where_it_was_written(table: dict[str, object]) -> None:
    """For any plain table, the line found begins with the key."""
    text = tomlkit.dumps(table)
    lines = text.split("\n")

    assert all(lines[line_of(text, (key,)) - 1].startswith(f"{key} = ") for key in table)


@given(st.text(max_size=80))
def test_any_text_has_a_line(text: str) -> None:
    """Text that is no TOML at all is no reason to fail."""
    assert 1 <= line_of(text, ("a", 0))
