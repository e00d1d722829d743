"""docs/bulk.md says what there is: every heading, every key, every status."""

from __future__ import annotations

import re

import pytest

from eseal.bulk.course import ESCO_FILE
from eseal.bulk.folder import EARLIER, REFUSED, SEALED, Result
from eseal.bulk.learners import ALIASES, PLAIN, QUALIFIED
from eseal_client import MicroCredential
from tests.harness.server import ROOT

PAGE = (ROOT / "docs/bulk.md").read_text()


@pytest.mark.parametrize("heading", [*PLAIN, *QUALIFIED])
def test_headings(heading: str) -> None:
    """Each is documented."""
    assert re.search(f"`{heading}[`:]", PAGE)


@pytest.mark.parametrize("key", [*(field.name for field in MicroCredential.DESCRIPTOR.fields), ESCO_FILE])
def test_keys_of_a_course_file(key: str) -> None:
    """Each is documented."""
    assert f"`{key}`" in PAGE


@pytest.mark.parametrize("word", [*Result._fields, SEALED, REFUSED, EARLIER])
def test_results(word: str) -> None:
    """Columns and statuses too."""
    assert f"`{word}`" in PAGE


def test_aliases_lead_to_headings() -> None:
    """Another name of a heading is one of a heading that there is."""
    assert set(ALIASES.values()) <= {*PLAIN, *QUALIFIED}
