"""Vectors of others, read in place: from the folder in ESEAL_VECTORS, else from ../shared/vectors."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
VECTORS = (_ROOT / os.environ.get("ESEAL_VECTORS", "../shared/vectors")).resolve()


def vector(name: str) -> Path:
    """Return the path of a vector; skip the test where the vectors are not there."""
    path = VECTORS / name
    if not path.exists():
        pytest.skip(f"The vector {name} is not there: set ESEAL_VECTORS to the folder of the vectors.")
    return path


def jades_expectations() -> dict[str, str]:
    """Return what a validator must find in each JAdES vector; empty where the vectors are not there."""
    path = VECTORS / "jades" / "expectations.json"
    return json.loads(path.read_text()) if path.exists() else {}
