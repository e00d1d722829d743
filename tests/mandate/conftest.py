"""A house of its own for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .house import House

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house whose register grants the usual award."""
    return House(tmp_path)
