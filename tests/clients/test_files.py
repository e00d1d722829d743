"""Courses and learners as files: what is not understood is told so that it can be mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eseal_client import read_learner, read_micro_credential

if TYPE_CHECKING:
    from pathlib import Path


def test_a_date_as_text_is_told_how_it_is_written(tmp_path: Path) -> None:
    """Whoever writes a day as ISO 8601 does reads how the file wants it, and in which file."""
    course, learner = tmp_path / "course.json", tmp_path / "learner.json"
    course.write_text('{"dateOfIssuing": "2026-06-30"}')
    learner.write_text('{"dateOfBirth": "1999-10-01"}')

    for path, read in ((course, read_micro_credential), (learner, read_learner)):
        with pytest.raises(ValueError, match="A date is written") as caught:
            read(path)
        assert f"{path.name}: " in str(caught.value)
        assert '{"year": 2026, "month": 6, "day": 30}' in str(caught.value)


def test_a_field_that_is_not_known_is_named(tmp_path: Path) -> None:
    """Any other mistake is told without advice on dates."""
    path = tmp_path / "course.json"
    path.write_text('{"titel": {"en": "x"}}')
    with pytest.raises(ValueError, match="titel") as caught:
        read_micro_credential(path)

    assert "A date is written" not in str(caught.value)
