"""A house, or a practice register, of its own for each test."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from eseal.mandate.practice import write_practice_register
from eseal.trust import practice

from .house import House

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house whose register grants the usual award."""
    return House(tmp_path)


CALLERS = {"dcu": "spiffe://eciu.example/dcu", "uniz": "spiffe://eciu.example/uniz"}


@pytest.fixture
def register(tmp_path: Path) -> Path:
    """A practice register of 15 June 2026; dcu's mandate ends with that year."""
    folder = tmp_path / "register"
    write_practice_register(folder, sealer=practice.PRACTICE_SEALER, callers=CALLERS, today=date(2026, 6, 15))
    return folder
